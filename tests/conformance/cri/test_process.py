"""What a container's process sees: command, environment, user, rights, files, limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.cri.field import Ours, Pods
from conformance.cri.test_lifecycle import fails
from sampan.node.runtime import oci
from sampan.spec import cri

pytestmark = pytest.mark.root
Security = cri.LinuxContainerSecurityContext


def test_exit_codes_and_reasons(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        for name, script, code, reason in (
            ("ok", "exit 0", 0, "Completed"),
            ("three", "exit 3", 3, "Error"),
            ("killed", "kill -9 $$", 137, "Error"),
        ):
            # The first process of a pid namespace cannot kill itself: a shell in between can.
            status, _ = await pods.run("sh", "-c", f"sh -c '{script}'; exit $?", pod=pod, name=name)
            assert (status.exit_code, status.reason) == (code, reason), name

    ours.run(scenario)


def test_a_command_that_is_not_there_fails_the_start(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        container = await pods.create(pod, "/no/such/program")
        error = await fails("Unknown", pods.rt.start_container(container))
        assert "/no/such/program" in error.message
        status = await pods.rt.container_status(container)
        assert (status.state, status.exit_code) == (cri.ContainerState.CONTAINER_EXITED, 128)
        assert status.reason == "StartError" and "/no/such/program" in status.message

    ours.run(scenario)


def test_stop_asks_first_and_kills_afterwards(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        polite = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"
        stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done"
        for name, script, code in (("polite", polite, 7), ("stubborn", stubborn, 137)):
            container = await pods.start(pod, "sh", "-c", script, name=name)
            session = await pods.rt.exec_sync(container, ("sh", "-c", "sleep 0.3"))
            assert session.exit_code == 0
            await pods.rt.stop_container(container, 0.5 if name == "stubborn" else 10)
            assert (await pods.rt.container_status(container)).exit_code == code
        quick = await pods.start(
            pod,
            "sh",
            "-c",
            "trap 'exit 9' USR1; while :; do sleep 0.05; done",
            name="usr",
            stop_signal="SIGUSR1",
        )
        await pods.rt.exec_sync(quick, ("sleep", "0.3"))
        await pods.rt.stop_container(quick, 10)
        assert (await pods.rt.container_status(quick)).exit_code == 9

    ours.run(scenario)


def test_environment_and_folder(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        said = await pods.sh(
            'echo "$A|$HOSTNAME|$HOME|$PWD"; cat /etc/hostname; hostname',
            pod=await pods.pod("box"),
            envs=(cri.KeyValue("A", "b c=d"),),
            working_dir="/made/up",
        )
        assert said.splitlines() == ["b c=d|box|/root|/made/up", "box", "box"]

    ours.run(scenario)


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        (Security(), "0 0 0"),
        (Security(run_as_user=1000), "1000 1000 1000"),
        (Security(run_as_user=4242), "4242 0 0"),
        (Security(run_as_user=4242, run_as_group=7, supplemental_groups=(9, 8)), "4242 7 7 9 8"),
        (Security(run_as_username="nobody"), "65534 65534 65534"),
    ],
)
def test_user_and_groups(ours: Ours, security: Security, expected: str) -> None:
    async def scenario(pods: Pods) -> None:
        said = await pods.sh("echo $(id -u) $(id -g) $(id -G)", security=security)
        uid, gid, *groups = said.split()
        want_uid, want_gid, *want_groups = expected.split()
        assert (uid, gid, sorted(groups)) == (want_uid, want_gid, sorted(want_groups))

    ours.run(scenario)


def test_a_user_that_the_image_lacks_is_refused(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        error = await fails(
            "InvalidArgument", pods.create(pod, "true", security=Security(run_as_username="ghost"))
        )
        assert "ghost" in error.message
        assert await pods.rt.list_containers() == []

    ours.run(scenario)


def bounding(said: str) -> set[str]:
    from sampan.base.linux.capabilities import names

    match = re.search(r"CapBnd:\s*([0-9a-f]+)", said)
    assert match, said
    return set(names(int(match[1], 16)))


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (None, set(oci.DEFAULT_CAPABILITIES)),
        (cri.Capability(drop_capabilities=("ALL",)), set()),
        (cri.Capability(("NET_ADMIN",), ("ALL",)), {"CAP_NET_ADMIN"}),
        (
            cri.Capability(("cap_sys_time",), ("MKNOD",)),
            {*oci.DEFAULT_CAPABILITIES, "CAP_SYS_TIME"} - {"CAP_MKNOD"},
        ),
    ],
)
def test_capabilities(ours: Ours, capabilities: Any, expected: set[str]) -> None:
    async def scenario(pods: Pods) -> None:
        said = await pods.sh("grep Cap /proc/self/status", security=Security(capabilities=capabilities))
        assert bounding(said) == expected

    ours.run(scenario)


def test_a_capability_that_linux_lacks_is_refused(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        security = Security(capabilities=cri.Capability(("FLY",)))
        assert "FLY" in (await fails("InvalidArgument", pods.create(pod, "true", security=security))).message

    ours.run(scenario)


def test_privileged_gets_what_there_is(ours: Ours) -> None:
    from sampan.base.linux.capabilities import held

    async def scenario(pods: Pods) -> None:
        said = await pods.sh(
            "grep Cap /proc/self/status; echo x > /sys/kernel/mm/ksm/run 2>/dev/null; mount -t tmpfs none /tmp && ls /dev | wc -l",
            security=Security(privileged=True),
        )
        assert bounding(said) == set(held())
        assert int(said.split()[-1]) > 15

    ours.run(scenario)


def test_seccomp_and_no_new_privileges(ours: Ours) -> None:
    script = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | tr -s '\\t ' ' '; unshare -U true 2>&1; :"

    async def scenario(pods: Pods) -> None:
        default = Security(seccomp=cri.SecurityProfile(), no_new_privs=True)
        said = await pods.sh(script, security=default)
        assert "Seccomp: 2" in said and "NoNewPrivs: 1" in said and "Operation not permitted" in said
        said = await pods.sh(script, security=Security())
        assert "Seccomp: 0" in said and "NoNewPrivs: 0" in said and "not permitted" not in said

    ours.run(scenario)


def test_a_seccomp_profile_from_a_file(ours: Ours, tmp_path: Path) -> None:
    profile = tmp_path / "no-mkdir.json"
    profile.write_text(
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
    )

    async def scenario(pods: Pods) -> None:
        wanted = cri.SecurityProfile(cri.ProfileType.Localhost, str(profile))
        said = await pods.sh("mkdir /tmp/x 2>&1; :", security=Security(seccomp=wanted))
        assert "not permitted" in said
        pod = await pods.pod(network=2)
        gone = cri.SecurityProfile(cri.ProfileType.Localhost, "/no/profile.json")
        await fails("InvalidArgument", pods.create(pod, "true", security=Security(seccomp=gone)))

    ours.run(scenario)


def test_masked_and_read_only_paths(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        said = await pods.sh(
            "cat /proc/interrupts | wc -c; (echo 1 > /proc/sys/kernel/panic) 2>&1; ls /sys/firmware | wc -l"
        )
        assert said.split()[0] == "0" and "Read-only" in said and said.split()[-1] == "0"

    ours.run(scenario)


def test_the_root_may_be_read_only(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        said = await pods.sh("echo x > /tmp/f && cat /tmp/f; (echo x > /usr/f) 2>&1; :")
        assert said.startswith("x\n") and "Read-only" in said
        said = await pods.sh("(echo x > /tmp/f) 2>&1; :", security=Security(readonly_rootfs=True))
        assert "Read-only" in said

    ours.run(scenario)


def test_mounts(ours: Ours, tmp_path: Path) -> None:
    async def scenario(pods: Pods) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data/in").write_text("from outside")
        said = await pods.sh(
            "cat /data/in; echo; echo back > /data/out; (echo x > /fixed/out) 2>&1; cat /etc/one; ls /late",
            mounts=(
                cri.Mount("/data", str(tmp_path / "data")),
                cri.Mount("/fixed", str(tmp_path / "data"), readonly=True),
                cri.Mount("/etc/one", str(tmp_path / "data/in"), readonly=True),
                cri.Mount("/late/below", str(tmp_path / "made")),
            ),
        )
        assert "from outside\n" in said and "Read-only" in said and said.endswith("below\n")
        assert (tmp_path / "data/out").read_text() == "back\n"
        assert (tmp_path / "made").is_dir()

    ours.run(scenario)


def test_a_bidirectional_mount_needs_a_shared_one(ours: Ours, tmp_path: Path) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        mount = cri.Mount("/x", "/proc", propagation=cri.MountPropagation.PROPAGATION_BIDIRECTIONAL)
        error = await fails("FailedPrecondition", pods.create(pod, "true", mounts=(mount,)))
        assert "shared" in error.message

    ours.run(scenario)


def test_devices(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        device = cri.Device("/dev/mine", "/dev/null", "rw")
        said = await pods.sh("echo x > /dev/mine; ls -l /dev/mine; ls /dev", devices=(device,))
        assert "1, 3" in said and "urandom" in said
        pod = await pods.pod(network=2)
        await fails(
            "InvalidArgument", pods.create(pod, "true", devices=(cri.Device("/dev/x", "/etc/passwd"),))
        )

    ours.run(scenario)


def test_memory_limit_and_out_of_memory(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        limit = cri.LinuxContainerResources(
            memory_limit_in_bytes=32 << 20, memory_swap_limit_in_bytes=32 << 20
        )
        status, _ = await pods.run("python3", "-c", "x = bytearray(200 << 20)", resources=limit)
        assert (status.exit_code, status.reason) == (137, "OOMKilled")
        assert status.resources is not None and status.resources.memory_limit_in_bytes == 32 << 20

    ours.run(scenario)


def test_cpu_and_memory_values_and_their_change(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        wanted = cri.LinuxContainerResources(
            cpu_shares=512, cpu_quota=20000, cpu_period=100000, memory_limit_in_bytes=64 << 20
        )
        container = await pods.start(pod, "sleep", "1000", resources=wanted)
        cgroup = f"{ours.config.cgroups}/kubepods/pod{pod[1].metadata.name}/{container}"

        def read(controller: str, file: str) -> str:
            return Path(f"/sys/fs/cgroup/{controller}{cgroup}/{file}").read_text().strip()

        if not Path("/sys/fs/cgroup/cpu").exists():
            pytest.skip("the values of cgroup v2 have other files")
        assert read("cpu", "cpu.shares") == "512"
        assert read("cpu", "cpu.cfs_quota_us") == "20000"
        assert read("memory", "memory.limit_in_bytes") == str(64 << 20)
        await pods.rt.update_container_resources(container, cri.LinuxContainerResources(cpu_quota=40000))
        assert read("cpu", "cpu.cfs_quota_us") == "40000" and read("cpu", "cpu.shares") == "512"
        status = await pods.rt.container_status(container)
        assert status.resources == wanted._replace(cpu_quota=40000)
        stats = await pods.rt.container_stats(container)
        assert stats.cpu.usage_core_nano_seconds > 0 and 0 < stats.memory.working_set_bytes < 64 << 20
        assert stats.memory.available_bytes <= 64 << 20
        whole = await pods.rt.pod_sandbox_stats(pod[0])
        assert whole.process_count == 1 and [c.attributes.id for c in whole.containers] == [container]
        info = await pods.rt.images.image_fs_info()
        assert info.container_filesystems[0].inodes_used > 0

    ours.run(scenario)


def test_the_host_image_shows_programs_and_nothing_else(ours: Ours) -> None:
    import sys

    async def scenario(pods: Pods) -> None:
        said = await pods.sh(
            "python3 -c 'import sys; print(sys.prefix)'; ls -A /root /home /var /srv /mnt 2>&1 | sort | uniq;"
            " touch /usr/x 2>&1; mount | grep ' /usr ' | head -1",
            security=Security(run_as_user=1000),
        )
        lines = said.splitlines()
        assert lines[0] == sys.prefix
        assert "Read-only" in said and "nosuid" in said and "nodev" in said
        assert Path("/root").exists() and ".ssh" not in said and ".bashrc" not in said

    ours.run(scenario)


def test_a_container_gets_no_descriptor_of_ours(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        for number, terminal in enumerate((True, False)):
            await pods.start(pod, "sleep", "1000", name=f"n{number}", tty=terminal, stdin=True)
            await pods.rt.attach((await pods.rt.list_containers())[number].id, stdin=True, tty=terminal)
        last = await pods.start(pod, "sh", "-c", "ls /proc/self/fd; sleep 1000", name="last")
        inside = (await pods.rt.exec_sync(last, ("ls", "/proc/1/fd"))).stdout.split()
        assert inside == [b"0", b"1", b"2"]
        # The fourth is the folder that ls itself reads.
        assert (await pods.rt.exec_sync(last, ("ls", "/proc/self/fd"))).stdout.split() == [
            b"0",
            b"1",
            b"2",
            b"3",
        ]

    ours.run(scenario)
