"""Tests mirror sources: a module with logic is exercised by a test file in the folder that mirrors its own.

A module counts as covered when a test in tests/unit/<its folder, or one above it in its room> imports it, or its package
brings it along and is imported there.
"""

from __future__ import annotations

import ast

from guards import tree
from guards.tree import Files, sources

LOGIC_LINES = 60
"""Modules shorter than this need no test file of their own kind."""

ELSEWHERE = {
    # module, or a folder with a slash at its end: the tests that exercise it from outside
    "src/sampan/cluster/actions.py": "tests/cluster",
    "src/sampan/cluster/components.py": "tests/cluster",
    "src/sampan/cluster/host.py": "tests/cluster",
    "src/sampan/cluster/main.py": "tests/cluster",
    "src/sampan/cluster/supervisor.py": "tests/cluster",
    "src/sampan/cli/cluster.py": "tests/cluster",
    "src/sampan/cli/image.py": "tests/cluster",
}


def modules(text: str) -> set[str]:
    """Every sampan module that a test imports, with the packages above it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("sampan")}


def uncovered(files: Files, tested: Files, elsewhere: set[str]) -> list[str]:
    imported: set[str] = set()
    for text in tested.values():
        imported |= modules(text)
    missing = []
    for path, text in files.items():
        module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        package = module.rpartition(".")[0]
        if path.endswith("__init__.py") or text.count("\n") < LOGIC_LINES:
            continue
        if path in elsewhere or any(folder.endswith("/") and path.startswith(folder) for folder in elsewhere):
            continue
        if module in imported or package in imported:
            continue
        missing.append(path)
    return missing


def test_every_module_with_logic_has_tests() -> None:
    unit = {
        path: text
        for path, text in tree.of_tests().items()
        if path.startswith(("tests/unit", "tests/conformance"))
    }
    assert uncovered(sources(), unit, set(ELSEWHERE)) == []


def test_the_guard_fails_on_an_untested_module() -> None:
    body = '"""M."""\n' + "x = 1\n" * LOGIC_LINES
    files = {"src/sampan/a/b.py": body, "src/sampan/a/c.py": body}
    tested = {"tests/unit/a/test_c.py": "from sampan.a.c import x\n"}
    assert uncovered(files, tested, set()) == ["src/sampan/a/b.py"]


def test_every_exception_still_exists() -> None:
    files = sources()
    assert [p for p in ELSEWHERE if not any(path == p or path.startswith(p) for path in files)] == []
    assert [where for where in ELSEWHERE.values() if not (tree.ROOT / where).exists()] == []
