"""Linux capabilities by name and number (linux/capability.h) and the sets of a process."""

from __future__ import annotations

from pathlib import Path

# In the order of their numbers, 0 to 40.
NAMES: tuple[str, ...] = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)


def normalise(name: str) -> str:
    """`net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are one. Raises ValueError for a name Linux does not have."""
    upper = name.upper()
    if not upper.startswith("CAP_"):
        upper = "CAP_" + upper
    if upper not in NAMES:
        raise ValueError(f"unknown capability {name!r}")
    return upper


def names(mask: int) -> tuple[str, ...]:
    """The names of a bit mask, in the order of their numbers."""
    return tuple(name for number, name in enumerate(NAMES) if mask >> number & 1)


def held(field: str = "CapEff", status: str = "/proc/self/status") -> tuple[str, ...]:
    """A set of a process: CapInh, CapPrm, CapEff, CapBnd or CapAmb."""
    for line in Path(status).read_text().splitlines():
        if line.startswith(field + ":"):
            return names(int(line.split()[1], 16))
    return ()
