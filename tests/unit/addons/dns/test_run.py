"""The whole server over an API in memory: by sockets of our own and by the real dig."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable

import pytest

from fake_api import FakeApi
from sampan.addons import dns
from sampan.api import kinds
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question
from unit.addons.dns.cluster import endpoints, service
from unit.addons.dns.resolvers import Resolver, a_record

SERVICES, SLICES = kinds.of("v1", "Service"), kinds.of("discovery.k8s.io/v1", "EndpointSlice")
NAMESPACES = kinds.of("v1", "Namespace")
WEB = "web.default.svc.cluster.local"


def small() -> FakeApi:
    api = FakeApi()
    api.put(NAMESPACES, {"metadata": {"name": "default"}})
    api.put(SERVICES, service("web", "10.43.0.1"))
    api.put(SERVICES, service("out", type="ExternalName", externalName="Example.com"))
    api.put(SERVICES, service("inner", type="ExternalName", externalName=WEB))
    api.put(SERVICES, service("big"))
    api.put(SLICES, endpoints("big", *(f"10.42.1.{i}" for i in range(1, 100))))
    return api


class Running:
    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address

    async def ask(
        self, name: str, kind: int = wire.A, *, edns: bool = True, tcp: bool = False, **parts: int
    ) -> Message:
        query = Message(
            9, wire.RD, (Question(wire.name(name), kind),), additional=(wire.edns(),) if edns else ()
        )
        return wire.parse(await self.send(wire.pack(query._replace(**parts)), tcp))

    async def send(self, data: bytes, tcp: bool = False) -> bytes:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            async with asyncio.timeout(5):
                await loop.sock_connect(sock, self.address)
                await loop.sock_sendall(sock, len(data).to_bytes(2, "big") + data if tcp else data)
                if not tcp:
                    return await loop.sock_recv(sock, 65535)
                got = b""
                while len(got) < 2 or len(got) < 2 + int.from_bytes(got[:2], "big"):
                    got += await loop.sock_recv(sock, 65535)
                return got[2:]

    async def dig(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "dig",
            f"@{self.address[0]}",
            "-p",
            str(self.address[1]),
            "+tries=1",
            *words,
            stdout=asyncio.subprocess.PIPE,
        )
        return (await process.communicate())[0].decode()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def serving(api: FakeApi, steps: Callable[[Running], Awaitable[None]], **config: object) -> None:
    async def main() -> None:
        port = free_port()
        started = asyncio.Event()
        made = dns.Config((("127.0.0.1", port),), resolv_conf="/nonexistent")._replace(**config)  # type: ignore[arg-type]
        task = asyncio.create_task(dns.run(api, made, started.set))  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(20):
                begun = asyncio.create_task(started.wait())
                await asyncio.wait({begun, task}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    begun.cancel()
                    task.result()
                await steps(Running(("127.0.0.1", port)))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def addresses(message: Message) -> list[str]:
    return [socket.inet_ntoa(r.data) for r in message.answers if r.type == wire.A]


def test_names_are_answered_and_follow_the_cluster() -> None:
    api = small()

    async def steps(server: Running) -> None:
        for _ in range(3):
            assert addresses(await server.ask(WEB)) == ["10.43.0.1"]
        api.put(SERVICES, service("web", "10.43.0.2"))
        while addresses(await server.ask(WEB)) != ["10.43.0.2"]:
            await asyncio.sleep(0.01)
        api.remove(SERVICES, "web", "default")
        while (gone := await server.ask(WEB)).rcode != wire.NXDOMAIN:
            await asyncio.sleep(0.01)
        assert gone.authority[0].type == wire.SOA and gone.flags & wire.AA
        api.put(NAMESPACES, {"metadata": {"name": "late"}})
        while (await server.ask("late.svc.cluster.local")).rcode != wire.NOERROR:
            await asyncio.sleep(0.01)

    serving(api, steps)


def test_big_answers_are_cut_for_udp_and_whole_by_tcp() -> None:
    async def steps(server: Running) -> None:
        for edns, limit in ((False, 512), (True, 1232)):
            cut = await server.ask("big.default.svc.cluster.local", edns=edns)
            assert cut.flags & wire.TC and 0 < len(cut.answers) < 99
            assert len(wire.pack(cut)) <= limit
        whole = await server.ask("big.default.svc.cluster.local", tcp=True)
        assert len(whole.answers) == 99 and not whole.flags & wire.TC

    serving(small(), steps)


@pytest.mark.parametrize(
    "parts, rcode",
    [
        ({"flags": 0x2800}, wire.NOTIMP),
        ({"questions": ()}, wire.FORMERR),
        ({"questions": (Question(wire.name("version.bind"), wire.TXT, wire.CHAOS),)}, wire.REFUSED),
        ({"questions": (Question(wire.name("cluster.local"), 252),)}, wire.REFUSED),
        ({"questions": (Question(wire.name("example.com"), wire.A),)}, wire.REFUSED),
    ],
)
def test_what_is_not_served_is_refused_by_its_code(parts: dict[str, int], rcode: int) -> None:
    async def steps(server: Running) -> None:
        for tcp in (False, True):
            assert (await server.ask(WEB, tcp=tcp, **parts)).rcode == rcode

    serving(small(), steps)


def test_an_unknown_edns_version_is_badvers() -> None:
    async def steps(server: Running) -> None:
        query = Message(
            3, wire.RD, (Question(wire.name(WEB), wire.A),), additional=(wire.edns()._replace(ttl=1 << 16),)
        )
        answer = wire.parse(await server.send(wire.pack(query)))
        assert answer.edns is not None and answer.edns.ttl >> 24 == 1 and answer.rcode == 0

    serving(small(), steps)


def test_garbage_does_no_harm() -> None:
    async def steps(server: Running) -> None:
        assert wire.parse(await server.send(b"\x12\x34\1\0\0\1\0\0\0\0\0\0\xff")).rcode == wire.FORMERR
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for data in (b"", b"x", b"\0" * 11, b"\x12\x34\x81\0" + b"\0" * 8, b"\xff" * 600):
                sock.sendto(data, server.address)
        assert addresses(await server.ask(WEB)) == ["10.43.0.1"]

    serving(small(), steps)


def test_other_names_come_from_upstream_and_external_names_are_followed() -> None:
    async def main() -> None:
        async with Resolver(lambda query, tcp: a_record(query)) as other:
            started = asyncio.Event()
            port = free_port()
            config = dns.Config((("127.0.0.1", port),), upstreams=(str(other.upstream),))
            task = asyncio.create_task(dns.run(small(), config, started.set))  # type: ignore[arg-type]
            server = Running(("127.0.0.1", port))
            async with asyncio.timeout(10):
                await started.wait()
                got = await server.ask("Example.com")
                assert addresses(got) == ["192.0.2.7"] and not got.flags & wire.AA
                assert got.questions[0].name == wire.name("Example.com")
                out = await server.ask("out.default.svc.cluster.local")
                assert [r.type for r in out.answers] == [wire.CNAME, wire.A]
                inner = await server.ask("inner.default.svc.cluster.local", tcp=True)
                assert [r.type for r in inner.answers] == [wire.CNAME, wire.A] and addresses(inner) == [
                    "10.43.0.1"
                ]
                cname = await server.ask("out.default.svc.cluster.local", wire.CNAME)
                assert [r.type for r in cname.answers] == [wire.CNAME]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_the_service_that_pods_ask_leads_to_us() -> None:
    api = small()

    async def steps(server: Running) -> None:
        made = api.find("services", "kube-dns", "kube-system")
        assert made is not None and made["spec"]["clusterIP"] == "10.43.0.10"
        one = api.find("endpointslices", "kube-dns-sampan", "kube-system")
        assert one is not None
        assert one["endpoints"][0]["addresses"] == ["127.0.0.1"]
        assert {p["port"] for p in one["ports"]} == {server.address[1]}
        assert addresses(await server.ask("ns.dns.cluster.local")) == ["10.43.0.10"]

    serving(api, steps, service_address="10.43.0.10")


def test_health_and_metrics() -> None:
    web = free_port()

    async def steps(server: Running) -> None:
        for _ in range(3):
            await server.ask(WEB)
        await server.ask("nothing.default.svc.cluster.local")
        pages = {}
        for path in ("/health", "/ready", "/metrics", "/other"):
            reader, writer = await asyncio.open_connection("127.0.0.1", web)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            pages[path] = (await reader.read()).decode()
            writer.close()
        assert "200 OK" in pages["/health"] and "200 OK" in pages["/ready"] and " 404 " in pages["/other"]
        assert 'coredns_dns_responses_total{rcode="NOERROR"} 3' in pages["/metrics"]
        assert 'coredns_dns_responses_total{rcode="NXDOMAIN"} 1' in pages["/metrics"]
        assert "coredns_dns_requests_total 4" in pages["/metrics"]

    serving(small(), steps, http=("127.0.0.1", web))


def test_addresses_that_cannot_be_served_are_named() -> None:
    async def nothing(server: Running) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="specific"):
        serving(small(), nothing, listen=(("0.0.0.0", 5353),))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1 port {port}"):
            serving(small(), nothing, listen=(("127.0.0.1", port),))


def test_another_port_does_where_the_service_leads() -> None:
    api = small()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def steps(server: Running) -> None:
            one = api.find("endpointslices", "kube-dns-sampan", "kube-system")
            assert one is not None
            server.address = ("127.0.0.1", one["ports"][0]["port"])
            assert server.address[1] != port
            assert addresses(await server.ask(WEB)) == ["10.43.0.1"]

        serving(api, steps, listen=(("127.0.0.1", port),), service_address="10.43.0.10")


@pytest.mark.peer
def test_dig_agrees() -> None:
    if shutil.which("dig") is None:
        pytest.skip("dig is not installed")

    async def steps(server: Running) -> None:
        short = ("+short",)
        assert await server.dig(*short, WEB.upper()) == "10.43.0.1\n"
        assert WEB.upper() in await server.dig(WEB.upper())
        assert await server.dig(*short, "_http._tcp." + WEB, "SRV") == f"0 100 80 {WEB}.\n"
        assert await server.dig(*short, "-x", "10.43.0.1") == f"{WEB}.\n"
        assert await server.dig(*short, "dns-version.cluster.local", "TXT") == '"1.1.0"\n'
        assert len((await server.dig(*short, "big.default.svc.cluster.local")).splitlines()) == 99
        assert "status: NXDOMAIN" in await server.dig("no.default.svc.cluster.local")
        assert "status: BADVERS" in await server.dig("+edns=1", "+noednsneg", WEB)
        for words in ((), ("+dnssec",), ("+noedns",), ("+cookie",), ("+tcp",), ("+bufsize=512",)):
            out = await server.dig(*words, WEB)
            assert "status: NOERROR" in out and "10.43.0.1" in out and ";; WARNING: Message" not in out
            assert ("EDNS: version: 0" in out) == (words != ("+noedns",))

    serving(small(), steps)
