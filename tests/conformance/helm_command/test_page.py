"""The examples of docs/helm.md do what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from conformance.helm_command import driving

PAGE = Path(__file__).parents[3] / "docs/helm.md"
BLOCK = re.compile(r"<!-- runs -->\n```console\n(.*?)```", re.DOTALL)


def examples(text: str) -> list[tuple[str, str]]:
    """Command lines and what they print, of the blocks that run."""
    found = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            found.append((line, shown))
    return found


def fits(shown: str, printed: str) -> bool:
    """`...` in the page stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("..."))), printed, re.DOTALL) is not None


def test_examples_run_as_shown(tmp_path: Path) -> None:
    listed = examples(PAGE.read_text())
    assert len(listed) >= 5
    for line, shown in listed:
        program, verb, *words = shlex.split(line)
        assert (program, verb) == ("sampan", "helm"), line
        code, out, err = driving.ours(words, driving.environment(tmp_path), tmp_path)
        assert fits(shown, out + err), f"{line}\nprints\n{out}{err}"
        assert code == int("Error:" in shown), line


def test_the_check_can_fail() -> None:
    assert examples("<!-- runs -->\n```console\n$ a b\nx\n$ c\n```\n") == [("a b", "x\n"), ("c", "")]
    assert examples("```console\n$ a b\n```\n") == []
    assert fits("a ... b\n", "a lot of b\n")
    assert not fits("a\n", "a\nb\n")
