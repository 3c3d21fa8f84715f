from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from sampan.node.runtime import codec, state
from sampan.node.runtime.config import Config
from sampan.node.runtime.state import Container, Exit, Sandbox
from sampan.spec import cni, cri

POD = cri.PodSandboxConfig(
    cri.PodSandboxMetadata("web", "u", "ns", 2),
    dns_config=cri.DNSConfig(("10.0.0.1",), options=("ndots:5",)),
    port_mappings=(cri.PortMapping(cri.Protocol.SCTP, 1, 2, "::1"), cri.PortMapping(container_port=3)),
    labels={"a": "b"},
    linux=cri.LinuxPodSandboxConfig(
        "/x",
        cri.LinuxSandboxSecurityContext(
            cri.NamespaceOption(cri.NamespaceMode.NODE), seccomp=cri.SecurityProfile()
        ),
        {"net.x": "1"},
    ),
)
CONTAINER = cri.ContainerConfig(
    cri.ContainerMetadata("c"),
    cri.ImageSpec("i"),
    ("sh",),
    envs=(cri.KeyValue("A", "b"),),
    mounts=(cri.Mount("/a", image=cri.ImageSpec("x")),),
    linux=cri.LinuxContainerConfig(
        cri.LinuxContainerResources(hugepage_limits=(("2MB", 1),)),
        cri.LinuxContainerSecurityContext(cri.Capability(("A",)), run_as_user=0, masked_paths=()),
    ),
)


def test_state_files_are_read_as_written(tmp_path: Path) -> None:
    config = Config(tmp_path, tmp_path / "run")
    for folder in config.folders():
        folder.mkdir(parents=True)
    sandbox = Sandbox("s", POD, 5, "boot", ips=("10.0.0.2",), attached=True)
    container = Container(
        "c",
        "s",
        CONTAINER,
        "id",
        "ref",
        "/log",
        6,
        "boot",
        "/cg",
        cri.LinuxContainerUser(1, 2, (3,)),
        exit=Exit(9, oom=True),
    )
    state.save(config.sandbox_file("s"), sandbox)
    state.save(config.container_file("c"), container)
    assert state.load_sandboxes(config) == [sandbox] and state.load_containers(config) == [container]
    assert state.load_sandboxes(config)[0].config.port_mappings[0].protocol is cri.Protocol.SCTP
    assert sorted(p.name for p in (tmp_path / "containers").iterdir()) == ["c.json"]


def test_defaults_are_not_written_and_strange_fields_not_read() -> None:
    assert codec.to_json(cri.PodSandboxMetadata("a", "b", "c")) == {"name": "a", "uid": "b", "namespace": "c"}
    data = {"name": "a", "uid": "b", "namespace": "c", "later": 1}
    assert codec.from_json(cri.PodSandboxMetadata, data) == cri.PodSandboxMetadata("a", "b", "c")
    with pytest.raises(ValueError, match="expected int"):
        codec.from_json(cri.PodSandboxMetadata, {**data, "attempt": "x"})


def test_the_exit_file(tmp_path: Path) -> None:
    assert state.load_exit(tmp_path / "exit") is None
    (tmp_path / "exit").write_bytes(
        orjson.dumps({"code": 3, "signal": 0, "oom": False, "at": 7, "known": True})
    )
    assert state.load_exit(tmp_path / "exit") == Exit(3, at=7)


def test_the_network_is_asked_in_its_own_words() -> None:
    found = state.attachment(Sandbox("s", POD, 5, "boot"), Path("/n"))
    assert found.netns == "/n" and found.args["K8S_POD_INFRA_CONTAINER_ID"] == "s"
    assert found.port_mappings == (cni.PortMapping(2, 1, "sctp", "::1"),)


def test_layout_version(tmp_path: Path) -> None:
    config = Config(tmp_path, tmp_path)
    state.check_version(config)
    state.check_version(config)
    assert config.cgroups == "/sampan-default" and config._replace(cgroup_root="/x").cgroups == "/x"
