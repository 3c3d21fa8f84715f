"""Which resolvers are asked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sampan.addons.dns import upstream
from sampan.addons.dns.upstream import Upstream

OURS = {("10.42.0.1", 53), ("10.43.0.10", 53)}


def choose(files: dict[str, str], configured: Sequence[str] = ()) -> list[str]:
    found = upstream.choose(configured, "/etc/resolv.conf", OURS, lambda path: files.get(path, ""))
    return [str(u) for u in found]


@pytest.mark.parametrize(
    "text, found",
    [
        ("nameserver 192.0.2.53\nnameserver 192.0.2.54\n", ["192.0.2.53:53", "192.0.2.54:53"]),
        ("nameserver 192.0.2.53\nnameserver 192.0.2.53\n", ["192.0.2.53:53"]),
        ("search x\n# nameserver 1.1.1.1\nnameserver\nnameserver nonsense\n", []),
        ("nameserver 10.43.0.10\nnameserver 10.42.0.1\nnameserver 192.0.2.53", ["192.0.2.53:53"]),
        ("nameserver fe80::1%eth0", ["[fe80::1]:53"]),
        ("nameserver 127.0.0.1", ["127.0.0.1:53"]),
        ("", []),
    ],
)
def test_resolvers_of_the_machine(text: str, found: list[str]) -> None:
    assert choose({"/etc/resolv.conf": text}) == found


def test_the_stub_stands_for_what_is_behind_it() -> None:
    stub = {"/etc/resolv.conf": "nameserver 127.0.0.53\n"}
    assert choose(stub) == []
    assert choose({**stub, upstream.RESOLVED: "nameserver 192.0.2.1\nnameserver 127.0.0.53"}) == [
        "192.0.2.1:53"
    ]


def test_configured_ones_take_the_place_of_the_machines() -> None:
    files = {"/etc/resolv.conf": "nameserver 192.0.2.53"}
    assert choose(files, ["192.0.2.1:5353", "[2001:db8::1]:54"]) == ["192.0.2.1:5353", "[2001:db8::1]:54"]
    assert choose(files, ["10.43.0.10"]) == []


@pytest.mark.parametrize("text", ["", "dns.example", "192.0.2.1:x", "192.0.2.1:0", "192.0.2.1:70000", "[::1"])
def test_bad_ones_are_named(text: str) -> None:
    if text == "[::1":
        assert upstream.parse(text) == Upstream("::1")
        return
    with pytest.raises(ValueError, match="upstream"):
        upstream.parse(text)
