from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.api.patch import PatchError, json_patch


def op(kind: str, path: str, **fields: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **fields}


@pytest.mark.parametrize(
    ("doc", "operations", "expected"),
    [
        ({"a": 1}, [op("add", "/b", value=2)], {"a": 1, "b": 2}),
        ({"a": [1, 3]}, [op("add", "/a/1", value=2)], {"a": [1, 2, 3]}),
        ({"a": [1]}, [op("add", "/a/-", value=2)], {"a": [1, 2]}),
        ({"a": [1, 2, 3]}, [op("remove", "/a/-1")], {"a": [1, 2]}),
        ({"a": {"b/c": 1, "d~e": 2}}, [op("remove", "/a/b~1c"), op("replace", "/a/d~0e", value=3)], {"a": {"d~e": 3}}),
        ({"a": 1}, [op("replace", "/new", value=2)], {"a": 1, "new": 2}),  # upstream is lenient here
        ({"a": 1}, [op("replace", "", value={"b": 2})], {"b": 2}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
        ({"a": {"b": [1]}}, [{"op": "copy", "from": "/a", "path": "/c"}, op("add", "/a/b/-", value=2)],
         {"a": {"b": [1, 2]}, "c": {"b": [1]}}),
        ({"a": 1.0}, [op("test", "/a", value=1)], {"a": 1.0}),
        ({"a": 1}, [op("test", "/missing", value=None)], {"a": 1}),
        ({"a": {"b": [1, {"c": None}]}}, [op("test", "/a", value={"b": [1, {"c": None}]})], {"a": {"b": [1, {"c": None}]}}),
    ],
)  # fmt: skip
def test_operations(doc: Any, operations: Any, expected: Any) -> None:
    before = copy.deepcopy((doc, operations))
    assert json_patch.apply(doc, operations) == expected
    assert (doc, operations) == before, "an argument was changed"


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (op("test", "/a", value=True), "testing value /a failed: test failed"),
        (op("test", "/x/y", value=1), "test operation does not apply: is missing path: /x/y: missing value"),
        (
            op("remove", "/x"),
            "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value",
        ),
        (
            op("add", "/l/5", value=1),
            "error in add for path: '/l/5': Unable to access invalid index: 5: invalid index",
        ),
        (op("add", "/l/x", value=1), "value was not a proper array index: 'x': strconv.Atoi: parsing \"x\""),
        (
            op("replace", "/l/9", value=1),
            "replace operation does not apply: doc is missing key: /l/9: missing value",
        ),
        (
            op("add", "/x/y", value=1),
            'add operation does not apply: doc is missing path: "/x/y": missing value',
        ),
        ({"op": "add", "value": 1}, "add operation failed to decode path: missing value"),
        ({"op": "move", "path": "/b"}, "move operation failed to decode from: operation, missing from field"),
        (op("mend", "/a"), "Unexpected kind: mend"),
    ],
)
def test_operations_that_do_not_apply(operation: Any, says: str) -> None:
    with pytest.raises(PatchError) as caught:
        json_patch.apply({"a": 1, "l": [1]}, [operation])
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert says in caught.value.message
    assert caught.value.message.startswith("the server rejected our request due to an error in our request")


@pytest.mark.parametrize("patch", [{}, "x", None, [1], [{"op": "add", "path": 5}]])
def test_what_is_no_patch_is_a_bad_request(patch: Any) -> None:
    with pytest.raises(PatchError) as caught:
        json_patch.apply({}, patch)
    assert caught.value.code == 400


def test_limits() -> None:
    with pytest.raises(PatchError) as caught:
        json_patch.apply({}, [op("test", "/a", value=None)] * (json_patch.MAX_OPERATIONS + 1))
    assert caught.value.code == 413
    doubling = [{"op": "copy", "from": "/a", "path": f"/a{n}"} for n in range(4)]
    with pytest.raises(PatchError, match="accumulated size increase of copy"):
        json_patch.apply({"a": "x" * 1_000_000}, doubling)
