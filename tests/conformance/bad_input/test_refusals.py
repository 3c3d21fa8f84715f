from __future__ import annotations

import json
from typing import Any

import pytest

from conformance import apiservers
from conformance.bad_input.cases import CASES, KEPT
from conformance.bad_input.record import GOLDEN
from conformance.bad_input.sender import Sender

# Another code or reason, on purpose.
OTHERWISE = {
    "identity: put bad revision": "a revision that cannot be is a conflict; upstream calls itself broken (500)",
    "patch: bad revision": "the same",
    "immutable: uid": "another uid is another object: a conflict",
    "query: watch revision": "what the client did wrong is 400; upstream calls itself broken (500)",
    "query: get revision": "the same",
    "query: old watch": "the same",
    "query: percent": "a query that cannot be decoded is not dropped without a word",
    "query: semicolon": "the same",
    "content: boat protobuf": "upstream's handler panics",
    "patch: directive": "what the client did wrong is 422; upstream calls itself broken (500)",
    "patch: no merge key": "the same",
    "bind: no target": "the same",
    "bind: target kind": "the same",
    "path: /api/v1/namespaces/%zz": "a name that is no URL encoding names nothing",
    "path: delete group": "a discovery document can be read only",
    "path: method": "a method that is none is refused before it is a request",
}

# The same code and reason in other words. By the beginning of their names:
WORDS = {
    "json: ": "the JSON parser's own words",
    "yaml: ": "the YAML parser's own words",
    "protobuf: ": "the protobuf decoder's own words",
    "pod type: grace ": "a number that no float holds is refused by the parser",
    "invalid: service ports": "how Go prints a struct",
    "invalid: service type": "one more cause",
    "invalid: boat spec": "one cause less: the scale is not looked for in what is no object",
    "fields Strict: strategic": "how Go prints a map",
    "fields Strict: yaml": "unknown fields are told when there are no repeated ones",
    "fields Strict: merge": "unknown fields in the order of the document",
    "fields Warn: merge": "the same",
    "identity: put uid": "Go's StorageError",
    "immutable: pod": "how Go prints a struct",
    "immutable: cluster ip": "the families are told otherwise",
    "immutable: kind": "upstream reads the object as the other kind",
    "immutable: crd group": "more causes",
    "query: continue": "the JSON parser's own words",
    "query: boats field": "the fields that there are, are named",
    "query: accept ": "media types of watches are left out",
    "patch: ": "why it cannot be read or applied is told",
    "apply: ": "the parser's own words",
    "path: /openapi": "404 has a text",
    "path: /api/v1/namespaces/bad-input/configmaps/a%00b": "how Go quotes",
    "delete: revision": "revisions differ",
    "delete: json": "the JSON parser's own words",
    "evict: json": "the JSON parser's own words",
    "token: bound kind": "no group is no slash",
    "scale: boat negative": "the field of the Scale is named",
    "review: both": "how Go prints a struct",
    "people: impersonated group": "how Go prints a struct",
}


@pytest.fixture(scope="module")
def answers(sender: Sender) -> dict[str, dict[str, Any]]:
    return {case.name: sender.send(case) for case in CASES}


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(GOLDEN.read_text())
    return found


def test_names_are_unique_and_recorded(golden: dict[str, Any]) -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(golden)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.name not in OTHERWISE])
def test_refused_as_upstream(answers: dict[str, Any], golden: dict[str, Any], name: str) -> None:
    found, wanted = answers[name], golden[name]
    if name.startswith(tuple(WORDS)):
        assert (found["code"], found.get("reason")) == (wanted["code"], wanted.get("reason"))
    else:
        assert found == wanted


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_every_refusal_is_a_status_that_blames_the_client(
    answers: dict[str, Any], golden: dict[str, Any], name: str
) -> None:
    found = answers[name]
    if found["code"] < 300:
        return
    # 504 is the future that does not come
    assert found["code"] < 500 or found["code"] in (504, golden[name]["code"])
    assert found.get("message") or found["text"] in ("404 page not found\n",)
    assert "Traceback" not in json.dumps(found)


def test_every_deviation_is_still_one(answers: dict[str, Any], golden: dict[str, Any]) -> None:
    assert [name for name in OTHERWISE if answers[name] == golden[name]] == []
    others = {name for name in golden if name not in OTHERWISE and answers[name] != golden[name]}
    assert [start for start in WORDS if not any(name.startswith(start) for name in others)] == []


def test_nothing_is_lost(server: apiservers.ApiServer, sender: Sender, answers: dict[str, Any]) -> None:
    """What was there before is there as it was, and nothing has come."""
    names = {
        path: [item["metadata"]["name"] for item in sender.json("GET", path)[1]["items"]] for path in KEPT
    }
    assert [sorted(found) for found in names.values()] == [
        ["a", "fixed"], ["p"], ["web"], ["s"], ["x"], ["b"], ["default"], ["boats.bad.example.dev"],
    ]  # fmt: skip
    data = {item["metadata"]["name"]: item["data"] for item in sender.json("GET", KEPT[0])[1]["items"]}
    assert data == {"a": {"k": "v"}, "fixed": {"k": "v"}}
    assert server.process.poll() is None
    assert "Traceback" not in (server.folder / "log").read_text()


def test_what_is_right_is_still_taken(sender: Sender, answers: dict[str, Any]) -> None:
    """A definition can be changed although the server's own finalizer is on it."""
    path = f"{KEPT[-1]}/boats.bad.example.dev"
    _, crd = sender.json("GET", path)
    assert crd["metadata"]["finalizers"]
    crd["spec"]["names"]["shortNames"] = ["bt"]
    code, changed = sender.json("PUT", path, crd)
    assert (code, changed["spec"]["names"]["shortNames"]) == (200, ["bt"])
    # null in a map of strings is Go's zero value
    nulls = {"metadata": {"name": "nulls"}, "data": {"a": None}}
    code, made = sender.json("POST", f"{KEPT[0]}?dryRun=All", nulls)
    assert (code, made["data"]) == (201, {"a": ""})
