"""The sources as the guards see them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def sources(folder: str = "src/sampan") -> dict[str, str]:
    """Text by path (relative to the repository) of every Python file below `folder`."""
    return {
        str(path.relative_to(ROOT)): path.read_text()
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def of_tests() -> dict[str, str]:
    return sources("tests")


Files = Mapping[str, str]
