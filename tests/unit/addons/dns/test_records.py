"""The Kubernetes DNS specification 1.1.0, name by name."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.addons.dns import records
from sampan.addons.dns.records import Found, Zone
from sampan.spec.dns import wire
from unit.addons.dns.cluster import Small, endpoints, service

ZONE = Zone(wire.name("cluster.local"), "10.43.0.10")
VIEW = Small(
    [
        service("web", "10.43.0.1", ("http", 80), ("https", 443)),
        service("bare", "10.43.0.2", ("", 80)),
        service("head"),
        service("empty"),
        service("out", type="ExternalName", externalName="example.com"),
        service("odd", type="ExternalName", externalName="a..b"),
    ],
    [
        endpoints("web", "10.42.0.7"),
        endpoints(
            "head",
            {"addresses": ["10.42.0.1"], "hostname": "db-0"},
            {"addresses": ["10.42.0.2"], "conditions": {"ready": True}},
            {"addresses": ["10.42.0.3"], "conditions": {"ready": False}},
        ),
        endpoints("head", "10.42.0.2", name="head-2"),
        endpoints("empty", {"addresses": ["10.42.0.9"], "conditions": {"ready": False}}),
    ],
)


def ask(name: str, kind: int = wire.A) -> Found | None:
    return records.lookup(VIEW, ZONE, wire.name(name), kind)


def shown(found: Found | None) -> list[str]:
    """The answers in words; an rcode alone when there are none."""
    assert found is not None
    if not found.answers:
        return [wire.RCODE_NAMES[found.rcode]]
    words = []
    for record in found.answers:
        if record.type == wire.A:
            words.append(socket.inet_ntoa(record.data))
        elif record.type == wire.SRV:
            _, _, port = struct.unpack(">HHH", record.data[:6])
            words.append(f"{port} {wire.text(record.data[6:])}")
        elif record.type == wire.TXT:
            words.append(record.data[1:].decode())
        else:
            words.append(wire.text(record.data))
    return words


S = ".svc.cluster.local"


@pytest.mark.parametrize(
    "name, kind, answers",
    [
        ("dns-version.cluster.local", wire.TXT, ["1.1.0"]),
        ("dns-version.cluster.local", wire.A, ["NOERROR"]),
        (f"web.default{S}", wire.A, ["10.43.0.1"]),
        (f"web.default{S}", wire.AAAA, ["NOERROR"]),
        (f"web.default{S}", wire.SRV, [f"80 web.default{S}.", f"443 web.default{S}."]),
        (f"_http._tcp.web.default{S}", wire.SRV, [f"80 web.default{S}."]),
        (f"_http._udp.web.default{S}", wire.SRV, ["NXDOMAIN"]),
        (f"_other._tcp.web.default{S}", wire.SRV, ["NXDOMAIN"]),
        (f"_tcp.web.default{S}", wire.SRV, ["NOERROR"]),
        (f"_tcp.bare.default{S}", wire.SRV, ["NXDOMAIN"]),
        (f"10-42-0-7.web.default{S}", wire.A, ["10.42.0.7"]),
        (f"head.default{S}", wire.A, ["10.42.0.2", "10.42.0.1"]),
        (f"db-0.head.default{S}", wire.A, ["10.42.0.1"]),
        (f"10-42-0-2.head.default{S}", wire.A, ["10.42.0.2"]),
        (f"10-42-0-3.head.default{S}", wire.A, ["NXDOMAIN"]),
        (
            f"_http._tcp.head.default{S}",
            wire.SRV,
            [f"8080 10-42-0-2.head.default{S}.", f"8080 db-0.head.default{S}."],
        ),
        (f"_tcp.head.default{S}", wire.SRV, ["NOERROR"]),
        (f"empty.default{S}", wire.A, ["NXDOMAIN"]),
        (f"nothing.default{S}", wire.A, ["NXDOMAIN"]),
        (f"web.other{S}", wire.A, ["NXDOMAIN"]),
        (f"x.web.default{S}", wire.A, ["NXDOMAIN"]),
        (f"a.b.web.default{S}", wire.A, ["NXDOMAIN"]),
        (f"a.b.c.web.default{S}", wire.A, ["NXDOMAIN"]),
        (f"out.default{S}", wire.A, ["example.com."]),
        (f"out.default{S}", wire.CNAME, ["example.com."]),
        (f"x.out.default{S}", wire.A, ["NXDOMAIN"]),
        (f"odd.default{S}", wire.A, ["SERVFAIL"]),
        (f"default{S}", wire.A, ["NOERROR"]),
        (f"other{S}", wire.A, ["NXDOMAIN"]),
        ("svc.cluster.local", wire.A, ["NOERROR"]),
        ("cluster.local", wire.NS, ["ns.dns.cluster.local."]),
        ("cluster.local", wire.A, ["NOERROR"]),
        ("ns.dns.cluster.local", wire.A, ["10.43.0.10"]),
        ("1-2-3-4.default.pod.cluster.local", wire.A, ["1.2.3.4"]),
        ("1-2-3-4.other.pod.cluster.local", wire.A, ["NXDOMAIN"]),
        ("1-2-3.default.pod.cluster.local", wire.A, ["NXDOMAIN"]),
        ("default.pod.cluster.local", wire.A, ["NOERROR"]),
        ("else.cluster.local", wire.A, ["NXDOMAIN"]),
        ("1.0.43.10.in-addr.arpa", wire.PTR, [f"web.default{S}."]),
        ("1.0.42.10.in-addr.arpa", wire.PTR, [f"db-0.head.default{S}."]),
        ("7.0.42.10.in-addr.arpa", wire.PTR, [f"10-42-0-7.web.default{S}."]),
        ("1.0.43.10.in-addr.arpa", wire.A, ["NOERROR"]),
    ],
)
def test_names_of_the_cluster(name: str, kind: int, answers: list[str]) -> None:
    assert sorted(shown(ask(name, kind))) == sorted(answers)


@pytest.mark.parametrize(
    "name",
    [
        "example.com",
        "cluster.local.example",
        "notcluster.local",
        "3.0.42.10.in-addr.arpa",
        "43.10.in-addr.arpa",
    ],
)
def test_names_of_others(name: str) -> None:
    assert ask(name) is None


def test_a_name_that_ends_alike_in_bytes_only_is_not_ours() -> None:
    inside_a_label = b"\x0fx" + wire.name("cluster.local")
    assert inside_a_label.endswith(ZONE.domain)
    assert records.lookup(VIEW, ZONE, inside_a_label, wire.A) is None


def test_pods_can_be_switched_off() -> None:
    zone = ZONE._replace(pods=False)
    found = records.lookup(VIEW, zone, wire.name("1-2-3-4.default.pod.cluster.local"), wire.A)
    assert found is not None and found.rcode == wire.NXDOMAIN


def test_answers_say_what_they_rest_on() -> None:
    for name, depends in (
        (f"web.default{S}", "default/web"),
        (f"nothing.default{S}", "default/nothing"),
        (f"default{S}", "default:"),
        ("1.0.43.10.in-addr.arpa", "10.43.0.1"),
    ):
        found = ask(name)
        assert found is not None and found.depends == depends


def test_srv_brings_the_addresses_along() -> None:
    found = ask(f"_http._tcp.head.default{S}", wire.SRV)
    assert found is not None
    assert {socket.inet_ntoa(r.data) for r in found.additional} == {"10.42.0.1", "10.42.0.2"}


@given(
    st.lists(
        st.sampled_from(["web", "head", "default", "svc", "pod", "_tcp", "_http", "cluster", "local", "x"]),
        max_size=8,
    ),
    st.integers(0, 70),
)
def test_every_name_has_some_answer(parts: list[str], kind: int) -> None:
    found = ask(".".join([*parts, "cluster", "local"]), kind)
    assert found is not None and found.rcode in (wire.NOERROR, wire.NXDOMAIN)
