"""LimitRanger: defaults and bounds for the resources of containers, pods and claims of a namespace.

kubernetes plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sampan.api import quantity
from sampan.api.quantity import Quantity
from sampan.api.status import bad_request
from sampan.control_plane.apiserver.admission import pod_resources
from sampan.control_plane.apiserver.admission.model import (
    CREATE,
    UPDATE,
    Local,
    Request,
    metadata,
    refused,
    spec,
)
from sampan.control_plane.apiserver.view import View

ANNOTATION: Final = "kubernetes.io/limit-ranger"
Resources = Mapping[str, Any]


class LimitRanger(Local):
    name = "LimitRanger"
    operations = frozenset({CREATE, UPDATE})

    def __init__(self, view: View) -> None:
        self._view = view

    def handles(self, request: Request, /) -> bool:
        if request.group or request.object is None or request.operation not in self.operations:
            return False
        if request.resource == "pods":
            wanted = (CREATE, "") if request.operation == CREATE else (UPDATE, "resize")
            return (request.operation, request.subresource) == wanted
        return request.resource == "persistentvolumeclaims" and not request.subresource

    async def admit(self, request: Request, /) -> None:
        if request.resource != "pods" or request.object is None or _leaving(request):
            return
        for limits in self._limits(request):
            _set_defaults(request.object, limits)

    async def validate(self, request: Request, /) -> None:
        if request.object is None or _leaving(request):
            return
        for limits in self._limits(request):
            judge = _pod_violations if request.resource == "pods" else _claim_violations
            try:
                wrong = list(judge(limits, request.object))
            except quantity.QuantityError as error:
                raise bad_request(str(error)) from None
            if wrong:
                raise refused(
                    request, wrong[0] if len(wrong) == 1 else "[" + ", ".join(dict.fromkeys(wrong)) + "]"
                )

    def _limits(self, request: Request) -> Iterator[list[Mapping[str, Any]]]:
        for limit_range in self._view.list("", "limitranges", request.namespace):
            yield list(spec(limit_range).get("limits") or ())


def _leaving(request: Request) -> bool:
    return bool(metadata(request.old).get("deletionTimestamp"))


def _set_defaults(pod: dict[str, Any], limits: list[Mapping[str, Any]]) -> None:
    defaults: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for limit in limits:
        if limit.get("type") == "Container":
            defaults["requests"].update(limit.get("defaultRequest") or {})
            defaults["limits"].update(limit.get("default") or {})
    said: list[str] = []
    for kind, shown in (("containers", "container"), ("initContainers", "init container")):
        for container in spec(pod).get(kind) or ():
            said.extend(_merge(container, defaults, shown))
    if said:
        annotations = pod.setdefault("metadata", {}).setdefault("annotations", {})
        annotations[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(said)


def _merge(container: dict[str, Any], defaults: Mapping[str, Mapping[str, Any]], shown: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for part, word in (("requests", "request"), ("limits", "limit")):
        present = resources.get(part) or {}
        missing = {name: value for name, value in defaults[part].items() if name not in present}
        if missing:
            resources[part] = {**present, **missing}
            yield f"{', '.join(sorted(missing))} {word} for {shown} {container.get('name', '')}"


def _pod_violations(limits: list[Mapping[str, Any]], pod: Mapping[str, Any]) -> Iterator[str]:
    pod_spec = spec(pod)
    for limit in limits:
        if limit.get("type") == "Container":
            for kind in ("containers", "initContainers"):
                for container in pod_spec.get(kind) or ():
                    resources = container.get("resources") or {}
                    requests = pod_resources.parsed(resources.get("requests"))
                    yield from _violations(limit, requests, pod_resources.parsed(resources.get("limits")))
        elif limit.get("type") == "Pod":
            yield from _violations(
                limit, pod_resources.total(pod_spec, "requests"), pod_resources.total(pod_spec, "limits")
            )


def _claim_violations(limits: list[Mapping[str, Any]], claim: Mapping[str, Any]) -> Iterator[str]:
    requests = pod_resources.parsed((spec(claim).get("resources") or {}).get("requests"))
    for limit in limits:
        if limit.get("type") != "PersistentVolumeClaim":
            continue
        for name, bound in (limit.get("min") or {}).items():
            yield from _below("PersistentVolumeClaim", name, quantity.parse(bound), requests, {})
        for name, bound in (limit.get("max") or {}).items():
            enforced, given = quantity.parse(bound), requests.get(name)
            text = f"maximum {name} usage per PersistentVolumeClaim is {enforced}"
            if given is None:
                yield f"{text}.  No request is specified"
            elif given.compare(enforced) > 0:
                yield f"{text}, but request is {given}"


Amounts = Mapping[str, Quantity]


def _violations(limit: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    kind = str(limit.get("type"))
    for name, bound in (limit.get("min") or {}).items():
        yield from _below(kind, name, quantity.parse(bound), requests, limits)
    for name, bound in (limit.get("max") or {}).items():
        yield from _above(kind, name, quantity.parse(bound), requests, limits)
    for name, bound in (limit.get("maxLimitRequestRatio") or {}).items():
        yield from _ratio(kind, name, quantity.parse(bound), requests, limits)


def _below(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    request, limit = requests.get(name), limits.get(name)
    text = f"minimum {name} usage per {kind} is {bound}"
    if request is None:
        yield f"{text}.  No request is specified"
    elif request.compare(bound) < 0:
        yield f"{text}, but request is {request}"
    elif limit is not None and limit.compare(bound) < 0:
        yield f"{text}, but limit is {limit}"


def _above(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    request, limit = requests.get(name), limits.get(name)
    text = f"maximum {name} usage per {kind} is {bound}"
    if limit is None:
        yield f"{text}.  No limit is specified"
    elif limit.compare(bound) > 0:
        yield f"{text}, but limit is {limit}"
    elif request is not None and request.compare(bound) > 0:
        yield f"{text}, but request is {request}"


def _ratio(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    request, limit = requests.get(name), limits.get(name)
    text = f"{name} max limit to request ratio per {kind} is {bound}, but "
    if request is None or not request.nanos:
        yield text + "no request is specified or request is 0"
    elif limit is None or not limit.nanos:
        yield text + "no limit is specified or limit is 0"
    elif float(limit) / float(request) > float(bound):
        yield f"{text}provided ratio is {float(limit) / float(request):f}"
