"""The tiers of pyproject.toml hold, and the linter that checks them is seen to fail."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from guards.tree import ROOT

LINT = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command; lint_imports_command()",
    "--no-cache",
]


def test_tiers_hold() -> None:
    done = subprocess.run(
        LINT,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_fails_when_a_lower_tier_imports_a_higher_one(tmp_path: Path) -> None:
    room = tmp_path / "boat"
    for tier in ("deck", "keel"):
        (room / tier).mkdir(parents=True)
        (room / tier / "__init__.py").write_text("")
    (room / "__init__.py").write_text("")
    (room / "keel" / "plank.py").write_text("from boat.deck import sail\n")
    (room / "deck" / "sail.py").write_text("")
    (tmp_path / ".importlinter").write_text(
        textwrap.dedent("""\
            [importlinter]
            root_package = boat

            [importlinter:contract:tiers]
            name = tiers
            type = layers
            layers =
                boat.deck
                boat.keel
            """)
    )
    done = subprocess.run(LINT, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "boat.keel" in done.stdout
