"""Defaults of HorizontalPodAutoscalers. Source: pkg/apis/autoscaling/v2/defaults.go and v1/conversion.go."""

from __future__ import annotations

from typing import Any, Final

from sampan.api.defaults.setting import Object, child, empty, unset
from sampan.api.patch.plain import clone

_CPU_PERCENT: Final = 80  # DefaultCPUUtilization
_CPU_METRIC: Final[Object] = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": _CPU_PERCENT}},
}
_SCALE_UP: Final[Object] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_SCALE_DOWN: Final[Object] = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


def horizontal_pod_autoscaler(obj: Object) -> None:
    spec = child(obj, "spec")
    unset(spec, minReplicas=1)
    empty(spec, metrics=[clone(_CPU_METRIC)])
    behavior = spec.get("behavior")
    if behavior is not None:
        behavior["scaleUp"] = _rules(behavior.get("scaleUp"), _SCALE_UP)
        behavior["scaleDown"] = _rules(behavior.get("scaleDown"), _SCALE_DOWN)


def _rules(given: Any, defaults: Object) -> Object:
    return {**clone(defaults), **{key: value for key, value in (given or {}).items() if value is not None}}


def horizontal_pod_autoscaler_v1(obj: Object) -> None:
    spec = child(obj, "spec")
    unset(spec, minReplicas=1)
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if "autoscaling.alpha.kubernetes.io/metrics" not in annotations:
        unset(spec, targetCPUUtilizationPercentage=_CPU_PERCENT)
