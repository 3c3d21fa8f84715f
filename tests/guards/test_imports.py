"""An import budget per command: what a command must not load, and how many modules it may.

Counts and names instead of times, so that a busy machine fails nothing. Start-up is a feature: `sampan version` is typed
by people and called by scripts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from guards.tree import ROOT

HEAVY = {
    "asyncio",
    "ssl",
    "grpc",
    "cryptography",
    "yaml",
    "argparse",
    "logging",
    "http.client",
    "urllib.request",
    "uvloop",
}

HELM = "from sampan.apps.helm.cli.main import main; main"
CHART = "examples/charts/harbour"
CHARTS = {"yaml", "logging"}
"""What reads charts needs a YAML parser, and tells by logging what it passes over."""

BUDGETS: dict[str, tuple[str, int, set[str]]] = {
    # command: (statement, most modules beyond a bare interpreter, heavy modules that it may load)
    "version": ("from sampan.cli.main import main; main(['version'])", 25, set()),
    "help": ("from sampan.cli.main import main; main(['up', '--help'])", 55, set()),
    "helm version": (f"{HELM}(['version'])", 60, set()),
    "helm template": (f"{HELM}(['template', '{CHART}'])", 200, CHARTS),
    "helm lint": (f"{HELM}(['lint', '{CHART}'])", 205, CHARTS),
    "helm show": (f"{HELM}(['show', 'all', '{CHART}'])", 185, CHARTS),
    "helm package": (f"{HELM}(['package', '{CHART}', '-d', '{{out}}'])", 190, CHARTS),
    "helm create": (f"{HELM}(['create', '{{out}}/made'])", 190, CHARTS),
    "completion": ("from sampan.cli.main import main; main(['completion', 'bash'])", 75, set()),
}

PROBE = """
import sys
before = set(sys.modules)
{statement}
after = sorted(set(sys.modules) - before)
import json
print('\\n@@' + json.dumps(after))
"""


def loaded(statement: str) -> set[str]:
    """Modules that a statement loads in a fresh interpreter, without what site brings along."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROBE.format(statement=statement)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{sysconfig.get_path('purelib')}"},
        cwd=ROOT,
    )
    return set(json.loads(done.stdout.rpartition("@@")[2]))


def over_budget(modules: set[str], most: int, allowed: set[str]) -> list[str]:
    found = [f"loads {name}" for name in sorted(modules & (HEAVY - allowed))]
    if len(modules) > most:
        found.append(f"loads {len(modules)} modules, at most {most}")
    return found


@pytest.mark.parametrize("command", sorted(BUDGETS))
def test_a_command_stays_within_its_budget(command: str, tmp_path: Path) -> None:
    statement, most, allowed = BUDGETS[command]
    assert over_budget(loaded(statement.replace("{out}", str(tmp_path))), most, allowed) == []


def test_the_guard_fails_on_a_heavy_import() -> None:
    modules = loaded("import asyncio")
    assert "loads asyncio" in over_budget(modules, 1000, set())
    assert any(text.startswith(f"loads {len(modules)} modules") for text in over_budget(modules, 3, HEAVY))
