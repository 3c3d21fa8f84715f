"""What a cluster is, kept in its folder; free ranges; logs of components."""

from __future__ import annotations

import json
import logging
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sampan.cluster import build, journal, ranges, settings
from sampan.cluster.settings import Settings, SettingsError


def make(tmp_path: Path, name: str = "sampan") -> Settings:
    return Settings(
        name=name,
        data=str(tmp_path / "data"),
        run=str(tmp_path / "run"),
        bind="127.0.0.1",
        advertise="10.42.0.1",
        port=6443,
        pod_cidrs=("10.42.0.0/16",),
        service_cidrs=("10.43.0.0/16",),
        node_name="deck",
    )


def test_saved_settings_come_back_and_are_private(tmp_path: Path) -> None:
    made = make(tmp_path)
    settings.save(made)
    assert settings.load(made.data_path) == made
    assert made.data_path.stat().st_mode & 0o777 == 0o700
    assert (made.data_path / "cluster.json").stat().st_mode & 0o777 == 0o600


def test_no_folder_is_no_cluster(tmp_path: Path) -> None:
    assert settings.load(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ('{"layout": 2}', "layout 2, this sampan reads layout 1"),
        ('{"layout": 1, "colour": "red"}', "not the settings of a cluster"),
    ],
)
def test_what_is_not_ours_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cluster.json").write_text(text)
    with pytest.raises(SettingsError, match=message):
        settings.load(tmp_path)


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a" * 21, "a/b", "..", "a b"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(SettingsError, match="cluster name"):
        settings.check_name(name)


def test_contexts_and_bridges_differ_by_name(tmp_path: Path) -> None:
    first, second, third = make(tmp_path), make(tmp_path, "harbour-one"), make(tmp_path, "harbour-two")
    assert (first.context, second.context) == ("sampan", "sampan-harbour-one")
    bridges = {first.bridge, second.bridge, third.bridge}
    assert len(bridges) == 3 and all(len(bridge) <= 15 for bridge in bridges)


def test_the_first_free_pair_of_ranges_is_taken() -> None:
    assert ranges.pick([]) == ("10.42.0.0/16", "10.43.0.0/16")
    assert ranges.pick([IPv4Network("10.43.7.0/24")]) == ("10.142.0.0/16", "10.143.0.0/16")
    with pytest.raises(ranges.NoRange, match="--pod-cidr"):
        ranges.pick([IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12")])


@pytest.mark.parametrize("text", ["x", "10.0.0.1/16", "10.0.0.0/25", "fd00::/64"])
def test_ranges_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match="--pod-cidr"):
        ranges.parse(text, "--pod-cidr")


def test_parts_of_ranges() -> None:
    assert ranges.node_cidr("10.42.0.0/16") == "10.42.0.0/24"
    assert ranges.node_cidr("10.42.1.0/24") == "10.42.1.0/24"
    assert ranges.nth("10.43.0.0/16", 10) == "10.43.0.10"


def test_each_component_logs_to_its_own_file(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level, logging.raiseExceptions
    try:
        journal.start(tmp_path, "process")
        logging.getLogger("x").warning("of the process")
        token = journal.CURRENT.set("dns")
        logging.getLogger("x").warning("of dns")
        journal.CURRENT.reset(token)
    finally:
        for handler in logging.getLogger().handlers[:]:
            logging.getLogger().removeHandler(handler)
            if isinstance(handler, journal.ComponentHandler):
                handler.close()
        for handler in before[0]:
            logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(before[1])
        logging.raiseExceptions = before[2]
    assert journal.tail(tmp_path / "process.log", 5)[0].endswith("WARNING process: of the process")
    assert journal.tail(tmp_path / "dns.log", 5)[0].endswith("WARNING dns: of dns")
    assert (tmp_path / "dns.log").stat().st_mode & 0o777 == 0o600


def test_tail_of_a_long_and_of_a_missing_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {i}\n" for i in range(5000)))
    assert journal.tail(path, 2) == ["line 4998", "line 4999"]
    assert journal.tail(tmp_path / "none.log", 2) == []


def test_the_build_is_stable() -> None:
    assert build.identifier() == build.identifier()
    assert json.dumps(build.identifier()).startswith('"0.1.0+')
