"""Command lines, run by the real helm and by ours in one folder, with what they print, return and write.

`invocations.txt` holds them, `fixture/` the folder, `golden/VERSION.json` what the real helm of that version did
(`python driving.py HELM VERSION` writes it).
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
FIXTURE = HERE / "fixture"
PLACE = Path(tempfile.gettempdir()) / "sampan-helm-command"
"""Both run in a folder of one name, so that paths in messages are equal."""


Caller = Callable[[list[str], dict[str, str], Path], tuple[int, str, str]]


class Done(NamedTuple):
    code: int
    out: str
    err: str
    files: dict[str, str]
    """What was written: text, or the member names of an archive."""


def invocations() -> list[str]:
    lines = (HERE / "invocations.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _parts(line: str) -> tuple[dict[str, str], list[str]]:
    words = shlex.split(line)
    environ = {}
    while words and re.match(r"[A-Z_]+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        environ[name] = value
    return environ, words


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder / "home"),
        "TZ": "UTC",
        "KUBECONFIG": str(folder / "home/no-kubeconfig"),
        "HELM_DRIVER": "memory",
        "HELM_MEMORY_DRIVER_DATA": "releases.yaml",
        "HELM_NO_PLUGINS": "1",
    }


def run(line: str, call: Caller, place: Path = PLACE) -> Done:
    """One invocation in a copy of the fixture, which is made anew after those that write."""
    extra, words = _parts(line)
    writes = words[0] in ("create", "package") or "--output-dir" in words
    if writes or not place.exists():
        _renew(place)
    before = _files(place) if writes else {}
    code, out, err = call(
        [word.replace("$DIR", str(place)) for word in words], {**environment(place), **extra}, place
    )
    written = {
        name: text for name, text in (_files(place) if writes else {}).items() if before.get(name) != text
    }
    if writes:
        _renew(place)
    if words[0] == "create":  # the starter's texts are our own
        written = dict.fromkeys(written, "")
    return Done(code, out, err, written)


def _renew(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(FIXTURE, place)


def _files(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.startswith("home") or path.is_dir():
            continue
        found[name] = _members(path) if name.endswith(".tgz") else path.read_text()
    return found


def _members(path: Path) -> str:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(path.read_bytes()))) as archive:
        return "\n".join(sorted(member.name for member in archive))


def real(helm: Path) -> Caller:
    def call(words: list[str], environ: dict[str, str], folder: Path) -> tuple[int, str, str]:
        done = subprocess.run(
            [helm, *words], env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return call


def ours(words: list[str], environ: dict[str, str], folder: Path) -> tuple[int, str, str]:
    """In this process, so that hundreds of them take seconds."""
    from sampan.apps.helm.cli.main import main

    saved, where = dict(os.environ), Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    finally:
        os.chdir(where)
        os.environ.clear()
        os.environ.update(saved)
    return code, out.getvalue(), err.getvalue()


if __name__ == "__main__":
    program, version = sys.argv[1:3]
    recorded = {line: run(line, real(Path(program)))._asdict() for line in invocations()}
    target = HERE / "golden" / f"{version}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
    print(f"{len(recorded)} invocations recorded in {target}")
