"""Binding a pod to a node, and evicting it as far as its disruption budget allows.

k8s.io/kubernetes pkg/registry/core/pod/storage/{storage,eviction}.go.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.api.kinds import Resource
from sampan.api.selector import labels
from sampan.api.status import (
    ApiError,
    Cause,
    bad_request,
    conflict,
    internal,
    invalid,
    not_found,
    too_many_requests,
)
from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.admission.model import CREATE
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.cache.watcher import Filter
from sampan.control_plane.apiserver.registry import metadata
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs.scope import Scope, call
from sampan.control_plane.apiserver.wire import answer, body

Object = dict[str, Any]

BINDING: Final = Resource("", "v1", "Binding", "bindings", "binding", True)
EVICTION: Final = Resource("policy", "v1", "Eviction", "evictions", "eviction", True)
CREATED: Final[Object] = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Success",
    "code": 201,
}
MAX_DISRUPTED: Final = 2000  # as upstream's MaxDisruptedPodSize


class Binding:
    """POST pods/NAME/binding, and POST bindings with the pod's name in the metadata."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(self, request: Request, route: Route, served: Served, user: User) -> Response:
        action = call(request, route, served, user, "CreateOptions")
        binding = body.expect_typed(body.decode(request, strict=False, expected="Binding").object, BINDING)
        if served.resource.plural == "bindings":
            pods = self._scope.resources.find("", "v1", "pods")
            if pods is None:
                raise not_found("", "pods", "")
            action = action.on(pods, route.place, str(binding["metadata"].get("name") or ""), "binding")
        if binding["metadata"].get("name") != action.name:
            raise bad_request("name in URL does not match name in Binding object")
        metadata.match_namespace(binding["metadata"], route.place)
        _check_target(binding, action.name)
        store = self._scope.store
        admission = store.admission(action, CREATE, binding)
        admission.kind = "Binding"
        await store.chain.admit(admission)
        await store.chain.validate(admission)
        await self._assign(action, binding)
        return answer.json(CREATED, 201, action.warnings)

    async def _assign(self, action: Call, binding: Object) -> None:
        meta, node = binding["metadata"], binding["target"]["name"]

        async def assign(old: Object | None) -> Object:
            pod = old or {}
            self._check_pod(pod, action.name)
            spec = {**pod["spec"], "nodeName": node}
            status = dict(pod.get("status") or {})
            status["conditions"] = _scheduled(
                status.get("conditions") or [], metadata.timestamp(self._scope.clock())
            )
            pod_meta = dict(pod["metadata"])
            pod_meta.pop("resourceVersion", None)
            for field in ("annotations", "labels"):
                if meta.get(field):
                    pod_meta[field] = {**(pod_meta.get(field) or {}), **meta[field]}
            # as upstream: who bound a pod is not noted among its managers
            return {**pod, "metadata": pod_meta, "spec": spec, "status": status}

        await self._scope.store.update(
            action,
            assign,
            uid=str(meta.get("uid") or ""),
            revision=str(meta.get("resourceVersion") or ""),
            admit=False,
            prepare=False,
        )

    @staticmethod
    def _check_pod(pod: Object, name: str) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            raise conflict(
                "", "pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host"
            )
        spec = pod.get("spec") or {}
        if spec.get("nodeName"):
            why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
            raise conflict("", "pods/binding", name, why)
        if spec.get("schedulingGates"):
            why = f"pod {name} has non-empty .spec.schedulingGates"
            raise conflict("", "pods/binding", name, why)


def _check_target(binding: Object, name: str) -> None:
    target = binding.get("target")
    target = target if isinstance(target, dict) else {}
    causes: list[Cause] = []
    if target.get("kind") not in (None, "", "Node"):
        causes.append(
            Cause(
                "FieldValueNotSupported",
                f'Unsupported value: "{target["kind"]}": supported values: "Node", "<empty>"',
                "target.kind",
            )
        )
    if not target.get("name"):
        causes.append(Cause("FieldValueRequired", "Required value", "target.name"))
    if causes:
        raise invalid("", "Binding", name, causes)


def _scheduled(conditions: list[Object], now: str) -> list[Object]:
    others = [condition for condition in conditions if condition.get("type") != "PodScheduled"]
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    return [*others, condition]


class Eviction:
    """POST pods/NAME/eviction."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(self, request: Request, route: Route, served: Served, user: User) -> Response:
        action = call(request, route, served, user, "CreateOptions")
        sent = body.decode(request, strict=False, expected="Eviction").object
        version = sent.get("apiVersion") or "policy/v1"
        if version not in ("policy/v1", "policy/v1beta1"):
            version = EVICTION.api_version
        eviction = body.expect_typed(sent, EVICTION, api_version=version)
        name = eviction["metadata"].setdefault("name", route.name)
        if name != route.name:
            raise bad_request("name in URL does not match name in Eviction object")
        store = self._scope.store
        admission = store.admission(action, CREATE, eviction)
        admission.kind = "Eviction"
        await store.chain.admit(admission)
        await store.chain.validate(admission)
        options = dict(eviction.get("deleteOptions") or {})
        for field in ("kind", "apiVersion"):
            options.pop(field, None)
        action.dry_run = action.dry_run or bool(options.get("dryRun"))
        record = store.find(served, route.place, route.name)
        pod = record.object
        if not _ignores_budget(pod):
            await self._spend(action, pod)
            preconditions = dict(options.get("preconditions") or {})
            preconditions.setdefault("uid", pod["metadata"].get("uid"))
            options["preconditions"] = preconditions
        action.subresource = ""
        await self._scope.removal.delete(action, options)
        return answer.json(CREATED, 201, action.warnings)

    async def _spend(self, action: Call, pod: Object) -> None:
        """Takes one disruption from the pod's budget. Raises ApiError 429 where there is none left."""
        budgets = self._scope.resources.find("policy", "v1", "poddisruptionbudgets")
        if budgets is None:
            return
        pod_labels = pod["metadata"].get("labels") or {}
        found = [
            record
            for record in budgets.table.select(_in(action.namespace))
            if _selects(record.object, pod_labels)
        ]
        if len(found) > 1:
            raise internal(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        if not found or (_is_unready(pod) and _always_allows(found[0].object)):
            return
        now = metadata.timestamp(self._scope.clock())
        spending = action.on(budgets, action.namespace, found[0].name, "status")

        async def spend(old: Object | None) -> Object:
            budget = old or {}
            status = dict(budget.get("status") or {})
            _check_budget(budget, status)
            status["disruptionsAllowed"] = status["disruptionsAllowed"] - 1
            status["disruptedPods"] = {**(status.get("disruptedPods") or {}), action.name: now}
            return {**budget, "status": status}

        await self._scope.store.update(spending, spend, admit=False, prepare=False)


def _in(namespace: str) -> Filter:
    return Filter(namespace=namespace)


def _selects(budget: Object, pod_labels: Object) -> bool:
    return labels.Selector.from_object((budget.get("spec") or {}).get("selector")).matches(pod_labels)


def _ignores_budget(pod: Object) -> bool:
    """Pods that do not run count for no budget."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _is_unready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return not any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _always_allows(budget: Object) -> bool:
    """Whether an unready pod may go: always, or as long as enough others are healthy."""
    status = budget.get("status") or {}
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return bool(0 < status.get("desiredHealthy", 0) <= status.get("currentHealthy", 0))


def _check_budget(budget: Object, status: Object) -> None:
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", retry=10)
    if status.get("disruptionsAllowed", 0) <= 0:
        needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _refused(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently")
    if len(status.get("disruptedPods") or {}) > MAX_DISRUPTED:
        raise _refused(f"The disruption budget {name} has too many evictions that are not confirmed yet")


def _refused(why: str, retry: int = 0) -> ApiError:
    error = too_many_requests(
        "Cannot evict pod as it would violate the pod's disruption budget.", retry_after=retry
    )
    error.causes = (Cause("DisruptionBudget", why),)
    return error
