"""The documents are true as far as a machine can tell: links lead somewhere, commands are ones that the program takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from guards.tree import ROOT
from sampan.apps.helm.cli.commands import ROOT as HELM
from sampan.base.command.model import UsageError
from sampan.base.command.parse import parse
from sampan.cli.commands import ROOT as SAMPAN

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"```(?:console|sh|bash|shell)\n(.*?)```", re.DOTALL)


def pages() -> dict[str, str]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in found}


def dead_links(documents: dict[str, str], root: Path) -> list[str]:
    found = []
    for path, text in documents.items():
        for target in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            if (
                not target.startswith(("http://", "https://", "mailto:"))
                and not (root / path).parent.joinpath(target).exists()
            ):
                found.append(f"{path}: {target}")
    return found


def commands(text: str) -> list[str]:
    """The lines of console blocks that call sampan, without prompts, comments and what follows a pipe."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("$ ").removeprefix("sudo ")
            for part in re.split(r"\s+(?:\||&&|;|>|<)\s*", line):
                if part.startswith("sampan "):
                    found.append(part)
    return found


def refused(documents: dict[str, str]) -> list[str]:
    found = []
    for path, text in documents.items():
        for line in commands(text):
            words = shlex.split(line, comments=True)[1:]
            if "..." in words or "…" in words or any(w.startswith("$") for w in words):
                continue
            root, words = (HELM, words[1:]) if words[:1] == ["helm"] else (SAMPAN, words)
            try:
                parse(root, words)
            except UsageError as error:
                found.append(f"{path}: {line}: {str(error).splitlines()[0]}")
    return found


def test_links_lead_somewhere() -> None:
    assert dead_links(pages(), ROOT) == []


def test_commands_are_ones_that_the_program_takes() -> None:
    assert refused(pages()) == []


def test_the_guards_fail_on_a_dead_link_and_a_wrong_command(tmp_path: Path) -> None:
    assert dead_links({"a.md": "see [b](b.md) and [c](https://example.com)"}, tmp_path) == ["a.md: b.md"]
    wrong = {"a.md": "```console\n$ sampan up --sails  # fast\nsampan status -o json | jq .\n```\n"}
    assert refused(wrong) == ["a.md: sampan up --sails  # fast: unknown flag: --sails"]
