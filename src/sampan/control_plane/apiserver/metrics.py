"""The API server's metrics under upstream's names, in Prometheus' text format.

k8s.io/apiserver pkg/endpoints/metrics/metrics.go; prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import bisect
import os
import resource
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

BUCKETS: Final = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
)  # fmt: skip
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _labelled(names: Labels, values: Iterable[str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}" if pairs else ""


class Counter:
    def __init__(self, name: str, text: str, labels: Labels) -> None:
        self.name, self.text, self.labels = name, text, labels
        self.values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1.0) -> None:
        self.values[labels] = self.values.get(labels, 0.0) + amount

    def lines(self) -> Iterable[str]:
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} counter"
        for labels, value in sorted(self.values.items()):
            yield f"{self.name}{_labelled(self.labels, labels)} {value:g}"


class Gauge:
    """Read when it is asked for."""

    def __init__(
        self, name: str, text: str, labels: Labels, read: Callable[[], Iterable[tuple[Labels, float]]]
    ) -> None:
        self.name, self.text, self.labels, self.read = name, text, labels, read

    def lines(self) -> Iterable[str]:
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} gauge"
        for labels, value in self.read():
            yield f"{self.name}{_labelled(self.labels, labels)} {value:g}"


class Histogram:
    def __init__(self, name: str, text: str, labels: Labels, buckets: tuple[float, ...] = BUCKETS) -> None:
        self.name, self.text, self.labels, self.buckets = name, text, labels, buckets
        self.values: dict[Labels, list[float]] = {}  # per bucket a count, then the sum

    def observe(self, labels: Labels, value: float) -> None:
        counts = self.values.get(labels)
        if counts is None:
            counts = self.values[labels] = [0.0] * (len(self.buckets) + 2)
        counts[bisect.bisect_left(self.buckets, value)] += 1
        counts[-1] += value

    def lines(self) -> Iterable[str]:
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} histogram"
        names = (*self.labels, "le")
        for labels, counts in sorted(self.values.items()):
            total = 0.0
            for bound, count in zip((*map(str, self.buckets), "+Inf"), counts[:-1], strict=True):
                total += count
                yield f"{self.name}_bucket{_labelled(names, (*labels, bound))} {total:g}"
            yield f"{self.name}_sum{_labelled(self.labels, labels)} {counts[-1]:g}"
            yield f"{self.name}_count{_labelled(self.labels, labels)} {total:g}"


M = TypeVar("M", Counter, Gauge, Histogram)


class Registry:
    """Names are given once; a second owner is an error."""

    def __init__(self) -> None:
        self._metrics: dict[str, Counter | Gauge | Histogram] = {}

    def counter(self, name: str, text: str, labels: Labels = ()) -> Counter:
        return self._add(Counter(name, text, labels))

    def histogram(self, name: str, text: str, labels: Labels = ()) -> Histogram:
        return self._add(Histogram(name, text, labels))

    def gauge(
        self, name: str, text: str, labels: Labels, read: Callable[[], Iterable[tuple[Labels, float]]]
    ) -> Gauge:
        return self._add(Gauge(name, text, labels, read))

    def _add(self, metric: M) -> M:
        if metric.name in self._metrics:
            raise ValueError(f"metric {metric.name!r} exists already")
        self._metrics[metric.name] = metric
        return metric

    def text(self) -> str:
        return "\n".join(line for metric in self._metrics.values() for line in metric.lines()) + "\n"


def process_gauges(registry: Registry) -> None:
    """What every process tells of itself."""
    started = time.time()
    page = os.sysconf("SC_PAGE_SIZE")

    def memory() -> Iterable[tuple[Labels, float]]:
        try:
            with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one read of a kernel file
                yield (), float(file.read().split()[1]) * page
        except OSError:
            yield (), float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024

    registry.gauge("process_start_time_seconds", "Start time of the process.", (), lambda: [((), started)])
    registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", (), memory)
    registry.gauge(
        "process_cpu_seconds_total",
        "Total user and system CPU time spent in seconds.",
        (),
        lambda: [((), time.process_time())],
    )
