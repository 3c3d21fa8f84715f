"""What the scripts here share: the machine's facts on one line, one line for each figure, processes and their memory."""

from __future__ import annotations

import os
import platform
import socket
import statistics
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

TICK = 1 / os.sysconf("SC_CLK_TCK")


def facts() -> str:
    """Date, cores, memory, kernel, Python, and how busy the machine is already."""
    memory = next(
        line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{when}: {os.cpu_count()} cores, {int(memory.split()[1]) >> 20} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def report(what: str, value: float, unit: str, target: float | None = None, *, most: bool = True) -> None:
    """Prints a figure, and whether it keeps its target (`most`: at most the target, else at least)."""
    text = f"{what:58} {value:10,.1f} {unit}"
    if target is not None:
        kept = value <= target if most else value >= target
        text += f"   target {'<=' if most else '>='} {target:,g}: {'kept' if kept else 'MISSED'}"
    print(text, flush=True)


def spread(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return f"min {ordered[0]:,.1f}, p50 {statistics.median(ordered):,.1f}, p90 {ordered[int(len(ordered) * 0.9)]:,.1f}, max {ordered[-1]:,.1f}"


def below(roots: Iterable[int]) -> dict[int, str]:
    """Processes and all their descendants: process id to its command line."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    names = {}
    for pid in found:
        try:
            names[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
    return names


def pss(pid: int) -> float:
    """Proportional set size in MB (10^6 bytes): shared pages are divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def reserve(cluster: Any) -> str:
    """Marks a `clusters.Cluster` as this process's; the flag of an API port that others rarely take."""
    (cluster.home / "owner").write_text(str(os.getpid()))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"--api-port={probe.getsockname()[1]}"
