"""Names come from the field: no catch-all rooms, every package says what is in it and what may not be."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

from guards.tree import Files, sources

FORBIDDEN = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "misc",
    "v2",
    "lib",
    "base_utils",
    "shared",
}


# Words that are the field's own where they stand.
ALLOWED = {
    "src/sampan/api/defaults/core.py": "the core API group",
    "src/sampan/base/linux/cgroups/v2.py": "the kernel's name: cgroup v2",
}


def bad_names(files: Files) -> list[str]:
    paths = [PurePosixPath(path) for path in files if path not in ALLOWED]
    return [str(path) for path in paths if path.stem in FORBIDDEN or path.parent.name in FORBIDDEN]


def without_map(files: Files) -> list[str]:
    """Packages and modules that do not open with a docstring."""
    return [
        path for path, text in files.items() if text.strip() and ast.get_docstring(ast.parse(text)) is None
    ]


def test_no_catch_all_names() -> None:
    assert bad_names(sources()) == []


def test_every_allowed_name_still_exists() -> None:
    assert sorted(set(ALLOWED) - set(sources())) == []


def test_every_module_opens_with_what_it_is() -> None:
    assert without_map(sources()) == []


def test_the_guards_fail_on_bad_trees() -> None:
    assert bad_names({"src/sampan/utils.py": "", "src/sampan/core/x.py": ""}) == [
        "src/sampan/utils.py",
        "src/sampan/core/x.py",
    ]
    assert without_map({"a.py": "x = 1\n", "b.py": '"""Said."""\n'}) == ["a.py"]
