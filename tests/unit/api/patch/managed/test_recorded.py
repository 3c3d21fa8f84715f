"""Ownership as a real kube-apiserver 1.37 recorded it: the entries, byte for byte, and the conflicts, word for word."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api.patch import managed
from sampan.api.schema import builtin
from sampan.api.status import ApiError

GOLDEN = Path(__file__).parents[4] / "golden" / "managed-fields-1.37.json"
CASES = json.loads(GOLDEN.read_text())["cases"]
NOW = "2026-01-01T00:00:00Z"


def run(case: dict[str, Any]) -> dict[str, Any]:
    given = {
        "manager": case["manager"],
        "schema": builtin.for_kind(case["apiVersion"], case["kind"]),
        "api_version": case["apiVersion"],
        "subresource": case["subresource"],
        "now": NOW,
    }
    if case["operation"] == "apply":
        return managed.apply(case["live"], case["applied"], force=case["force"], **given)
    new = copy.deepcopy(case["result"])
    new["metadata"].pop("managedFields", None)
    if case["kind"] == "Pod":
        for field in ("priority", "preemptionPolicy"):  # admission set these after the fields were tracked
            if case["live"] is None:
                new["spec"].pop(field, None)
    return managed.update(case["live"], new, **given)


def entries(obj: dict[str, Any]) -> list[dict[str, Any]]:
    """Without times, in an order that does not depend on them; whether there is a time counts."""
    found = [{**entry, "time": "time" in entry} for entry in obj["metadata"].get("managedFields") or ()]
    return sorted(found, key=lambda e: (e["operation"], e["manager"], e.get("subresource", "")))


def subset(mine: Any, theirs: Any) -> bool:
    """Whether all that we have is there; upstream's object has defaults too."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return all(key in theirs and subset(value, theirs[key]) for key, value in mine.items())
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(subset, mine, theirs))
    return bool(mine == theirs)


@pytest.mark.parametrize(
    "case", [c for c in CASES if "result" in c], ids=lambda c: f"{c['operation']}-{c['kind']}"
)
def test_the_entries_are_upstreams(case: dict[str, Any]) -> None:
    live, given = copy.deepcopy(case.get("live")), copy.deepcopy(case.get("applied"))
    found = run(case)
    assert json.dumps(entries(found), sort_keys=False) == json.dumps(entries(case["result"]), sort_keys=False)
    assert (case.get("live"), case.get("applied")) == (live, given), "an argument was changed"
    if case["operation"] == "apply":
        assert subset(found.get("spec"), case["result"].get("spec"))


@pytest.mark.parametrize(
    "case", [c for c in CASES if "error" in c], ids=lambda c: f"{c['operation']}-{c['kind']}"
)
def test_the_errors_are_upstreams(case: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        run(case)
    status = caught.value.to_status()
    assert (status["code"], status["message"]) == (case["error"]["code"], case["error"]["message"])
    causes = status.get("details", {}).get("causes", [])
    assert sorted(map(str, causes)) == sorted(map(str, case["error"]["causes"]))


def test_both_kinds_of_cases_were_recorded() -> None:
    assert sum("error" in case for case in CASES) > 4
    assert sum("result" in case for case in CASES) > 15
