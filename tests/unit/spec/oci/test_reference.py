from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.spec.oci import reference

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("team/app", "docker.io/team/app:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:x", "localhost:5000/app:x"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("UPPER/app", "UPPER/app:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        (f"nginx@{SHA}", f"docker.io/library/nginx@{SHA}"),
        (f"quay.io/a/b:tag@{SHA}", f"quay.io/a/b:tag@{SHA}"),
        ("a__b/c-d.e", "docker.io/a__b/c-d.e:latest"),
    ],
)
def test_names(text: str, full: str) -> None:
    assert str(reference.parse(text)) == full


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a valid name"),
        ("Nginx", "lower case"),
        ("team/App", "lower case"),
        ("a//b", "not a valid name"),
        ("nginx:", "tag ''"),
        ("nginx:-x", "tag '-x'"),
        ("nginx@sha256:short", "digest"),
        ("a" * 64, "is an id"),
        ("re_g.io/x", "registry"),
        ("reg.io/" + "a" * 260, "255"),
        ("nginx ", "not a valid name"),
    ],
)
def test_what_is_no_name(text: str, says: str) -> None:
    with pytest.raises(reference.InvalidReference, match=says):
        reference.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        found = reference.parse(text)
    except reference.InvalidReference:
        return
    assert reference.parse(str(found)) == found


def test_the_digest_decides() -> None:
    assert reference.parse(f"nginx:1@{SHA}").target == SHA
    assert reference.parse("nginx:1").target == "1"
    assert reference.parse("nginx").name == "docker.io/library/nginx"
