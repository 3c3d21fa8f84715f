from __future__ import annotations

import pytest

from sampan.control_plane.apiserver.routing import Route, parse


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/api/v1/pods", Route("GET", "", "list", "", "v1", "pods")),
        ("GET", "/api/v1/namespaces/a/pods", Route("GET", "", "list", "", "v1", "pods", "", "a")),
        ("GET", "/api/v1/namespaces/a/pods/p", Route("GET", "", "get", "", "v1", "pods", "", "a", "p")),
        ("HEAD", "/api/v1/namespaces/a/pods/p", Route("HEAD", "", "get", "", "v1", "pods", "", "a", "p")),
        (
            "POST",
            "/api/v1/namespaces/a/pods/p/exec",
            Route("POST", "", "create", "", "v1", "pods", "exec", "a", "p"),
        ),
        ("GET", "/api/v1/namespaces", Route("GET", "", "list", "", "v1", "namespaces")),
        ("GET", "/api/v1/namespaces/a", Route("GET", "", "get", "", "v1", "namespaces", "", "a", "a")),
        (
            "PUT",
            "/api/v1/namespaces/a/finalize",
            Route("PUT", "", "update", "", "v1", "namespaces", "finalize", "a", "a"),
        ),
        ("GET", "/apis/apps/v1/deployments", Route("GET", "", "list", "apps", "v1", "deployments")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            Route("PATCH", "", "patch", "apps", "v1", "deployments", "scale", "a", "d"),
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/a/deployments",
            Route("DELETE", "", "deletecollection", "apps", "v1", "deployments", "", "a"),
        ),
        ("GET", "/api/v1/watch/pods", Route("GET", "", "watch", "", "v1", "pods")),
        (
            "GET",
            "/api/v1/namespaces/a/services/https:s:web/proxy/x/y",
            Route("GET", "", "get", "", "v1", "services", "proxy", "a", "https:s:web", "/x/y"),
        ),
        ("GET", "/api/v1/nodes/n/proxy/", Route("GET", "", "get", "", "v1", "nodes", "proxy", "", "n", "/")),
    ],
)
def test_resource_requests(method: str, path: str, wanted: Route) -> None:
    assert parse(method, path) == wanted._replace(path=path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/version",
        "/healthz/etcd",
        "/openapi/v3/api/v1",
    ],
)
def test_bare_paths(path: str) -> None:
    assert parse("GET", path) == Route("GET", path, "get")


def test_what_is_too_deep_is_no_resource() -> None:
    assert parse("GET", "/api/v1/namespaces/a/pods/p/log/x").resource == ""


def test_an_unknown_method_is_its_own_verb() -> None:
    assert parse("OPTIONS", "/api/v1/pods") == Route("OPTIONS", "/api/v1/pods", "options")
