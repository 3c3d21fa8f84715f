"""The registry file and where to ask; pulls themselves are in test_store."""

from __future__ import annotations

from pathlib import Path

import pytest

from sampan.node.runtime.image import registry
from sampan.node.runtime.image.registry import Endpoint, Registries, Registry
from sampan.spec import cri


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "registries.toml"
    assert registry.load(None) == registry.load(path) == Registries()
    path.write_text(
        '[mirrors."docker.io"]\nendpoints = ["http://127.0.0.1:5000"]\n'
        '[registries."r.example"]\ninsecure = true\nusername = "u"\npassword = "hidden"\n'
    )
    found = registry.load(path)
    assert found.mirrors == {"docker.io": ("http://127.0.0.1:5000",)}
    assert found.registries["r.example"] == Registry(True, "", "u", "hidden")
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", r"\['x'\]"),
        ("[mirrors.a]\nurl = 'x'", "mirrors.a.url"),
        ("[registries.a]\ntls = true", "registries.a.tls"),
        ("[", "registries.toml"),
    ],
)
def test_what_is_not_known_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "registries.toml").write_text(text)
    with pytest.raises(cri.Error, match=says):
        registry.load(tmp_path / "registries.toml")


def test_where_to_ask() -> None:
    none = Registries()
    assert registry.endpoints(none, "docker.io") == [Endpoint("https", "registry-1.docker.io")]
    assert registry.endpoints(none, "quay.io") == [Endpoint("https", "quay.io")]
    for host in ("localhost:5000", "127.0.0.1:5000", "[::1]:5000", "localhost"):
        assert registry.endpoints(none, host) == [Endpoint("http", host)]
    insecure = Registries(registries={"r:1": Registry(insecure=True)})
    assert [e.scheme for e in registry.endpoints(insecure, "r:1")] == ["https", "http"]
    mirrored = Registries({"quay.io": ("https://m.example/quay/", "plain.example")})
    assert registry.endpoints(mirrored, "quay.io") == [
        Endpoint("https", "m.example", "/quay", "quay.io"),
        Endpoint("https", "plain.example", "", "quay.io"),
        Endpoint("https", "quay.io"),
    ]
