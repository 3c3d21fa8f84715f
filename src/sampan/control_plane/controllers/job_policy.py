"""What a Job's podFailurePolicy and successPolicy say: pure. Behaviour: pod_failure_policy.go, success_policy.go."""

from __future__ import annotations

from typing import Any, NamedTuple

from sampan.control_plane.controllers import indexes

Object = dict[str, Any]


class Verdict(NamedTuple):
    """`action` is FailJob, FailIndex, Ignore, Count or "" when no rule matches."""

    action: str
    message: str = ""

    @property
    def counts(self) -> bool:
        return self.action != "Ignore"


def of_pod(policy: Object | None, pod: Object) -> Verdict:
    """The first rule that matches a failed pod."""
    for place, rule in enumerate((policy or {}).get("rules") or ()):
        if "onExitCodes" in rule:
            found = _exit_code(rule["onExitCodes"], pod)
            if found is not None:
                name, code = found
                meta = pod["metadata"]
                text = (
                    f"Container {name} for pod {meta['namespace']}/{meta['name']} failed with exit code {code} "
                    f"matching {rule['action']} rule at index {place}"
                )
                return Verdict(rule["action"], text)
        elif "onPodConditions" in rule:
            kind = _condition(rule["onPodConditions"], pod)
            if kind is not None:
                meta = pod["metadata"]
                text = (
                    f"Pod {meta['namespace']}/{meta['name']} has condition {kind} "
                    f"matching {rule['action']} rule at index {place}"
                )
                return Verdict(rule["action"], text)
    return Verdict("")


def _exit_code(wanted: Object, pod: Object) -> tuple[str, int] | None:
    status = pod.get("status") or {}
    for each in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        name = wanted.get("containerName")
        ended = (each.get("state") or {}).get("terminated")
        if (name and each["name"] != name) or not ended or ended.get("exitCode", 0) == 0:
            continue
        if (ended["exitCode"] in wanted["values"]) == (wanted["operator"] == "In"):
            return each["name"], ended["exitCode"]
    return None


def _condition(patterns: list[Object], pod: Object) -> str | None:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        for pattern in patterns:
            if pattern["type"] == condition["type"] and pattern.get("status", "True") == condition["status"]:
                return str(condition["type"])
    return None


def success(policy: Object | None, completions: int, succeeded: frozenset[int]) -> str | None:
    """The message of the first success rule that the succeeded indexes meet."""
    for place, rule in enumerate((policy or {}).get("rules") or ()):
        wanted = (
            indexes.parse(rule["succeededIndexes"], completions) if rule.get("succeededIndexes") else None
        )
        met = succeeded if wanted is None else succeeded & wanted
        needed = rule.get("succeededCount")
        if needed is None:
            needed = len(wanted) if wanted is not None else completions
        if len(met) >= needed:
            return f"Matched rules at index {place}"
    return None
