from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.admission import pod_security_checks as checks
from sampan.control_plane.apiserver.admission.model import CREATE, UPDATE, Request
from sampan.control_plane.apiserver.admission.pod_security import PREFIX, PodSecurity, policy
from sampan.control_plane.apiserver.authn.model import User
from unit.control_plane.apiserver.fakes import FakeView, named

GOLDEN = orjson.loads(Path(__file__).parents[4].joinpath("golden", "pod-security-1.37.json").read_bytes())
ROOT = {"containers": [{"name": "c", "securityContext": {"privileged": True}}]}
PLAIN = {"containers": [{"name": "c", "image": "x"}]}
SAFE: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "c",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}


def namespace(**labels: str) -> dict[str, Any]:
    made = named("ns")
    made["metadata"]["labels"] = {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}
    return made


def meet(
    what: str,
    obj: dict[str, Any],
    labels: dict[str, str] | None = None,
    old: dict[str, Any] | None = None,
    view: FakeView | None = None,
) -> Request:
    view = view or FakeView()
    view.put("", "namespaces", namespace(**(labels or {})))
    resource, _, group = what.partition(".")
    plural, _, subresource = resource.partition("/")
    request = Request(
        user=User("x"),
        operation=UPDATE if old is not None else CREATE,
        group=group,
        version="v1",
        resource=plural,
        subresource=subresource,
        kind="",
        namespace="" if plural == "namespaces" else "ns",
        name=obj["metadata"]["name"],
        object=obj,
        old=old,
    )
    plugin = PodSecurity(view)
    if plugin.handles(request):
        asyncio.run(plugin.validate(request))
    return request


def refusal(*arguments: Any, **rest: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        meet(*arguments, **rest)
    return raised.value


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_verdicts_are_those_of_kube_apiserver(number: int) -> None:
    """Recorded from kube-apiserver 1.37.2 for random pods."""
    case = GOLDEN[number]
    pod = named("p", "ns", spec=case["spec"])
    if case["message"]:
        assert refusal("pods", pod, {"enforce": case["level"]}).message == case["message"]
    else:
        meet("pods", pod, {"enforce": case["level"]})


def test_levels_contain_each_other() -> None:
    for case in GOLDEN:
        pod = checks.pod_of({}, case["spec"])
        if not checks.evaluate(checks.RESTRICTED, pod):
            assert checks.evaluate(checks.BASELINE, pod) == []
        assert checks.evaluate(checks.PRIVILEGED, pod) == []


def test_a_namespace_without_labels_bounds_nothing() -> None:
    assert meet("pods", named("p", "ns", spec=ROOT)).warnings == []


def test_enforcing_warns_workloads_too() -> None:
    request = meet(
        "deployments.apps", named("d", "ns", spec={"template": {"spec": ROOT}}), {"enforce": "baseline"}
    )
    assert request.warnings == [
        'would violate PodSecurity "baseline:latest": privileged (container "c" must not set '
        "securityContext.privileged=true)"
    ]
    job = {"jobTemplate": {"spec": {"template": {"spec": ROOT}}}}
    assert meet("cronjobs.batch", named("j", "ns", spec=job), {"enforce": "baseline"}).warnings
    assert not meet("deployments.apps", named("d", "ns", spec={}), {"enforce": "baseline"}).warnings


def test_warnings_and_audit_refuse_nothing() -> None:
    labels = {"warn": "restricted", "warn_version": "v1.30", "audit": "baseline"}
    request = meet("pods", named("p", "ns", spec=ROOT), labels)
    assert request.warnings[0].startswith('would violate PodSecurity "restricted:v1.30": privileged (')
    violations = request.annotations["pod-security.kubernetes.io/audit-violations"]
    assert violations.startswith('would violate PodSecurity "baseline:latest": privileged')
    assert meet("pods", named("p", "ns", spec=SAFE), {"enforce": "restricted"}).warnings == []


@pytest.mark.parametrize("subresource", ["status", "exec", "binding", "eviction"])
def test_subresources_without_a_pod_are_passed_over(subresource: str) -> None:
    meet(f"pods/{subresource}", named("p", "ns", spec=ROOT), {"enforce": "baseline"})


def test_an_update_counts_when_containers_change() -> None:
    old = named("p", "ns", spec=ROOT)
    labels = {"enforce": "baseline"}
    meet("pods", old, labels, old)
    changed = named("p", "ns", spec={"containers": [{**ROOT["containers"][0], "image": "new"}]})
    assert refusal("pods", changed, labels, old).code == 403
    debug = named(
        "p",
        "ns",
        spec={**PLAIN, "ephemeralContainers": [{"name": "d", "securityContext": {"privileged": True}}]},
    )
    assert refusal("pods/ephemeralcontainers", debug, labels, named("p", "ns", spec=PLAIN)).code == 403


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("enforce", "strict", "must be one of privileged, baseline, restricted"),
        ("warn", "", "must be one of privileged, baseline, restricted"),
        ("audit_version", "1.30", 'must be "latest" or "v1.x"'),
    ],
)
def test_labels_must_be_good(label: str, value: str, said: str) -> None:
    error = refusal("namespaces", namespace(**{label: value}))
    assert error.code == 422
    assert said in error.message
    bad = namespace(**{label: value})
    meet("namespaces", bad, None, bad)
    assert refusal("namespaces", bad, None, namespace()).code == 422


def test_a_bad_label_that_is_there_fails_closed_for_enforce_only() -> None:
    found, causes = policy({PREFIX + "enforce": "x", PREFIX + "warn": "x"})
    assert (found.enforce.level, found.warn.level, len(causes)) == ("restricted", "privileged", 2)


def test_a_stricter_label_tells_of_the_pods_that_run() -> None:
    view = FakeView()
    view.put("", "pods", *(named(f"p{n}", "ns", spec=ROOT) for n in range(3)), named("safe", "ns", spec=SAFE))
    request = meet("namespaces", namespace(enforce="baseline"), None, namespace(), view)
    assert request.warnings == [
        'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
        "p0 (and 2 other pods): privileged",
    ]
    relaxed = meet("namespaces", namespace(enforce="baseline"), None, namespace(enforce="restricted"), view)
    assert relaxed.warnings == []
