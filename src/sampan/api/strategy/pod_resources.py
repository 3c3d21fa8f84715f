"""Resources of a whole pod: what is left out follows from its containers.

Source: pkg/api/pod/util.go (DefaultPodLevelResources), k8s.io/component-helpers resource/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sampan.api import quantity
from sampan.api.quantity import Quantity
from sampan.api.strategy.model import Object

Amounts = dict[str, Quantity]

_OVERCOMMITTED: Final = ("cpu", "memory")
_NONE: Final = quantity.parse("0")


def complete(spec: Object) -> None:
    """Requests follow from the containers' requests, then from the limits; limits from limits that all containers have."""
    resources = spec.get("resources")
    if not resources or not (resources.get("requests") or resources.get("limits")):
        return
    requests, limits = dict(resources.get("requests") or {}), dict(resources.get("limits") or {})
    of_containers = total(spec, "limits")
    for name, amount in of_containers.items():
        if _is_huge(name) and name not in requests:
            limits.setdefault(name, str(amount))
    for name, amount in total(spec, "requests").items():
        if name in _OVERCOMMITTED:
            requests.setdefault(name, str(amount))
    for name, text in limits.items():
        if _is_supported(name):
            requests.setdefault(name, text)
    for name in requests:
        known = name in of_containers and name not in limits and _is_supported(name)
        if known and _limited_everywhere(spec, name):
            limits[name] = str(_greater(of_containers[name], _amount(requests[name])))
    for field, found in (("requests", requests), ("limits", limits)):
        if found:
            resources[field] = found


def _is_huge(name: str) -> bool:
    return name.startswith("hugepages-")


def _is_supported(name: str) -> bool:
    return name in _OVERCOMMITTED or _is_huge(name)


def _limited_everywhere(spec: Object, name: str) -> bool:
    kinds = ("containers", "initContainers", "ephemeralContainers")
    found = [container for kind in kinds for container in spec.get(kind) or ()]
    return bool(found) and all(
        name in ((container.get("resources") or {}).get("limits") or {}) for container in found
    )


def total(spec: Object, field: str) -> Amounts:
    """What all containers need together: those that run at once are added, and starting may need more than running."""
    running: Amounts = {}
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("containers") or ():
        _add(running, container, field)
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            _add(running, container, field)
            _add(sidecars, container, field)
            now = sidecars
        else:
            now = dict(sidecars)
            _add(now, container, field)
        for name, amount in now.items():
            starting[name] = _greater(starting.get(name, _NONE), amount)
    for name, amount in starting.items():
        running[name] = _greater(running[name], amount) if name in running else amount
    return running


def _add(found: Amounts, container: Object, field: str) -> None:
    for name, amount in _listed(container, field):
        found[name] = found[name].add(amount) if name in found else amount


def _listed(container: Object, field: str) -> Iterator[tuple[str, Quantity]]:
    """Texts that are no amounts are validation's to name."""
    for name, text in ((container.get("resources") or {}).get(field) or {}).items():
        try:
            yield name, quantity.parse(text)
        except quantity.QuantityError:
            continue


def _amount(text: str) -> Quantity:
    try:
        return quantity.parse(text)
    except quantity.QuantityError:
        return _NONE


def _greater(one: Quantity, other: Quantity) -> Quantity:
    return other if other.compare(one) > 0 else one
