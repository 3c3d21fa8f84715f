"""Chains of foreign plug-ins by the exec protocol: scripts that record their calls, and the reference plug-ins."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlab import Lab
from sampan.node import network
from sampan.node.network import conflist, execution
from sampan.spec.cni import Attachment, CniError, PortMapping

SCRIPT = """#!/bin/sh
printf '%s %s %s %s %s\\n' "$(basename "$0")" "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_IFNAME" "$CNI_ARGS" >> {log}
cat > {log}.$(basename "$0").$CNI_COMMAND
{body}
"""
RESULT = {
    "cniVersion": "1.0.0",
    "ips": [{"address": "10.9.0.2/24"}],
    "interfaces": [{"name": "eth0", "sandbox": "/x"}],
}


class Foreign:
    """A folder of plug-in scripts and one of configurations."""

    def __init__(self, tmp_path: Path) -> None:
        self.log = tmp_path / "log"
        self.bin = tmp_path / "bin"
        self.conf = tmp_path / "conf"
        self.bin.mkdir()
        self.conf.mkdir()
        self.config = network.Config(
            "x",
            "x0",
            tmp_path / "state",
            (),
            (),
            conf_dir=self.conf,
            bin_dirs=(str(self.bin),),
            plugin_seconds=5.0,
        )

    def plugin(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(SCRIPT.format(log=self.log, body=body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def list(self, version: str = "1.0.0", *plugins: dict[str, Any], **more: Any) -> None:
        data = {"cniVersion": version, "name": "net", "plugins": list(plugins), **more}
        (self.conf / "10-net.conflist").write_text(json.dumps(data))

    def calls(self) -> list[str]:
        return [line.strip() for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def given(self, name: str, command: str) -> Any:
        return json.loads(Path(f"{self.log}.{name}.{command}").read_text())

    def run(self, verb: str, *arguments: Any) -> Any:
        async def work() -> Any:
            return await getattr(network.open(self.config), verb)(*arguments)

        return asyncio.run(work())


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    made = Foreign(tmp_path)
    made.plugin("first", f"[ $CNI_COMMAND = ADD ] && echo '{json.dumps(RESULT)}'; true")
    made.plugin("second", f"[ $CNI_COMMAND = ADD ] && echo '{json.dumps(RESULT)}'; true")
    made.plugin("failing", """echo '{"code": 11, "msg": "later", "details": "busy"}'; exit 1""")
    made.plugin("mute", "exit 3")
    made.plugin("babbling", "echo not json")
    made.plugin("slow", "sleep 30")
    return made


AT = Attachment(
    "c1", "/var/run/netns/c1", "eth0", {"K8S_POD_NAME": "web"}, (PortMapping(8080, 80, "tcp", "1.2.3.4"),)
)
PLAIN = ({"type": "first"}, {"type": "second", "capabilities": {"portMappings": True}})


def test_add_in_order_delete_in_reverse_with_results_handed_on(foreign: Foreign) -> None:
    foreign.list("1.0.0", *PLAIN)
    assert foreign.run("add", AT).ips[0].address == "10.9.0.2/24"
    foreign.run("check", AT)
    foreign.run("delete", AT)
    assert foreign.calls() == [
        f"{name} {command} c1 eth0 K8S_POD_NAME=web"
        for name, command in (
            ("first", "ADD"), ("second", "ADD"), ("first", "CHECK"), ("second", "CHECK"), ("second", "DEL"), ("first", "DEL")
        )
    ]  # fmt: skip
    assert "prevResult" not in foreign.given("first", "ADD") and "runtimeConfig" not in foreign.given(
        "first", "ADD"
    )
    second = foreign.given("second", "ADD")
    assert second["prevResult"]["ips"] == RESULT["ips"] and (second["name"], second["cniVersion"]) == (
        "net",
        "1.0.0",
    )
    assert second["runtimeConfig"] == {
        "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": "1.2.3.4"}]
    }
    assert foreign.given("first", "DEL")["prevResult"]["ips"] == RESULT["ips"]


def test_delete_uses_the_configuration_that_added(foreign: Foreign) -> None:
    foreign.list("1.0.0", *PLAIN)
    foreign.run("add", AT)
    foreign.list("1.0.0", {"type": "second"})
    foreign.run("delete", AT)
    assert [c.split()[:2] for c in foreign.calls()[2:]] == [["second", "DEL"], ["first", "DEL"]]


def test_a_failed_add_is_undone_and_tells_the_plugins_code(foreign: Foreign) -> None:
    foreign.list("1.0.0", {"type": "first"}, {"type": "failing"})
    with pytest.raises(CniError, match="later: busy") as failed:
        foreign.run("add", AT)
    assert failed.value.code == 11
    assert [c.split()[:2] for c in foreign.calls()] == [
        ["first", "ADD"],
        ["failing", "ADD"],
        ["failing", "DEL"],
        ["first", "DEL"],
    ]


@pytest.mark.parametrize(
    "kind, code, words",
    [
        ("mute", 100, "failed with 3"),
        ("babbling", 6, "no JSON"),
        ("absent", 50, "absent"),
        ("../first", 7, "file name"),
    ],
)
def test_plugins_that_cannot_be_used(foreign: Foreign, kind: str, code: int, words: str) -> None:
    foreign.list("1.0.0", {"type": kind})
    with pytest.raises(CniError, match=words) as failed:
        foreign.run("add", AT)
    assert failed.value.code == code


def test_a_plugin_that_takes_too_long_is_killed(foreign: Foreign) -> None:
    foreign.list("1.0.0", {"type": "slow"})
    foreign.config = foreign.config._replace(plugin_seconds=0.2)
    with pytest.raises(CniError, match="longer than") as failed:
        foreign.run("add", AT)
    assert failed.value.code == 11


def test_gc_and_status_are_told_to_plugins_that_know_them(foreign: Foreign) -> None:
    foreign.list("1.1.0", {"type": "first"})
    foreign.run("add", AT)
    foreign.run("status")
    foreign.run("gc", frozenset({("c2", "eth0")}))
    assert [c.split()[1] for c in foreign.calls()] == ["ADD", "STATUS", "DEL", "GC"]
    assert foreign.given("first", "GC")["cni.dev/valid-attachments"] == [
        {"containerID": "c2", "ifname": "eth0"}
    ]


def test_checks_can_be_switched_off(foreign: Foreign) -> None:
    foreign.list("1.0.0", {"type": "first"}, disableCheck=True)
    foreign.run("add", AT)
    foreign.run("check", AT)
    assert len(foreign.calls()) == 1


@pytest.mark.parametrize(
    "data, code, words",
    [
        ({"cniVersion": "9.0.0", "name": "n", "plugins": [{"type": "x"}]}, 1, "9.0.0"),
        ({"cniVersion": "1.0.0", "name": "", "plugins": []}, 7, "plugins"),
        ({"cniVersion": "1.0.0", "name": "n", "plugins": [{}]}, 7, "type"),
        (
            {"cniVersion": "1.1.0", "name": "n", "plugins": [{"type": "x"}], "loadOnlyInlinedPlugins": True},
            7,
            "loadOnly",
        ),
        ([], 6, "object"),
    ],
)
def test_bad_configurations_are_named(tmp_path: Path, data: Any, code: int, words: str) -> None:
    (tmp_path / "10.conflist").write_text(json.dumps(data))
    with pytest.raises(CniError, match=words) as failed:
        conflist.load(tmp_path)
    assert failed.value.code == code


def test_the_first_file_by_name_is_used_and_one_plugin_is_a_list(tmp_path: Path) -> None:
    with pytest.raises(CniError, match="no CNI configuration"):
        conflist.load(tmp_path)
    (tmp_path / "20.conflist").write_text("{}")
    (tmp_path / "10.conf").write_text('{"cniVersion": "0.4.0", "name": "n", "type": "ptp"}')
    loaded = conflist.load(tmp_path)
    assert [p["type"] for p in loaded["plugins"]] == ["ptp"] and loaded["name"] == "n"


def test_plugins_see_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    seen = execution.environment("ADD", AT, ("/a", "/b"))
    assert set(seen) == {
        "PATH",
        "CNI_COMMAND",
        "CNI_PATH",
        "CNI_CONTAINERID",
        "CNI_NETNS",
        "CNI_IFNAME",
        "CNI_ARGS",
    }
    assert seen["CNI_PATH"] == "/a:/b"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path / "state") as made:
        yield made


@pytest.mark.root
@pytest.mark.peer
def test_the_reference_plugins_make_a_network(lab: Lab, tmp_path: Path) -> None:
    if not Path("/usr/lib/cni/bridge").exists():
        pytest.skip("the reference plug-ins are not installed")
    conf = tmp_path / "conf"
    conf.mkdir()
    listed = {
        "cniVersion": "0.4.0",
        "name": "reference",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "ref0",
                "isDefaultGateway": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(tmp_path / "leases"),
                    "ranges": [[{"subnet": "10.70.0.0/24"}]],
                },
            }
        ],
    }
    (conf / "10.conflist").write_text(json.dumps(listed))
    config = network.Config(
        "ref", "ref0", tmp_path / "ref", (), (), conf_dir=conf, bin_dirs=("/usr/lib/cni",)
    )
    from sampan.base.netlink import netns

    attachments = [Attachment(name, lab.namespace(name)) for name in ("p", "q")]
    with netns.inside(lab.node):

        async def work() -> list[str]:
            net = network.open(config)
            found = [(await net.add(at)).ips[0].address.split("/")[0] for at in attachments]
            for at in attachments:
                await net.check(at)
            return found

        addresses = asyncio.run(work())
    for at, address in zip(attachments, addresses, strict=True):
        lab.servers.serve(at.netns, address, 80, at.container_id)
        lab.pods[at.container_id] = at
    assert lab.ask("p", addresses[1], 80) == f"q {addresses[0]}"
    assert lab.ask("node", addresses[0], 80).split()[0] == "p"
    with netns.inside(lab.node):

        async def undo() -> None:
            net = network.open(config)
            for at in attachments:
                await net.delete(at)
                await net.delete(at)

        asyncio.run(undo())
    assert not [p for p in (tmp_path / "leases" / "reference").iterdir() if p.name.startswith("10.")]
