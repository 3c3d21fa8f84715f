from __future__ import annotations

import errno

import pytest

from sampan.base.linux import seccomp


def allowed(capabilities: tuple[str, ...], machine: str = "x86_64") -> set[str]:
    return {
        n
        for rule in seccomp.rules(capabilities, machine)
        if not rule.errno and not rule.args
        for n in rule.names
    }


def test_ordinary_programs_may_run_and_the_kernel_is_out_of_reach() -> None:
    found = allowed(())
    assert {"read", "execve", "futex", "ptrace", "arch_prctl"} <= found
    assert not found & {
        "mount",
        "unshare",
        "setns",
        "bpf",
        "kexec_load",
        "init_module",
        "clone",
        "keyctl",
        "reboot",
    }


def test_each_capability_brings_its_calls() -> None:
    assert {"mount", "unshare", "clone", "clone3"} <= allowed(("CAP_SYS_ADMIN",))
    assert "reboot" in allowed(("CAP_SYS_BOOT",)) and "chroot" in allowed(("CAP_SYS_CHROOT",))


def test_clone_may_make_no_namespace_and_clone3_does_not_exist() -> None:
    rules = seccomp.rules((), "x86_64")
    clone = next(rule for rule in rules if rule.names == ("clone",))
    assert clone.args == (seccomp.Arg(0, 0x7E020000, "MASKED_EQ"),)
    assert next(rule for rule in rules if rule.names == ("clone3",)).errno == errno.ENOSYS
    other = next(rule for rule in seccomp.rules((), "s390x") if rule.names == ("clone",))
    assert other.args[0].position == 1


def test_a_machine_without_a_table_is_named() -> None:
    with pytest.raises(ValueError, match="'sparc'"):
        seccomp.rules((), "sparc")
