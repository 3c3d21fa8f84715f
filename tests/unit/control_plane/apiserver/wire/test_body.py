from __future__ import annotations

import pytest

from sampan.api import kinds
from sampan.api.codec import protobuf
from sampan.api.status import ApiError
from sampan.base.http.model import Request
from sampan.control_plane.apiserver.wire import body

CONFIGMAP = kinds.of("v1", "ConfigMap")


def request(data: bytes, content_type: str = "") -> Request:
    headers = {"content-type": content_type} if content_type else {}
    return Request("POST", "/x", headers, data, connection=None)  # type: ignore[arg-type]


OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
JSON = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}'
YAML = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (JSON, ""),
        (JSON, "application/json; charset=utf-8"),
        (YAML, "application/yaml"),
        (protobuf.encode(OBJECT), "application/vnd.kubernetes.protobuf"),
    ],
)
def test_one_object_in_every_format(data: bytes, kind: str) -> None:
    assert body.decode(request(data, kind), strict=True).object == OBJECT


def test_duplicates_are_found_where_they_are_looked_for() -> None:
    twice = b'{"kind":"ConfigMap","data":{"a":"1","a":"2"},"kind":"ConfigMap"}'
    assert body.decode(request(twice), strict=True).duplicates == ("kind", "data.a")
    assert body.decode(request(twice), strict=False).duplicates == ()
    spaced = b'{ "data" : { "a" : "1" } }'
    assert body.decode(request(spaced), strict=True).duplicates == ()


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (
            b"{",
            "",
            "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind",
        ),
        (b"[]", "", "json: cannot unmarshal array"),
        (b'"x"', "", "json: cannot unmarshal string"),
        (b"a: b: c", "application/yaml", "yaml: "),
        (b"nope", "application/vnd.kubernetes.protobuf", "unable to decode protobuf"),
    ],
)
def test_malformed_bodies(data: bytes, kind: str, says: str) -> None:
    with pytest.raises(ApiError) as caught:
        body.decode(request(data, kind), strict=True, expected="ConfigMap")
    assert caught.value.code == 400
    assert says in caught.value.message


def test_an_unknown_media_type() -> None:
    with pytest.raises(ApiError) as caught:
        body.decode(request(b"x", "text/plain"), strict=True)
    assert caught.value.code == 415


def test_kind_and_version_are_filled_in_and_stand_first() -> None:
    found = body.expect({"data": {}, "metadata": {"name": "a"}}, CONFIGMAP)
    assert list(found) == ["kind", "apiVersion", "metadata", "data"]
    assert body.expect({}, CONFIGMAP)["metadata"] == {}


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        ({"kind": "Secret"}, "converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
        ({"kind": "Boat"}, 'no kind "Boat" is registered for version "v1"'),
        ({"apiVersion": "v9"}, 'ConfigMap in version "v9" cannot be handled as a ConfigMap'),
        ({"kind": 1}, "cannot unmarshal number into Go struct field .kind of type string"),
        (
            {"metadata": []},
            "cannot unmarshal array into Go struct field ConfigMap.metadata of type v1.ObjectMeta",
        ),
    ],
)
def test_what_is_no_such_object(obj: dict[str, object], says: str) -> None:
    with pytest.raises(ApiError) as caught:
        body.expect(dict(obj), CONFIGMAP)
    assert caught.value.code == 400
    assert says in caught.value.message


def test_another_version_of_the_kind() -> None:
    with pytest.raises(ApiError, match=r"the API version in the data \(autoscaling/v1\) does not match"):
        body.expect({"apiVersion": "autoscaling/v1"}, kinds.of("autoscaling/v2", "HorizontalPodAutoscaler"))
