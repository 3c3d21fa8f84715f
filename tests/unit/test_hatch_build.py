"""The build hook that makes the compact schema file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sampan.api.schema import builtin

ROOT = Path(__file__).parents[2]


def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEFINITIONS = {
    "a.Thing": {
        "type": ["object", "null"],
        "description": "a thing",
        "properties": {
            "kind": {"type": ["string", "null"], "enum": ["Thing"]},
            "other": {"$ref": "#/$defs/a.Other", "description": "another"},
            "many": {
                "type": ["array", "null"],
                "items": {"type": ["string", "null"]},
                "x-kubernetes-list-type": "set",
            },
        },
        "x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Thing"}],
    },
    "a.Other": {"type": "object"},
}


def test_the_source_is_cleaned_and_indexed() -> None:
    read = builtin._File(hook().compact(DEFINITIONS))
    assert read.kinds == {"g/v1 Thing": "a.Thing"}
    assert read.body("a.Thing") == {
        "type": "object",
        "properties": {
            "kind": {"type": "string"},
            "other": {"$ref": "a.Other"},
            "many": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        },
        "x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Thing"}],
    }
    assert read.texts("a.Thing") == {"": "a thing", "other": "another"}


def test_equal_input_gives_equal_bytes() -> None:
    module = hook()
    turned = dict(reversed(DEFINITIONS.items()))
    assert module.compact(DEFINITIONS) == module.compact(turned)


def test_the_file_in_the_tree_is_what_the_hook_makes(tmp_path: Path) -> None:
    pytest.importorskip("kubernetes_validate")
    made = hook().write(tmp_path)
    assert made.read_bytes() == builtin.FILE.read_bytes()
