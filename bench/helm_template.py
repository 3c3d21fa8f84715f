"""Wall time of `helm template` from the shell: ours against the real helm 4.3, for a new chart and for harbour.

`python bench/helm_template.py [--rounds 15]`. Pairs: each round runs both, in turn, on the same core; shown are the
medians, the ratio of the medians, and the processor time of ours. The real helm comes from PyPI (tests/peers.py).
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import machine  # puts src and tests on the path

# isort: split
import peers

OURS = [sys.executable, "-m", "sampan.apps.helm.cli.main"]


class Took(NamedTuple):
    wall: float
    cpu: float


def run(words: list[str], environ: dict[str, str]) -> Took:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, env=environ, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def compare(chart: Path, real: Path, environ: dict[str, str], rounds: int) -> str:
    ours, theirs = [], []
    for _ in range(rounds + 1):
        ours.append(run([*OURS, "template", "web", str(chart)], environ))
        theirs.append(run([str(real), "template", "web", str(chart)], environ))
    own, other = (statistics.median(t.wall for t in each[1:]) for each in (ours, theirs))
    cpu = statistics.median(t.cpu for t in ours[1:])
    return (
        f"{chart.name:12} ours {own * 1000:6.0f} ms ({cpu * 1000:.0f} ms of processor)   "
        f"helm {other * 1000:6.0f} ms   ratio {own / other:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    real = peers.helm("4.3")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(machine.facts())
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "HOME": folder,
            "KUBECONFIG": f"{folder}/none",
            "PYTHONPATH": str(machine.ROOT / "src"),
        }
        created = Path(folder, "created")
        subprocess.run([*OURS, "create", str(created)], env=environ, stdout=subprocess.DEVNULL, check=True)
        for chart in (created, machine.ROOT / "examples/charts/harbour"):
            print(compare(chart, real, environ, rounds), flush=True)
        nothing = statistics.median(run([sys.executable, "-c", "pass"], environ).wall for _ in range(rounds))
        print(f"python -c pass: {nothing * 1000:.0f} ms")


if __name__ == "__main__":
    main()
