from __future__ import annotations

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.registry import metadata


def test_times_are_whole_seconds_in_utc() -> None:
    assert metadata.timestamp(0.9) == "1970-01-01T00:00:00Z"
    assert metadata.parse_timestamp(metadata.timestamp(1_700_000_000)) == 1_700_000_000


def test_ids_are_uuids_of_version_4_and_differ() -> None:
    made = {metadata.new_uid() for _ in range(1000)}
    assert len(made) == 1000
    assert all(uid[14] == "4" and uid[19] in "89ab" and len(uid) == 36 for uid in made)


def test_generated_names_fit() -> None:
    name = metadata.generated_name("x" * 100)
    assert len(name) == 63
    assert set(metadata.generated_name("")) <= set(metadata.ALPHABET)


def test_what_a_client_may_not_set() -> None:
    meta = {
        "name": "a",
        "uid": "mine",
        "creationTimestamp": "x",
        "resourceVersion": "1",
        "deletionTimestamp": "y",
    }
    metadata.wipe_system_fields(meta)
    assert meta == {"name": "a"}
    metadata.fill_system_fields(meta, 0, "u")
    assert meta == {"name": "a", "uid": "u", "creationTimestamp": "1970-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("given", "namespace", "wanted"),
    [
        ({}, "a", {"namespace": "a"}),
        ({"namespace": "a"}, "a", {"namespace": "a"}),
        ({"namespace": "a"}, "", {}),
        ({}, "", {}),
    ],
)
def test_the_namespace_of_the_request(given: dict[str, str], namespace: str, wanted: dict[str, str]) -> None:
    metadata.match_namespace(given, namespace)
    assert given == wanted


def test_another_namespace_is_refused() -> None:
    with pytest.raises(ApiError, match="does not match the namespace sent on the request"):
        metadata.match_namespace({"namespace": "a"}, "b")


def test_the_name_stands_first() -> None:
    assert list(metadata.ordered({"labels": {}, "namespace": "a", "name": "b"})) == [
        "name",
        "namespace",
        "labels",
    ]
