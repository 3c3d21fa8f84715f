from __future__ import annotations

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.authn.impersonation import impersonate
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz.model import Attributes, Decision

ADMIN = User("admin", ("system:masters",))


class Recorder:
    """Allows all, or all but one resource, and remembers what was asked."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse
        self.asked: list[tuple[str, ...]] = []

    def authorize(self, attributes: Attributes, /) -> Decision:
        a = attributes
        self.asked.append((a.verb, a.group, a.resource, a.subresource, a.namespace, a.name))
        return Decision(a.resource != self.refuse)


def act(headers: dict[str, list[str]], authorizer: Recorder) -> User:
    return impersonate(ADMIN, headers, lambda name: headers.get(name, []), authorizer)


def test_without_headers_nothing_is_asked() -> None:
    recorder = Recorder()
    assert act({"accept": ["*/*"]}, recorder) is ADMIN
    assert recorder.asked == []


def test_every_part_is_a_question_of_its_own() -> None:
    recorder = Recorder()
    headers = {
        "impersonate-user": ["bob"],
        "impersonate-group": ["devs", "ops"],
        "impersonate-uid": ["42"],
        "impersonate-extra-acme.com%2fteam": ["red", "blue"],
    }
    user = act(headers, recorder)
    assert user == User(
        "bob", ("devs", "ops", "system:authenticated"), "42", {"acme.com/team": ("red", "blue")}
    )
    review = "authentication.k8s.io"
    assert recorder.asked == [
        ("impersonate", "", "users", "", "", "bob"),
        ("impersonate", "", "groups", "", "", "devs"),
        ("impersonate", "", "groups", "", "", "ops"),
        ("impersonate", review, "userextras", "acme.com/team", "", "red"),
        ("impersonate", review, "userextras", "acme.com/team", "", "blue"),
        ("impersonate", review, "uids", "", "", "42"),
    ]


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("bob", ("system:authenticated",)),
        ("system:anonymous", ("system:unauthenticated",)),
        (
            "system:serviceaccount:ns:robot",
            ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
        ),
    ],
)
def test_groups_that_go_without_saying(name: str, groups: tuple[str, ...]) -> None:
    assert act({"impersonate-user": [name]}, Recorder()).groups == groups


def test_a_service_account_is_asked_for_as_one() -> None:
    recorder = Recorder()
    act({"impersonate-user": ["system:serviceaccount:ns:robot"]}, recorder)
    assert recorder.asked == [("impersonate", "", "serviceaccounts", "", "ns", "robot")]


def test_given_groups_are_all_there_is() -> None:
    headers = {"impersonate-user": ["bob"], "impersonate-group": ["system:unauthenticated"]}
    assert act(headers, Recorder()).groups == ("system:unauthenticated",)


@pytest.mark.parametrize("resource", ["users", "groups", "uids", "userextras"])
def test_one_refusal_refuses_all(resource: str) -> None:
    headers = {
        "impersonate-user": ["bob"],
        "impersonate-group": ["devs"],
        "impersonate-uid": ["42"],
        "impersonate-extra-team": ["red"],
    }
    with pytest.raises(ApiError) as raised:
        act(headers, Recorder(resource))
    assert raised.value.code == 403
    assert f'cannot impersonate resource "{resource}' in raised.value.message


@pytest.mark.parametrize("header", ["impersonate-group", "impersonate-uid", "impersonate-extra-x"])
def test_nobody_to_impersonate_is_a_bad_request(header: str) -> None:
    with pytest.raises(ApiError) as raised:
        act({header: ["x"]}, Recorder())
    assert raised.value.code == 400
