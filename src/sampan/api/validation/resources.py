"""Resources that containers and whole pods ask for. Source: pkg/apis/core/validation/validation.go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sampan.api.field import content, error
from sampan.api.quantity import Quantity
from sampan.api.strategy import pod_resources
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

NameRule = Callable[[str, str], Causes]  # name, path

_STANDARD: Final = ("cpu", "memory", "ephemeral-storage", "storage", "pods", "services", "secrets")
_OF_CONTAINERS: Final = ("cpu", "memory", "ephemeral-storage")
_OF_PODS: Final = ("cpu", "hugepages-", "memory")


def _is_huge(name: str) -> bool:
    return name.startswith("hugepages-")


def of_container(name: str, path: str) -> Causes:
    yield from _standard(name, path)
    if "/" not in name and name not in _OF_CONTAINERS and not _is_huge(name):
        yield error.invalid(path, name, "must be a standard resource for containers")


def of_pod(name: str, path: str) -> Causes:
    wrong = list(_standard(name, path))
    yield from wrong
    if not wrong and name not in _OF_PODS and not _is_huge(name):
        yield error.not_supported(path, name, _OF_PODS)


def _standard(name: str, path: str) -> Causes:
    wrong = content.label_key(name)
    yield from error.each_invalid(path, name, wrong)
    if not wrong and "/" not in name and name not in _STANDARD and not _is_huge(name):
        yield error.invalid(path, name, "must be a standard resource type or fully qualified")


def requirements(found: Object, path: str, name_rule: NameRule = of_container) -> Causes:
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    for name, value in limits.items():
        yield from _amount(name, value, error.key(error.child(path, "limits"), name), name_rule)
    at = error.child(path, "requests")
    for name, value in requests.items():
        yield from _amount(name, value, error.key(at, name), name_rule)
        wanted, limit = rules.amount(value), rules.amount(limits.get(name))
        overcommits = "/" not in name and not _is_huge(name)
        if wanted is None:
            continue
        if limit is not None:
            if wanted.compare(limit) and not overcommits:
                yield error.invalid(at, str(wanted), f"must be equal to {name} limit of {limit}")
            elif wanted.compare(limit) > 0:
                yield error.invalid(at, str(wanted), f"must be less than or equal to {name} limit of {limit}")
        elif not overcommits:
            text = "Limit must be set for non overcommitable resources"
            yield error.required(error.child(path, "limits"), text)
    names = limits.keys() | requests.keys()
    if any(map(_is_huge, names)) and not names & {"cpu", "memory"}:
        yield error.forbidden(path, "HugePages require cpu or memory")


def _amount(name: str, value: Any, path: str, name_rule: NameRule) -> Causes:
    yield from name_rule(name, path)
    yield from rules.quantity_value(path, value, whole="/" in name)
    page, amount = rules.amount(name.partition("-")[2]) if _is_huge(name) else None, rules.amount(value)
    if page is not None and amount is not None and page.nanos and amount.nanos % page.nanos:
        yield error.invalid(path, str(amount), f"{amount} is not positive integer multiple of {name}")


def whole_pod(spec: Object, path: str) -> Causes:
    """What the pod asks for is enough for its containers, and none of them may have more than the pod."""
    found = spec.get("resources")
    if found is None:
        return
    at = error.child(path, "resources")
    if (spec.get("os") or {}).get("name") == "windows":
        yield error.forbidden(at, "may not be set for a windows pod")
        return
    if found.get("claims") is not None:
        yield error.forbidden(f"{at}.claims", "claims may not be set for Resources at pod-level")
    yield from requirements(found, at, of_pod)
    asked, limits = found.get("requests") or {}, found.get("limits") or {}
    for name, total in pod_resources.total(spec, "requests").items():
        yield from _at_least(asked, name, total, f"{at}.requests", "requests")
    for name, total in pod_resources.total(spec, "limits").items():
        if _is_huge(name):
            yield from _at_least(limits, name, total, f"{at}.limits", "limits")
    for place, container in enumerate(spec.get("containers") or ()):
        for name, value in ((container.get("resources") or {}).get("limits") or {}).items():
            own, most = rules.amount(value), rules.amount(limits.get(name))
            if own is not None and most is not None and own.compare(most) > 0:
                where = f"{at}.containers[{place}][{name}].limits"
                yield error.invalid(where, str(own), f"must be less than or equal to pod limits of {most}")


def _at_least(given: Object, name: str, total: Quantity, path: str, what: str) -> Causes:
    amount = rules.amount(given.get(name))
    if amount is not None and total.compare(amount) > 0:
        text = f"must be greater than or equal to aggregate container {what} of {total}"
        yield error.invalid(error.key(path, name), str(amount), text)
