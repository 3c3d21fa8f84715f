"""Defaults of kinds that concern the cluster: RBAC, extension, scheduling, certificates, flow control, devices.

Source: pkg/apis/{rbac,scheduling,certificates,flowcontrol,resource,authentication}/v1/defaults.go, apiextensions and
apiregistration v1 defaults.go.
"""

from __future__ import annotations

from typing import Final

from sampan.api.defaults.setting import Object, child, empty, items, unset

_RBAC: Final = "rbac.authorization.k8s.io"


def role_binding(obj: Object) -> None:
    empty(child(obj, "roleRef"), apiGroup=_RBAC)
    for subject in items(obj, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            empty(subject, apiGroup=_RBAC)


def custom_resource_definition(obj: Object) -> None:
    spec = child(obj, "spec")
    names = child(spec, "names")
    kind = names.get("kind") or ""
    empty(names, singular=kind.lower())
    if kind:
        empty(names, listKind=f"{kind}List")
    unset(spec, conversion={"strategy": "None"})
    webhook = spec["conversion"].get("webhook") or {}
    reference = (webhook.get("clientConfig") or {}).get("service")
    if reference is not None:
        unset(reference, port=443)
    status = child(obj, "status")
    stored = next(
        (version.get("name") for version in items(spec, "versions") if version.get("storage")), None
    )
    if stored is not None:
        empty(status, storedVersions=[stored])


def api_service(obj: Object) -> None:
    reference = child(obj, "spec").get("service")
    if reference is not None:
        unset(reference, port=443)


def priority_class(obj: Object) -> None:
    unset(obj, preemptionPolicy="PreemptLowerPriority")


def token_request(obj: Object) -> None:
    unset(child(obj, "spec"), expirationSeconds=3600)


def certificate_signing_request(obj: Object) -> None:
    empty(child(obj, "spec"), usages=["digital signature", "key encipherment"])


def flow_schema(obj: Object) -> None:
    empty(child(obj, "spec"), matchingPrecedence=1000)


def priority_level(obj: Object) -> None:
    spec = child(obj, "spec")
    if spec.get("exempt") is not None:
        unset(spec["exempt"], nominalConcurrencyShares=0, lendablePercent=0)
    limited = spec.get("limited")
    if limited is not None:
        unset(limited, nominalConcurrencyShares=30, lendablePercent=0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            empty(queuing, handSize=8, queues=64, queueLengthLimit=50)


def _device_request(request: Object) -> None:
    empty(request, allocationMode="ExactCount")
    if request["allocationMode"] == "ExactCount":
        empty(request, count=1)


def _claim_spec(spec: Object) -> None:
    for request in items(child(spec, "devices"), "requests"):
        if request.get("exactly") is not None:
            _device_request(request["exactly"])
            _tolerations(request["exactly"])
        elif "deviceClassName" in request:  # v1beta1 has the fields in the request itself
            _device_request(request)
            _tolerations(request)
        for alternative in items(request, "firstAvailable"):
            _device_request(alternative)
            _tolerations(alternative)


def _tolerations(request: Object) -> None:
    for toleration in items(request, "tolerations"):
        empty(toleration, operator="Equal")


def resource_claim(obj: Object) -> None:
    _claim_spec(child(obj, "spec"))


def resource_claim_template(obj: Object) -> None:
    _claim_spec(child(child(obj, "spec"), "spec"))
