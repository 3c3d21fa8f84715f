"""What the server counts, under CoreDNS' names (Prometheus text format)."""

from __future__ import annotations

from collections.abc import Mapping

from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message


class Metrics:
    """Replies by rcode. Those sent from finished answers are counted where they lie and added when asked for."""

    def __init__(self) -> None:
        self._replies: dict[int, int] = {}
        self.dropped = 0
        """Queries without a reply: more waited than we hold."""

    def count(self, message: Message) -> None:
        self._replies[message.rcode] = self._replies.get(message.rcode, 0) + 1

    def render(self, quick: Mapping[int, int], *, hits: int, misses: int, entries: int, failures: int) -> str:
        replies = dict(self._replies)
        for rcode, count in quick.items():
            replies[rcode] = replies.get(rcode, 0) + count
        lines = [
            "# TYPE coredns_dns_requests_total counter",
            f"coredns_dns_requests_total {sum(replies.values())}",
        ]
        lines.append("# TYPE coredns_dns_responses_total counter")
        lines += [
            f'coredns_dns_responses_total{{rcode="{wire.RCODE_NAMES.get(rcode, str(rcode))}"}} {count}'
            for rcode, count in sorted(replies.items())
        ]
        for name, kind, value in (
            ("coredns_cache_hits_total", "counter", hits),
            ("coredns_cache_misses_total", "counter", misses),
            ("coredns_cache_entries", "gauge", entries),
            ("coredns_forward_healthcheck_broken_total", "counter", failures),
            ("coredns_cache_drops_total", "counter", self.dropped),
        ):
            lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"
