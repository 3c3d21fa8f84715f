"""One module, one concept: no file grows beyond what a reader can hold, but for tables and single algorithms."""

from __future__ import annotations

import ast

from guards.tree import Files, sources

FILE_LINES = 700
FUNCTION_LINES = 120

TABLES = {
    # One table each: rows, no logic.
    "src/sampan/api/gotypes/table.py",
}


def too_long(files: Files, tables: set[str]) -> list[str]:
    found = []
    for path, text in files.items():
        if path in tables:
            continue
        lines = text.count("\n")
        if lines > FILE_LINES:
            found.append(f"{path}: {lines} lines, at most {FILE_LINES}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{path}: {node.name} has {length} lines, at most {FUNCTION_LINES}")
    return found


def test_no_file_and_no_function_is_too_long() -> None:
    assert too_long(sources(), set(TABLES)) == []


def test_the_guard_fails_on_a_long_file_and_a_long_function() -> None:
    long_file = {"a.py": "x = 1\n" * (FILE_LINES + 1)}
    long_function = {"b.py": "def f():\n" + "    x = 1\n" * FUNCTION_LINES}
    assert too_long(long_file, set()) == [f"a.py: {FILE_LINES + 1} lines, at most {FILE_LINES}"]
    assert too_long(long_function, set()) == [
        f"b.py: f has {FUNCTION_LINES + 1} lines, at most {FUNCTION_LINES}"
    ]
    assert too_long(long_file, {"a.py"}) == []


def test_every_exception_is_still_needed() -> None:
    files = sources()
    assert [path for path in TABLES if files.get(path, "").count("\n") <= FILE_LINES] == []
