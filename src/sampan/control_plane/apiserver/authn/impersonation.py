"""Acting as somebody else: the Impersonate-* headers, each right checked against the one who really asks.

k8s.io/apiserver pkg/endpoints/filters/impersonation/impersonation.go (the `impersonate` verb). The constrained verbs
(`impersonate:user-info` and the like) are not here: a role that grants only those grants nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import unquote

from sampan.api.status import bad_request
from sampan.control_plane.apiserver.authn.model import (
    ANONYMOUS,
    AUTHENTICATED,
    SERVICE_ACCOUNT_PREFIX,
    SERVICE_ACCOUNTS,
    UNAUTHENTICATED,
    User,
)
from sampan.control_plane.apiserver.authz.model import Attributes, Authorizer, denial

PREFIX: Final = "impersonate-"
USER: Final = "impersonate-user"
GROUP: Final = "impersonate-group"
UID: Final = "impersonate-uid"
EXTRA: Final = "impersonate-extra-"


def impersonate(
    user: User, names: Iterable[str], values: Callable[[str], Sequence[str]], authorizer: Authorizer
) -> User:
    """The user to act as; `user` itself where no header asks for another. Raises ApiError 400 or 403.

    names: the request's header names in lower case; values: every value of a header, in order.
    """
    asked = [name for name in names if name.startswith(PREFIX)]
    if not asked:
        return user
    wanted = _wanted(asked, values)
    if not wanted.name:
        if wanted.groups or wanted.uid or wanted.extra:
            raise bad_request(f"requested {wanted.to_dict()} without impersonating a user name")
        return user
    for question in _questions(user, wanted):
        decision = authorizer.authorize(question)
        if not decision.allowed:
            raise denial(question, decision)
    return wanted._replace(groups=_groups(wanted))


def _wanted(asked: Sequence[str], values: Callable[[str], Sequence[str]]) -> User:
    def first(name: str) -> str:
        return values(name)[0] if name in asked else ""

    extra: dict[str, tuple[str, ...]] = {}
    for name in asked:
        if name.startswith(EXTRA):
            key = unquote(name.removeprefix(EXTRA))
            extra[key] = (*extra.get(key, ()), *values(name))
    groups = tuple(values(GROUP)) if GROUP in asked else ()
    return User(first(USER), groups, first(UID), extra)


def _service_account(name: str) -> tuple[str, str] | None:
    if not name.startswith(SERVICE_ACCOUNT_PREFIX):
        return None
    namespace, separator, account = name.removeprefix(SERVICE_ACCOUNT_PREFIX).partition(":")
    return (namespace, account) if separator and namespace and account and ":" not in account else None


def _questions(user: User, wanted: User) -> Iterable[Attributes]:
    ask = Attributes(user, "impersonate")
    account = _service_account(wanted.name)
    if account is not None:
        yield ask._replace(version="v1", resource="serviceaccounts", namespace=account[0], name=account[1])
    else:
        yield ask._replace(version="v1", resource="users", name=wanted.name)
    for group in wanted.groups:
        yield ask._replace(version="v1", resource="groups", name=group)
    review = ask._replace(group="authentication.k8s.io", version="v1")
    for key, listed in wanted.extra.items():
        for value in listed:
            yield review._replace(resource="userextras", subresource=key, name=value)
    if wanted.uid:
        yield review._replace(resource="uids", name=wanted.uid)


def _groups(wanted: User) -> tuple[str, ...]:
    groups = wanted.groups
    account = _service_account(wanted.name)
    if account is not None and not groups:
        groups = (SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{account[0]}")
    if wanted.name == ANONYMOUS:
        return groups if UNAUTHENTICATED in groups else (*groups, UNAUTHENTICATED)
    if AUTHENTICATED in groups or UNAUTHENTICATED in groups:
        return groups
    return (*groups, AUTHENTICATED)
