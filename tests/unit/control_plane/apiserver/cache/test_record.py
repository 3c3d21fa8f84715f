from __future__ import annotations

import orjson

from sampan.control_plane.apiserver.cache.record import Decoded, Record, encode, splice


def record(name: str, revision: int = 5, **metadata: object) -> Record:
    obj = {
        "metadata": {"name": name, **metadata},
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "data": {"a": "b"},
    }
    return Record(f"/core/configmaps/default/{name}", "default", name, encode(obj), revision, 3)


def test_the_revision_is_spliced_in() -> None:
    made = record("a", labels={"x": "y"})
    assert made.body.startswith(
        b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"5","name":"a"'
    )
    assert made.object["metadata"] == {"resourceVersion": "5", "name": "a", "labels": {"x": "y"}}
    assert made.labels == {"x": "y"}


def test_a_stale_revision_is_not_stored() -> None:
    value = encode({"kind": "K", "apiVersion": "v1", "metadata": {"name": "a", "resourceVersion": "3"}})
    assert b"resourceVersion" not in value


def test_a_value_that_looks_like_metadata_does_not_mislead() -> None:
    obj = {"kind": "K", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"x": '"metadata":{'}}
    assert orjson.loads(splice(encode(obj), 9)) == {**obj, "metadata": {"name": "a", "resourceVersion": "9"}}


def test_empty_metadata_stays_json() -> None:
    assert orjson.loads(splice(b'{"kind":"K","apiVersion":"v1","metadata":{}}', 7))["metadata"] == {
        "resourceVersion": "7"
    }


def test_what_is_not_stored_has_no_revision() -> None:
    assert b"resourceVersion" not in record("a", revision=0).body


def test_the_same_object_at_a_later_revision() -> None:
    made = record("a", labels={"x": "y"})
    later = made.at(8)
    assert (later.revision, later.created, later.labels) == (8, 3, {"x": "y"})
    assert later.object["metadata"]["resourceVersion"] == "8"


def test_fresh_objects_are_ones_own() -> None:
    made = record("a")
    made.fresh()["data"]["a"] = "changed"
    assert made.object["data"]["a"] == "b"


def test_decoded_objects_are_bounded_by_their_bytes() -> None:
    records = [record(f"r{number}") for number in range(10)]
    kept = Decoded(limit=3 * len(records[0].body))
    first = kept.get(records[0])
    assert kept.get(records[0]) is first
    for made in records[1:]:
        kept.get(made)
    assert kept.get(records[0]) is not first
    assert kept._size <= 3 * len(records[0].body)
    kept.forget(records[0])
    kept.forget(records[5])
    assert len(kept._objects) == 2
