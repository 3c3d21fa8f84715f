"""Namespaces: their deletion over a fake API, the conditions, and what every namespace is given."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from fake_api import FakeApi
from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.api.status import forbidden
from sampan.base.aio.clock import VirtualClock, settle
from sampan.client.cache import Informers
from sampan.control.controller import Context
from sampan.control.events import Recorder
from sampan.control.reconcile import DONE, After, Retry
from sampan.control_plane.controllers import namespace, root_ca, serviceaccount
from sampan.control_plane.controllers import run as controllers
from sampan.control_plane.controllers.namespace import NAMESPACES, Remains, status
from workloads import NOW, conditions_of, meta, said

Object = dict[str, Any]

PODS = kinds.of("v1", "Pod")
CONFIG_MAPS = kinds.of("v1", "ConfigMap")
BOATS = Resource("a.io", "v1", "Boat", "boats", "boat", True)


class Discovery:
    stale: tuple[str, ...] = ()

    async def preferred(self, *, fresh: bool = False) -> tuple[Resource, ...]:
        return (NAMESPACES, PODS, CONFIG_MAPS, BOATS)


class Api(FakeApi):
    """Deletes at once what has no finalizer; finalize takes the namespace away."""

    def __init__(self) -> None:
        super().__init__()
        self.discovery = Discovery()
        self.refuse: set[str] = set()

    async def list(self, resource: Resource, space: str | None = None, **_: Any) -> Object:
        found = [
            o for (plural, ns, _), o in self.objects.items() if plural == resource.plural and ns == space
        ]
        return {"items": copy.deepcopy(found), "metadata": {}}

    async def delete_collection(self, resource: Resource, space: str | None = None, **_: Any) -> Object:
        if resource.plural in self.refuse:
            raise forbidden(resource.group, resource.plural, "", "no")
        self.calls.append(("deletecollection", resource.plural, space or ""))
        for obj in (await self.list(resource, space))["items"]:
            if not obj["metadata"].get("finalizers"):
                self.remove(resource, obj["metadata"]["name"], space or "")
        return {}

    async def replace(
        self, resource: Resource, obj: Object, space: str | None = None, **options: Any
    ) -> Object:
        made = await super().replace(resource, obj, space, **options)
        if options.get("subresource") == "finalize" and not obj["spec"]["finalizers"]:
            self.remove(resource, obj["metadata"]["name"])
        return made


def ended(*objects: tuple[Resource, Object], refuse: tuple[str, ...] = ()) -> tuple[Api, list[Any]]:
    """Deletes a namespace that holds the objects; the API and the outcomes of two reconciles."""
    api = Api()
    api.refuse = set(refuse)
    outcomes = []

    async def main() -> None:
        clock = VirtualClock()
        spec = {"finalizers": ["kubernetes"]}
        gone = {"name": "ns", "deletionTimestamp": "t"}
        api.put(NAMESPACES, {"metadata": gone, "spec": spec, "status": {"phase": "Terminating"}})
        for resource, obj in objects:
            api.put(resource, obj)
        async with Informers(api, clock=clock) as informers:  # type: ignore[arg-type]
            recorder = Recorder(api, clock, "test")  # type: ignore[arg-type]
            context = Context(api, informers, clock, recorder, name="test")  # type: ignore[arg-type]
            for resource in (NAMESPACES, PODS):
                informers.of(resource)
            informers.start()
            async with asyncio.timeout(5):
                await informers.wait_synced()
                for _ in range(2):
                    outcomes.append(await namespace.reconcile(context, "ns"))
                    await settle()

    asyncio.run(main())
    return api, outcomes


def thing(name: str, **more: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "ns", **more}}


def test_an_empty_namespace_goes_at_once() -> None:
    api, outcomes = ended()
    assert outcomes[0] == DONE
    assert api.find("namespaces", "ns") is None


def test_everything_in_it_goes_custom_kinds_as_well_and_nothing_else() -> None:
    api, _ = ended(
        (PODS, thing("p")),
        (CONFIG_MAPS, thing("c")),
        (BOATS, thing("b")),
        (CONFIG_MAPS, {"metadata": {"name": "other", "namespace": "elsewhere"}}),
    )
    assert [key[2] for key in api.objects] == ["other"]
    deleted = [plural for verb, plural, _ in api.calls if verb == "deletecollection"]
    assert deleted[0] == "pods"


def test_pods_that_are_still_ending_keep_the_rest() -> None:
    api, outcomes = ended((PODS, thing("p", finalizers=["slow"])), (CONFIG_MAPS, thing("c")))
    assert outcomes == [After(1.0), After(1.0)]
    assert api.find("configmaps", "c", "ns") is not None
    found = conditions_of(api.find("namespaces", "ns")["status"])  # type: ignore[index]
    assert found["NamespaceContentRemaining"] == ("True", "SomeResourcesRemain")
    assert found["NamespaceFinalizersRemaining"] == ("True", "SomeFinalizersRemain")
    assert found["NamespaceDeletionDiscoveryFailure"] == ("False", "ResourcesDiscovered")


def test_what_cannot_be_deleted_is_told_and_tried_again() -> None:
    api, outcomes = ended((CONFIG_MAPS, thing("c")), refuse=("configmaps",))
    assert isinstance(outcomes[0], Retry)
    status_now = api.find("namespaces", "ns")["status"]  # type: ignore[index]
    assert conditions_of(status_now)["NamespaceDeletionContentFailure"] == ("True", "ContentDeletionFailed")


def test_texts_and_times_of_conditions() -> None:
    first = status({}, Remains({"pods.": 2}, {"a/b": 1}, (), ()), NOW)
    told = {c["type"]: c["message"] for c in first["conditions"]}
    assert told["NamespaceContentRemaining"] == "Some resources are remaining: pods. has 2 resource instances"
    assert told["NamespaceFinalizersRemaining"].endswith("a/b in 1 resource instances")
    assert status({"status": first}, Remains({"pods.": 2}, {"a/b": 1}, (), ()), NOW + 9) == first
    after = status({"status": first}, Remains({}, {}, (), ("b.io/v1",)), NOW + 9)
    changed = {c["type"]: c["lastTransitionTime"] for c in after["conditions"]}
    assert changed["NamespaceContentRemaining"] != changed["NamespaceDeletionContentFailure"]
    assert conditions_of(after)["NamespaceDeletionDiscoveryFailure"][0] == "True"


# --- what every namespace is given

LIVE = {"metadata": {"name": "ns"}, "status": {"phase": "Active"}}
DYING = {"metadata": {"name": "ns"}, "status": {"phase": "Terminating"}}


def test_the_default_service_account() -> None:
    assert said(serviceaccount.plan(serviceaccount.View(LIVE, None))) == ["create serviceaccounts default"]
    assert serviceaccount.plan(serviceaccount.View(LIVE, {"metadata": meta("default")})) == []
    assert serviceaccount.plan(serviceaccount.View(DYING, None)) == []


def test_the_root_certificate() -> None:
    def planned(space: Object, held: Object | None) -> list[str]:
        return said(root_ca.plan(root_ca.View(space, held, "PEM")))

    assert planned(LIVE, None) == ["create configmaps kube-root-ca.crt"]
    assert planned(DYING, None) == []
    right = {"metadata": meta("kube-root-ca.crt"), "data": {"ca.crt": "PEM"}}
    assert planned(LIVE, right) == []
    assert planned(LIVE, right | {"data": {"ca.crt": "other"}}) == ["update configmaps kube-root-ca.crt"]


# --- the component


def test_controllers_have_names_of_their_own() -> None:
    names = [c.name for c in controllers.CONTROLLERS] + [name for name, _ in controllers.OTHERS]
    assert len(names) == len(set(names))


def test_an_unknown_controller_cannot_be_switched_off() -> None:
    config = controllers.Config(disabled=frozenset({"no-such-controller"}))
    with pytest.raises(ValueError, match="no-such-controller"):
        asyncio.run(controllers.run(Api(), config, lambda: None))  # type: ignore[arg-type]
