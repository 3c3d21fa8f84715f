"""config.json from what is asked: a pure function, asked in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.base.linux import capabilities
from sampan.node.runtime import oci
from sampan.node.runtime.oci import Facts, HostDevice, Place
from sampan.node.runtime.users import User
from sampan.spec import cri
from sampan.spec.oci.image import ImageConfig, Platform

IMAGE = ImageConfig(
    Platform("linux", "amd64"),
    (),
    entrypoint=("/entry",),
    cmd=("default",),
    env=("A=image", "B=image"),
    working_dir="/srv",
)
FACTS = Facts("x86_64", capabilities.NAMES, 2, 0, (1024, 4096))
PLACE = Place(
    "/r", "/pods/c", {"net": "/n", "ipc": "/i", "uts": "/u", "pid": ""}, "/shm", "/resolv", "/hn", "box"
)
USER = User(5, 6, (6, 7), "/home/five", "five")
Security = cri.LinuxContainerSecurityContext


def made(
    security: Security = Security(),
    *,
    facts: Facts = FACTS,
    place: Place = PLACE,
    image: ImageConfig = IMAGE,
    mounts: list[Any] | None = None,
    devices: tuple[HostDevice, ...] = (),
    resources: cri.LinuxContainerResources = cri.LinuxContainerResources(),
    localhost: Any = None,
    **more: Any,
) -> dict[str, Any]:
    config = cri.ContainerConfig(
        cri.ContainerMetadata("c"),
        cri.ImageSpec("i"),
        linux=cri.LinuxContainerConfig(resources, security),
        **more,
    )
    return oci.oci_config(
        config, image, USER, place, facts, mounts=mounts or [], devices=devices, localhost_seccomp=localhost
    )


@pytest.mark.parametrize(
    ("command", "args", "expected"),
    [
        ((), (), ["/entry", "default"]),
        ((), ("x",), ["/entry", "x"]),
        (("sh",), (), ["sh"]),
        (("sh",), ("-c", "y"), ["sh", "-c", "y"]),
    ],
)
def test_command_and_arguments(command: Any, args: Any, expected: list[str]) -> None:
    assert made(command=command, args=args)["process"]["args"] == expected


def test_no_command_at_all_is_refused() -> None:
    with pytest.raises(cri.Error, match="'c' has no command") as caught:
        made(image=IMAGE._replace(entrypoint=(), cmd=()))
    assert caught.value.code == "InvalidArgument"


def test_environment() -> None:
    found = dict(
        entry.split("=", 1) for entry in made(envs=(cri.KeyValue("B", "own"),), tty=True)["process"]["env"]
    )
    assert found == {
        "PATH": oci.DEFAULT_PATH,
        "TERM": "xterm",
        "HOSTNAME": "box",
        "A": "image",
        "B": "own",
        "HOME": "/home/five",
    }


def test_process() -> None:
    found = made()["process"]
    assert found["user"] == {"uid": 5, "gid": 6, "additionalGids": [6, 7]} and found["cwd"] == "/srv"
    assert found["rlimits"] == [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}]
    assert found["capabilities"]["bounding"] == sorted(oci.DEFAULT_CAPABILITIES, key=capabilities.NAMES.index)
    assert "inheritable" not in found["capabilities"] and not found["noNewPrivileges"]
    assert made(working_dir="/w")["process"]["cwd"] == "/w"


def test_namespaces() -> None:
    found = {n["type"]: n.get("path") for n in made()["linux"]["namespaces"]}
    assert found == {"mount": None, "cgroup": None, "network": "/n", "ipc": "/i", "uts": "/u", "pid": None}
    host = made(place=PLACE._replace(namespaces={}), facts=FACTS._replace(cgroup_version=1))
    assert [n["type"] for n in host["linux"]["namespaces"]] == ["mount"]


def test_oom_score_is_not_lowered_without_the_right_to() -> None:
    wanted = cri.LinuxContainerResources(oom_score_adj=-998)
    assert made(resources=wanted)["process"]["oomScoreAdj"] == -998
    weak = FACTS._replace(can_lower_oom=False, oom_score_adj=10)
    assert made(resources=wanted, facts=weak)["process"]["oomScoreAdj"] == 10
    assert made(resources=wanted._replace(oom_score_adj=900), facts=weak)["process"]["oomScoreAdj"] == 900


def test_a_capability_that_we_lack_is_refused_but_all_is_what_there_is() -> None:
    weak = FACTS._replace(capabilities=tuple(n for n in capabilities.NAMES if n != "CAP_SYS_RESOURCE"))
    with pytest.raises(cri.Error, match="CAP_SYS_RESOURCE") as caught:
        made(Security(cri.Capability(("SYS_RESOURCE",))), facts=weak)
    assert caught.value.code == "FailedPrecondition"
    for security in (Security(cri.Capability(("ALL",))), Security(privileged=True)):
        assert made(security, facts=weak)["process"]["capabilities"]["bounding"] == list(weak.capabilities)


def test_ambient_capabilities() -> None:
    sets = made(Security(cri.Capability(("NET_ADMIN",), (), ("NET_ADMIN",))))["process"]["capabilities"]
    assert sets["ambient"] == sets["inheritable"] == ["CAP_NET_ADMIN"]


def test_privileged_is_not_confined() -> None:
    found = made(Security(privileged=True, seccomp=cri.SecurityProfile()))
    assert not {"seccomp", "maskedPaths", "readonlyPaths"} & found["linux"].keys()
    assert found["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    sys = next(mount for mount in found["mounts"] if mount["destination"] == "/sys")
    assert "rw" in sys["options"]


def test_paths() -> None:
    found = made()["linux"]
    assert found["maskedPaths"] == list(oci.MASKED_PATHS) and found["readonlyPaths"] == list(
        oci.READONLY_PATHS
    )
    open_ = made(Security(masked_paths=(), readonly_paths=("/x",)))["linux"]
    assert open_["maskedPaths"] == [] and open_["readonlyPaths"] == ["/x"]


def test_seccomp() -> None:
    assert "seccomp" not in made()["linux"]
    found = made(Security(seccomp=cri.SecurityProfile()))["linux"]["seccomp"]
    assert found["defaultAction"] == "SCMP_ACT_ERRNO" and found["architectures"][0] == "SCMP_ARCH_X86_64"
    assert {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38} in found["syscalls"]
    own = {"defaultAction": "SCMP_ACT_ALLOW"}
    local = cri.SecurityProfile(cri.ProfileType.Localhost, "/p")
    assert made(Security(seccomp=local), localhost=own)["linux"]["seccomp"] == own
    unconfined = cri.SecurityProfile(cri.ProfileType.Unconfined)
    assert "seccomp" not in made(Security(seccomp=unconfined))["linux"]


def test_apparmor() -> None:
    local = cri.SecurityProfile(cri.ProfileType.Localhost, "mine")
    with pytest.raises(cri.Error, match="'mine'"):
        made(Security(apparmor=local))
    assert (
        made(Security(apparmor=local), facts=FACTS._replace(apparmor=True))["process"]["apparmorProfile"]
        == "mine"
    )
    assert "apparmorProfile" not in made(Security(apparmor=cri.SecurityProfile()))["process"]


def test_mounts_replace_defaults_and_parents_come_first() -> None:
    own = [
        oci.bind_mount(cri.Mount("/data/deep/er", "/x")),
        oci.bind_mount(cri.Mount("/data", "/y", readonly=True)),
        oci.bind_mount(cri.Mount("/dev/shm/", "/mine")),
    ]
    found = made(mounts=own)["mounts"]
    targets = [mount["destination"] for mount in found]
    assert targets.index("/data") < targets.index("/data/deep/er")
    assert [mount["source"] for mount in found if mount["destination"].strip("/") == "dev/shm"] == ["/mine"]
    assert targets[0] == "/proc" and "/etc/resolv.conf" in targets and "/etc/hostname" in targets
    data = next(mount for mount in found if mount["destination"] == "/data")
    assert data["options"] == ["rbind", "rprivate", "ro"]


def test_the_images_own_mounts_come_before_all_others() -> None:
    layer = {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["ro"]}
    assert made(place=PLACE._replace(layers=(layer,)))["mounts"][0] == layer


def test_propagation_reaches_the_root() -> None:
    both = cri.Mount("/a", "/a", propagation=cri.MountPropagation.PROPAGATION_BIDIRECTIONAL)
    down = cri.Mount("/b", "/b", propagation=cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
    assert "rootfsPropagation" not in made()["linux"]
    assert made(mounts=[oci.bind_mount(down)])["linux"]["rootfsPropagation"] == "rslave"
    assert (
        made(mounts=[oci.bind_mount(down), oci.bind_mount(both)])["linux"]["rootfsPropagation"] == "rshared"
    )


def test_recursive_read_only() -> None:
    mount = cri.Mount("/a", "/a", readonly=True, recursive_read_only=True)
    assert oci.bind_mount(mount)["options"] == ["rbind", "rprivate", "rro", "ro"]
    with pytest.raises(cri.Error, match="recursive read-only"):
        oci.bind_mount(mount._replace(readonly=False))


def test_devices_and_their_rules() -> None:
    device = HostDevice("/dev/x", "c", 1, 3, 0o666, 0, 0, "rw")
    linux = made(devices=(device,))["linux"]
    assert linux["devices"][0]["path"] == "/dev/x" and linux["devices"][0]["major"] == 1
    assert linux["resources"]["devices"] == [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"},
    ]


def test_resources() -> None:
    wanted = cri.LinuxContainerResources(
        cpu_shares=2,
        cpu_quota=3,
        cpu_period=4,
        memory_limit_in_bytes=5,
        memory_swap_limit_in_bytes=6,
        cpuset_cpus="0",
        hugepage_limits=(("2MB", 7),),
        unified={"memory.high": "8"},
    )
    assert oci.resources(wanted) == {
        "cpu": {"shares": 2, "quota": 3, "period": 4, "cpus": "0"},
        "memory": {"limit": 5, "swap": 6},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 7}],
        "unified": {"memory.high": "8"},
    }
    assert oci.resources(cri.LinuxContainerResources()) == {}
