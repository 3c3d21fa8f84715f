from __future__ import annotations

from typing import Any

import pytest

from sampan.api.status import ApiError
from sampan.base.http.model import Request
from sampan.control_plane.apiserver.wire import options
from sampan.control_plane.apiserver.wire.options import ListOptions, WriteOptions


def request(query: str) -> Request:
    return Request("GET", f"/x?{query}", {}, connection=None)  # type: ignore[arg-type]


def test_list_options() -> None:
    found = options.listing(
        request(
            "labelSelector=a%3Db&fieldSelector=c%3Dd&limit=5&continue=t&resourceVersion=7&timeoutSeconds=9&allowWatchBookmarks=true"
        )
    )
    assert found == ListOptions("a=b", "c=d", 5, "t", "7", "", 9.0, True, None)
    assert options.listing(request("")) == ListOptions()
    assert options.listing(request("limit=-3")).limit == 0
    assert options.listing(request("sendInitialEvents=false")).initial_events is False


@pytest.mark.parametrize(
    ("query", "is_set"),
    [("x=1", True), ("x=true", True), ("x=0", False), ("x=false", False), ("x=", False), ("y=1", False)],
)
def test_truth_as_go_reads_it(query: str, is_set: bool) -> None:
    assert options.is_true(request(query), "x") is is_set


@pytest.mark.parametrize(
    ("check", "query", "says"),
    [
        (options.check_list, "sendInitialEvents=true", "sendInitialEvents is forbidden for list"),
        (options.check_list, "resourceVersionMatch=Exact", "forbidden unless resourceVersion is provided"),
        (options.check_list, "resourceVersionMatch=Odd&resourceVersion=1", 'Unsupported value: "Odd"'),
        (
            options.check_list,
            "resourceVersionMatch=Exact&resourceVersion=0",
            'forbidden for resourceVersion "0"',
        ),
        (
            options.check_list,
            "resourceVersionMatch=Exact&resourceVersion=1&continue=x",
            "forbidden when continue",
        ),
        (
            options.check_watch,
            "sendInitialEvents=true",
            "requires setting resourceVersionMatch to NotOlderThan",
        ),
        (options.check_watch, "resourceVersionMatch=NotOlderThan", "unless sendInitialEvents is provided"),
    ],
)
def test_options_that_do_not_go_together(check: Any, query: str, says: str) -> None:
    with pytest.raises(ApiError, match=says) as caught:
        check(options.listing(request(query)))
    assert caught.value.code == 422


@pytest.mark.parametrize("query", ["resourceVersion=abc", "limit=x", "timeoutSeconds=y"])
def test_numbers_that_are_none(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        options.listing(request(query))
    assert caught.value.code == 400


def test_write_options() -> None:
    found = options.writing(
        request("dryRun=All&fieldManager=me&fieldValidation=Strict&force=true"), "PatchOptions"
    )
    assert found == WriteOptions(True, "me", "Strict", True)
    assert found.to_object("PatchOptions") == {
        "kind": "PatchOptions",
        "apiVersion": "meta.k8s.io/v1",
        "dryRun": ["All"],
        "fieldManager": "me",
        "fieldValidation": "Strict",
        "force": True,
    }
    assert options.writing(request("fieldValidation="), "CreateOptions").field_validation == "Warn"


@pytest.mark.parametrize(
    "query", ["dryRun=Some", "fieldValidation=Odd", "fieldManager=" + "x" * 129, "fieldManager=%01"]
)
def test_write_options_that_are_refused(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        options.writing(request(query), "CreateOptions")
    assert caught.value.code == 422
    assert caught.value.message.startswith('CreateOptions.meta.k8s.io "" is invalid: ')


def test_delete_options_from_the_query() -> None:
    found = options.deletion(
        request("gracePeriodSeconds=0&propagationPolicy=Orphan&orphanDependents=false&dryRun=All")
    )
    assert found == {
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Orphan",
        "orphanDependents": False,
        "dryRun": ["All"],
    }
