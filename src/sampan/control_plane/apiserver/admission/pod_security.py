"""PodSecurity: what pods of a namespace may do, by the namespace's labels.

k8s.io/pod-security-admission admission/admission.go, api/helpers.go. The version labels are checked and shown; the
newest rules apply to all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sampan.api.field import error as field
from sampan.api.status import Cause, invalid
from sampan.control_plane.apiserver.admission import pod_security_checks as checks
from sampan.control_plane.apiserver.admission.model import (
    CREATE,
    UPDATE,
    Local,
    Request,
    metadata,
    refused,
    spec,
)
from sampan.control_plane.apiserver.admission.pod_security_checks import LEVELS, PRIVILEGED, Finding
from sampan.control_plane.apiserver.view import Object, View

PREFIX: Final = "pod-security.kubernetes.io/"
MAX_PODS: Final = 3000  # of a namespace that are looked at when its label changes
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]*)")
_TEMPLATES: Final = {
    ("", "podtemplates"): ("template",),
    ("", "replicationcontrollers"): ("spec", "template"),
    ("apps", "replicasets"): ("spec", "template"),
    ("apps", "deployments"): ("spec", "template"),
    ("apps", "statefulsets"): ("spec", "template"),
    ("apps", "daemonsets"): ("spec", "template"),
    ("batch", "jobs"): ("spec", "template"),
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
}
_POD_SUBRESOURCES: Final = ("", "ephemeralcontainers", "resize")


class Mode(NamedTuple):
    level: str = PRIVILEGED
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


class Policy(NamedTuple):
    enforce: Mode
    audit: Mode
    warn: Mode


def policy(labels: Mapping[str, str]) -> tuple[Policy, list[Cause]]:
    """What a namespace's labels say, and what is wrong with them. A bad enforce level is taken for restricted."""
    causes: list[Cause] = []
    modes: dict[str, Mode] = {}
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(PREFIX + mode), labels.get(f"{PREFIX}{mode}-version")
        if level is not None and level not in LEVELS:
            causes.append(_bad_label(PREFIX + mode, level, f"must be one of {', '.join(LEVELS)}"))
            level = checks.RESTRICTED if mode == "enforce" else PRIVILEGED
        if version is not None and version != "latest" and _VERSION.fullmatch(version) is None:
            causes.append(_bad_label(f"{PREFIX}{mode}-version", version, 'must be "latest" or "v1.x"'))
            version = None
        modes[mode] = Mode(level or PRIVILEGED, version or "latest")
    good_enforce = labels.get(PREFIX + "enforce") in LEVELS
    if good_enforce and PREFIX + "warn" not in labels and modes["enforce"].level != PRIVILEGED:
        # Who enforces is warned by the same level, so that workloads are told before their pods fail.
        version = modes["warn" if f"{PREFIX}warn-version" in labels else "enforce"].version
        modes["warn"] = Mode(modes["enforce"].level, version)
    return Policy(modes["enforce"], modes["audit"], modes["warn"]), causes


def _bad_label(label: str, value: str, text: str) -> Cause:
    return field.invalid(f"metadata.labels[{label}]", value, text)


class PodSecurity(Local):
    name = "PodSecurity"
    operations = frozenset({CREATE, UPDATE})

    def __init__(self, view: View) -> None:
        self._view = view

    def handles(self, request: Request, /) -> bool:
        if request.operation not in self.operations or request.object is None:
            return False
        if request.resource == "pods":
            return request.group == "" and request.subresource in _POD_SUBRESOURCES
        if request.subresource:
            return False
        key = (request.group, request.resource)
        return key in _TEMPLATES or key == ("", "namespaces")

    async def validate(self, request: Request, /) -> None:
        if request.resource == "namespaces":
            self._namespace(request)
            return
        namespace = self._view.get("", "namespaces", "", request.namespace)
        found, _ = policy(metadata(namespace).get("labels") or {})
        if all(mode.level == PRIVILEGED for mode in found):
            return
        if request.resource == "pods":
            if request.operation == CREATE or _significant(spec(request.object), spec(request.old)):
                self._judge(request, found, request.object or {}, enforce=True)
        elif (template := _template(request)) is not None:
            self._judge(request, found, template, enforce=False)

    def _judge(self, request: Request, found: Policy, obj: Object, *, enforce: bool) -> None:
        pod = checks.pod_of(metadata(obj), spec(obj))
        if enforce:
            request.annotations[f"{PREFIX}enforce-policy"] = str(found.enforce)
            wrong = checks.evaluate(found.enforce.level, pod)
            if wrong:
                raise refused(request, f'violates PodSecurity "{found.enforce}": {_told(wrong)}')
        wrong = checks.evaluate(found.audit.level, pod)
        if wrong:
            text = f'would violate PodSecurity "{found.audit}": {_told(wrong)}'
            request.annotations[f"{PREFIX}audit-violations"] = text
        wrong = checks.evaluate(found.warn.level, pod)
        if wrong:
            request.warnings.append(f'would violate PodSecurity "{found.warn}": {_told(wrong)}')

    def _namespace(self, request: Request) -> None:
        new, causes = policy(metadata(request.object).get("labels") or {})
        old, old_causes = policy(metadata(request.old).get("labels") or {})
        if causes and (request.operation == CREATE or causes != old_causes):
            raise invalid("", "Namespace", request.name, causes)
        if request.operation != UPDATE or new.enforce == old.enforce or new.enforce.level == PRIVILEGED:
            return
        relaxed = LEVELS.index(new.enforce.level) <= LEVELS.index(old.enforce.level)
        if new.enforce.version == old.enforce.version and relaxed:
            return
        request.warnings.extend(self._existing(request.name, new.enforce))

    def _existing(self, namespace: str, mode: Mode) -> list[str]:
        """Which pods that run already would not be let in any more; one line per kind of violation."""
        pods = sorted(self._view.list("", "pods", namespace), key=lambda pod: str(metadata(pod).get("name")))
        named: dict[str, list[str]] = {}
        for pod in pods[:MAX_PODS]:
            wrong = checks.evaluate(mode.level, checks.pod_of(metadata(pod), spec(pod)))
            if wrong:
                reasons = ", ".join(finding.reason for finding in wrong)
                named.setdefault(reasons, []).append(str(metadata(pod).get("name")))
        warnings: list[str] = []
        if len(pods) > MAX_PODS:
            text = f"only checked against the first {MAX_PODS} of {len(pods)} existing pods"
            warnings.append(f"new PodSecurity enforce level {text}")
        if named:
            text = (
                f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{mode}"'
            )
            warnings.append(text)
        return [*warnings, *sorted(_line(names, reasons) for reasons, names in named.items())]


def _line(names: list[str], reasons: str) -> str:
    others = len(names) - 1
    if not others:
        return f"{names[0]}: {reasons}"
    return f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'}): {reasons}"


def _told(wrong: list[Finding]) -> str:
    return ", ".join(map(str, wrong))


def _template(request: Request) -> dict[str, Any] | None:
    found: Any = request.object
    for key in _TEMPLATES[request.group, request.resource]:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, dict) else None


def _significant(new: Object, old: Object) -> bool:
    """Whether an update touches what the checks look at: images, and containers that come."""

    def images(pod_spec: Object, kind: str) -> dict[str, Any]:
        return {str(c.get("name")): c.get("image") for c in pod_spec.get(kind) or ()}

    if any(images(new, kind) != images(old, kind) for kind in ("containers", "initContainers")):
        return True
    before = images(old, "ephemeralContainers")
    after = images(new, "ephemeralContainers")
    return any(name not in before or before[name] != image for name, image in after.items())
