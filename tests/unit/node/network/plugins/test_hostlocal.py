"""Leases on disk: no address twice, none lost, files as the reference plug-in has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.node.network.plugins.hostlocal import HostLocal, Store, parse_range
from sampan.spec.cni import CniError

RANGE = parse_range({"subnet": "10.1.0.0/29"})


def test_addresses_go_round_and_skip_the_gateway(tmp_path: Path) -> None:
    store = Store(tmp_path)
    taken = [store.reserve(RANGE, f"c{i}", "eth0") for i in range(3)]
    assert taken == ["10.1.0.2", "10.1.0.3", "10.1.0.4"]
    store.release("c0", "eth0")
    assert [store.reserve(RANGE, f"d{i}", "eth0") for i in range(3)] == ["10.1.0.5", "10.1.0.6", "10.1.0.2"]
    with pytest.raises(CniError, match="no address is free") as full:
        store.reserve(RANGE, "e", "eth0")
    assert full.value.code == 11


def test_who_has_an_address_gets_the_same(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.reserve(RANGE, "c", "eth0")
    assert store.reserve(RANGE, "c", "eth0") == first
    assert store.reserve(RANGE, "c", "eth1") != first


def test_files_are_the_reference_plugins(tmp_path: Path) -> None:
    Store(tmp_path).reserve(RANGE, "c", "eth0")
    assert (tmp_path / "10.1.0.2").read_bytes() == b"c\r\neth0"
    assert (tmp_path / "last_reserved_ip.0").read_text() == "10.1.0.2"
    (tmp_path / "10.1.0.3").write_text("other\neth0")
    (tmp_path / "lock").write_text("")
    again = Store(tmp_path)
    assert {(lease.address, lease.container_id) for lease in again.leases()} == {
        ("10.1.0.2", "c"),
        ("10.1.0.3", "other"),
    }
    assert again.reserve(RANGE, "d", "eth0") == "10.1.0.4"


def test_two_processes_never_get_one_address(tmp_path: Path) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    got = [
        store.reserve(RANGE, f"{name}{i}", "eth0")
        for i in range(2)
        for name, store in (("a", one), ("b", other))
    ]
    assert len(set(got)) == 4


def test_a_lease_cut_short_belongs_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "10.1.0.2").write_text("")
    store = Store(tmp_path)
    gone = store.keep_only(frozenset({("c", "eth0")}))
    assert [lease.address for lease in gone] == ["10.1.0.2"]
    assert not (tmp_path / "10.1.0.2").exists()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=30))
def test_the_folder_is_what_the_store_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, int]]
) -> None:
    folder = tmp_path_factory.mktemp("leases")
    store = Store(folder)
    held: dict[str, str] = {}
    for reserve, number in steps:
        name = f"c{number}"
        if not reserve:
            store.release(name, "eth0")
            held.pop(name, None)
        elif len(held) < 5 or name in held:
            held[name] = store.reserve(RANGE, name, "eth0")
        assert len(set(held.values())) == len(held)
        assert {p.name for p in folder.iterdir()} - {"last_reserved_ip.0"} == set(held.values())


@pytest.mark.parametrize(
    "data, words",
    [
        ({}, "subnet"),
        ({"subnet": "x"}, "'x'"),
        ({"subnet": "10.0.0.0/31"}, "too small"),
        ({"subnet": "fd00::/64"}, "IPv6"),
        ({"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.9", "rangeEnd": "10.0.0.3"}, "in this order"),
        ({"subnet": "10.0.0.0/24", "rangeStart": "10.1.0.9"}, "in this order"),
        ({"subnet": "10.0.0.0/24", "vlan": 1}, "'vlan'"),
    ],
)
def test_ranges_that_cannot_be(data: dict[str, Any], words: str) -> None:
    with pytest.raises(CniError, match=words):
        parse_range(data)


def test_one_range_and_known_fields_only(tmp_path: Path) -> None:
    plugin = HostLocal()
    base = {"type": "host-local", "dataDir": str(tmp_path)}
    one = {"subnet": "10.1.0.0/29", "gateway": "10.1.0.6", "rangeStart": "10.1.0.3"}
    address = plugin.reserve("net", {**base, "ranges": [[one]]}, "c", "eth0")
    assert (address.address, address.gateway) == ("10.1.0.3/29", "10.1.0.6")
    for wrong in ({"ranges": []}, {"ranges": [[one], [one]]}, {"ranges": [[one]], "resolvConf": "/x"}):
        with pytest.raises(CniError) as refused:
            plugin.reserve("net", {**base, **wrong}, "d", "eth0")
        assert refused.value.code == 2
