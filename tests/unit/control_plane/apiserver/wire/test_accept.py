from __future__ import annotations

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.wire.accept import Wanted, clauses, negotiate, negotiate_discovery

KUBECTL_GET = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
CLIENT_GO = "application/vnd.kubernetes.protobuf,application/json"
DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", Wanted()),
        ("*/*", Wanted()),
        ("application/json", Wanted()),
        (CLIENT_GO, Wanted()),
        ("application/vnd.kubernetes.protobuf, */*", Wanted()),
        (KUBECTL_GET, Wanted("Table", "v1")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Wanted("Table", "v1beta1")),
        ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", Wanted()),
        (
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            Wanted("PartialObjectMetadata", "v1"),
        ),
        ("application/json;as=Unknown;g=x;v=v1,application/json", Wanted()),
        ("application/json;q=0.1,application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9", Wanted("Table", "v1")),
    ],
)
def test_the_form_that_is_wanted(header: str, wanted: Wanted) -> None:
    assert negotiate(header) == wanted


@pytest.mark.parametrize(
    "header",
    [
        "text/html",
        "application/vnd.kubernetes.protobuf",
        "application/yaml",
        "application/json;as=Table;v=v9;g=meta.k8s.io",
    ],
)
def test_what_we_cannot_write_is_406(header: str) -> None:
    with pytest.raises(ApiError) as caught:
        negotiate(header)
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("", ""),
        ("application/json", ""),
        (CLIENT_GO, ""),
        (DISCOVERY, "v2"),
        (DISCOVERY.partition(",")[2], "v2beta1"),
        ("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json", ""),
    ],
)
def test_the_form_of_discovery(header: str, version: str) -> None:
    assert negotiate_discovery(header) == version


def test_clauses_are_sorted_by_weight_and_survive_nonsense() -> None:
    found = clauses("a/b;q=0.5, c/d, ;, e/f;q=x;z")
    assert [(clause.type, clause.weight) for clause in found] == [("c/d", 1.0), ("a/b", 0.5), ("e/f", 0.0)]
