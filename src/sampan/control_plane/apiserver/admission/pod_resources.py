"""What a whole pod asks for: containers together, init containers one after another, sidecars beside both.

k8s.io/component-helpers resource/helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sampan.api import quantity
from sampan.api.quantity import Quantity

# What spec.resources may speak of for the pod as a whole.
_POD_LEVEL: Final = ("cpu", "memory")


def parsed(amounts: Mapping[str, Any] | None) -> dict[str, Quantity]:
    return {name: quantity.parse(value) for name, value in (amounts or {}).items()}


def total(pod_spec: Mapping[str, Any], part: str) -> dict[str, Quantity]:
    """part: "requests" or "limits"."""

    def of(container: Mapping[str, Any]) -> dict[str, Quantity]:
        return parsed((container.get("resources") or {}).get(part))

    together: dict[str, Quantity] = {}
    for container in pod_spec.get("containers") or ():
        _add(together, of(container))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in pod_spec.get("initContainers") or ():
        amounts = of(container)
        if container.get("restartPolicy") == "Always":
            _add(together, amounts)
            _add(sidecars, amounts)
            amounts = dict(sidecars)
        else:
            _add(amounts, sidecars)
        _raise(peak, amounts)
    _raise(together, peak)
    own = parsed((pod_spec.get("resources") or {}).get(part))
    together.update({n: a for n, a in own.items() if n in _POD_LEVEL or n.startswith("hugepages-")})
    return together


def _add(sums: dict[str, Quantity], amounts: Mapping[str, Quantity]) -> None:
    for name, amount in amounts.items():
        sums[name] = sums[name].add(amount) if name in sums else amount


def _raise(tops: dict[str, Quantity], amounts: Mapping[str, Quantity]) -> None:
    for name, amount in amounts.items():
        if name not in tops or amount.compare(tops[name]) > 0:
            tops[name] = amount
