from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.admission.chain import Chain
from sampan.control_plane.apiserver.admission.model import CREATE, Plugin, Request
from sampan.control_plane.apiserver.admission.standard import standard
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz.authorizer import standard as authorizers
from unit.control_plane.apiserver.fakes import FakeView

LOG: list[str] = []


class Both:
    """Takes part in both phases and says so."""

    def __init__(self, name: str, timeout: float = 0.0) -> None:
        self.name = name
        self.timeout = timeout
        self.then: Callable[[Request], Awaitable[None]] | None = None

    def handles(self, request: Request, /) -> bool:
        return request.resource != "ignored"

    async def admit(self, request: Request, /) -> None:
        LOG.append(f"admit {self.name}")
        if self.then is not None:
            await self.then(request)

    async def validate(self, request: Request, /) -> None:
        LOG.append(f"validate {self.name}")
        if self.then is not None:
            await self.then(request)


class OnlyValidates:
    name = "judge"
    timeout = 0.0

    def handles(self, request: Request, /) -> bool:
        return True

    async def validate(self, request: Request, /) -> None:
        LOG.append("validate judge")


def request(resource: str = "pods") -> Request:
    return Request(
        user=User("x"), operation=CREATE, group="", version="v1", resource=resource, kind="Pod", object={}
    )


def run(chain: Chain, asked: Request) -> list[str]:
    LOG.clear()

    async def go() -> None:
        await chain.admit(asked)
        await chain.validate(asked)

    asyncio.run(go())
    return list(LOG)


def test_all_change_before_anybody_judges() -> None:
    plugins: list[Plugin] = [Both("a"), OnlyValidates(), Both("b")]
    log = run(Chain(plugins), request())
    assert log == ["admit a", "admit b", "validate a", "validate judge", "validate b"]


def test_who_does_not_handle_is_not_asked() -> None:
    assert run(Chain([Both("a"), OnlyValidates()]), request("ignored")) == ["validate judge"]


def test_a_refusal_ends_it() -> None:
    first = Both("a")

    async def refuse(asked: Request) -> None:
        raise ApiError(403, "Forbidden", "no")

    first.then = refuse
    with pytest.raises(ApiError, match="no"):
        run(Chain([first, Both("b")]), request())
    assert LOG == ["admit a"]


def test_a_change_from_outside_runs_the_phase_once_more() -> None:
    webhook = Both("webhook")
    seen: list[bool] = []

    async def change(asked: Request) -> None:
        seen.append(asked.reinvoked)
        asked.wants_reinvocation = True

    webhook.then = change
    log = run(Chain([Both("a"), webhook]), request())
    assert log == ["admit a", "admit webhook"] * 2 + ["validate a", "validate webhook"]
    assert seen[:2] == [False, True]


def test_who_does_not_answer_in_time_fails_the_request() -> None:
    slow = Both("slow", timeout=0.01)

    async def wait(asked: Request) -> None:
        await asyncio.sleep(30)

    slow.then = wait
    with pytest.raises(ApiError, match=r"admission plug-in 'slow' did not answer within 0\.01s") as raised:
        run(Chain([slow]), request())
    assert raised.value.code == 500


def test_two_of_one_name_are_refused_with_both_owners() -> None:
    class Other(Both):
        pass

    with pytest.raises(ValueError, match="two admission plug-ins are named 'a': Both and Other"):
        Chain([Both("a"), Other("a")])


def test_the_order_is_upstreams() -> None:
    chain = standard(
        FakeView(),
        authorizers(FakeView())[0],
        suffix=str,
        pause=asyncio.sleep,
        mutating=[Both("MutatingAdmissionWebhook")],
        validating=[Both("ValidatingAdmissionWebhook")],
    )
    upstream = [
        "NamespaceLifecycle",
        "LimitRanger",
        "ServiceAccount",
        "NodeRestriction",
        "TaintNodesByCondition",
        "PodSecurity",
        "Priority",
        "DefaultTolerationSeconds",
        "DefaultStorageClass",
        "StorageObjectInUseProtection",
        "PersistentVolumeClaimResize",
        "RuntimeClass",
        "CertificateApproval",
        "CertificateSigning",
        "CertificateSubjectRestriction",
        "DefaultIngressClass",
        "MutatingAdmissionWebhook",
        "ValidatingAdmissionWebhook",
        "ResourceQuota",
    ]
    places = [upstream.index(name) for name in chain.names]
    assert places == sorted(places)
