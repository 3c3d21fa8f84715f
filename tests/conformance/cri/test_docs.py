"""The example of docs/runtime.md, run as it stands but for its folders."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.cri.field import Ours

ROOT = Path(__file__).parents[3]


@pytest.mark.root
def test_the_example_runs_and_leaves_nothing(ours: Ours, tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs/runtime.md").read_text(), re.DOTALL)
    assert found
    code = (
        found[1]
        .replace("/var/lib/sampan/demo", str(tmp_path / "demo"))
        .replace("/run/sampan/demo/node", str(ours.config.run))
    )
    code = code.replace('"demo")', f'"{ours.config.cluster}")')
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/sbin:/usr/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.stdout, ran.returncode) == ("uid=0(root) gid=0(root) groups=0(root)\n", 0), ran.stderr
    assert not ours.leftovers()
