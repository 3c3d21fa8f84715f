"""What one may ask of a control group, whichever version the kernel speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Limits(NamedTuple):
    """None leaves a value as it is. Bytes and microseconds; -1 means no limit for quota, memory and pids.

    `cpu_shares` is v1's weight (2 to 262144). `memory_swap` counts memory plus swap, as v1 does.
    `unified` holds files of v2 by name; v1 ignores them, as the OCI runtime specification wants.
    """

    cpu_shares: int | None = None
    cpu_quota: int | None = None
    cpu_period: int | None = None
    memory: int | None = None
    memory_swap: int | None = None
    pids: int | None = None
    cpuset_cpus: str | None = None
    cpuset_mems: str | None = None
    unified: Mapping[str, str] = {}


class Memory(NamedTuple):
    """Bytes. `inactive_file` is page cache that can go first: usage less it is the working set. limit -1: none."""

    usage: int
    inactive_file: int
    rss: int
    page_faults: int
    major_page_faults: int
    limit: int = -1


class Hierarchy(Protocol):
    """The control groups of the machine. What is not there: FileNotFoundError, but see remove and kill."""

    version: int

    def create(self, path: str, limits: Limits) -> None:
        """Makes the group and its parents where missing, then sets `limits`."""

    def update(self, path: str, limits: Limits) -> None: ...

    def remove(self, path: str) -> bool:
        """Removes the group and those below it. False when processes are still inside; gone already is fine."""

    def procs(self, path: str) -> list[int]:
        """Of the group and those below it; [] when it is gone."""

    def kill(self, path: str) -> None:
        """SIGKILL to all of them, those forked meanwhile included."""

    def cpu(self, path: str) -> int:
        """Nanoseconds used so far."""

    def memory(self, path: str) -> Memory: ...

    def pids(self, path: str) -> int: ...

    def oom_file(self, path: str) -> str:
        """The file whose line `oom_kill N` counts processes that the kernel killed for memory."""


def oom_kills(text: str) -> int:
    """The counter in the text of an oom_file."""
    for line in text.splitlines():
        if line.startswith("oom_kill "):
            return int(line[9:])
    return 0


def fields(text: str) -> dict[str, int]:
    """`name number` lines, as memory.stat and cpu.stat have them."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.isdigit():
            found[name] = int(value)
    return found
