"""StatefulSets: plan tables over names, order, claims and revisions."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.control.plan import Create, Patch
from sampan.control_plane.controllers import ordinals, revisions, statefulset
from sampan.control_plane.controllers.ordinals import STATEFULSETS, View
from workloads import NOW, TEMPLATE, meta, pod, said

Object = dict[str, Any]

CLAIM = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def sts(replicas: int = 3, **spec: Any) -> Object:
    body = {
        "replicas": replicas,
        "serviceName": "svc",
        "selector": {"matchLabels": {"app": "x"}},
        "template": TEMPLATE,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    }
    return {"metadata": meta("db"), "spec": body | spec, "status": {}}


def revision(name: str, image: str = "i", number: int = 1) -> Object:
    template = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": image}]}}
    labels = {revisions.HASH: name.removeprefix("db-")}
    data = {"spec": {"template": template | {"$patch": "replace"}}}
    return {"metadata": meta(name, labels=labels), "data": data, "revision": number}


OLD, NEW = revision("db-old"), revision("db-new", "j", 2)


def member(ordinal: int, phase: str = "Running", revision: Object = NEW, **more: Any) -> Object:
    name = f"db-{ordinal}"
    labels = {"app": "x", ordinals.POD_NAME: name, revisions.POD_LABEL: revision["metadata"]["name"]}
    return pod(name, phase, labels=labels, **more)


def view(owner: Object, *members: Object, claims: Any = (), current: Object = NEW) -> View:
    return View(owner, members, dict(claims), current, NEW, NOW)


PARALLEL = {"podManagementPolicy": "Parallel"}
BROKEN = {"ready": False}


@pytest.mark.parametrize(
    ("spec", "members", "expected"),
    [
        ({}, [], ["create pods db-0"]),
        ({}, [member(0, ready=False)], []),
        ({}, [member(0)], ["create pods db-1"]),
        ({}, [member(0), member(2)], ["create pods db-1"]),
        ({}, [member(0, "Failed")], ["delete pods db-0"]),
        ({}, [member(0, going=True)], []),
        (PARALLEL, [member(1)], ["create pods db-0", "create pods db-2"]),
        ({"ordinals": {"start": 5}}, [], ["create pods db-5"]),
        # too many: from the highest on, one after the other
        ({}, [member(n) for n in range(5)], ["delete pods db-4"]),
        ({}, [*(member(n) for n in range(4)), member(4, going=True)], []),
        (PARALLEL, [member(n) for n in range(5)], ["delete pods db-4", "delete pods db-3"]),
        # a broken pod among those that stay holds everything up
        ({}, [member(0), member(1, ready=False), *(member(n) for n in (2, 3))], []),
    ],
)
def test_members_in_order(spec: Object, members: list[Object], expected: list[str]) -> None:
    assert said(ordinals.plan(view(sts(**spec), *members))) == expected


@pytest.mark.parametrize(
    ("strategy", "spec", "members", "expected"),
    [
        ({}, {}, [member(n, revision=OLD) for n in range(3)], ["delete pods db-2"]),
        ({}, {}, [member(0, revision=OLD), member(1, revision=OLD), member(2, going=True)], []),
        ({}, {}, [member(0, revision=OLD), member(1, revision=OLD), member(2)], ["delete pods db-1"]),
        ({"partition": 2}, {}, [member(0, revision=OLD), member(1, revision=OLD), member(2)], []),
        (
            {"maxUnavailable": 2},
            {},
            [member(n, revision=OLD) for n in range(3)],
            ["delete pods db-2", "delete pods db-1"],
        ),
        (
            {},
            PARALLEL,
            [member(0, revision=OLD), member(1, revision=OLD, ready=False), member(2, revision=OLD)],
            ["delete pods db-1"],
        ),
    ],
)
def test_updates_from_the_top_down(
    strategy: Object, spec: Object, members: list[Object], expected: list[str]
) -> None:
    owner = sts(
        **spec, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0} | strategy}
    )
    assert said(ordinals.plan(view(owner, *members, current=OLD))) == expected


def test_on_delete_waits_for_people() -> None:
    owner = sts(updateStrategy={"type": "OnDelete"})
    assert ordinals.plan(view(owner, *(member(n, revision=OLD) for n in range(3)), current=OLD)) == []


def test_below_the_partition_pods_come_back_as_they_were() -> None:
    owner = sts(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}})
    (action,) = ordinals.plan(view(owner, current=OLD))
    assert isinstance(action, Create)
    assert action.obj["spec"]["containers"][0]["image"] == "i"
    assert action.obj["metadata"]["labels"][revisions.POD_LABEL] == "db-old"


def test_identity_and_claims_of_a_pod() -> None:
    actions = ordinals.plan(view(sts(1, volumeClaimTemplates=[CLAIM])))
    assert said(actions) == ["create persistentvolumeclaims data-db-0", "create pods db-0"]
    claim, made = (action.obj for action in actions if isinstance(action, Create))
    assert claim["metadata"]["labels"] == {"app": "x"}
    assert made["spec"]["hostname"] == "db-0"
    assert made["spec"]["subdomain"] == "svc"
    assert made["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    assert made["metadata"]["labels"][ordinals.POD_INDEX] == "0"


def test_claims_stay_and_are_used_again() -> None:
    held = {"data-db-0": {"metadata": meta("data-db-0")}}
    owner = sts(1, volumeClaimTemplates=[CLAIM])
    assert said(ordinals.plan(view(owner, claims=held))) == ["create pods db-0"]


@pytest.mark.parametrize(
    ("policy", "kinds"),
    [
        ({"whenDeleted": "Retain", "whenScaled": "Retain"}, [None, None]),
        ({"whenDeleted": "Delete", "whenScaled": "Retain"}, ["StatefulSet", "StatefulSet"]),
        ({"whenDeleted": "Retain", "whenScaled": "Delete"}, [None, "Pod"]),
        ({"whenDeleted": "Delete", "whenScaled": "Delete"}, ["StatefulSet", "Pod"]),
    ],
)
def test_who_takes_claims_along(policy: dict[str, str], kinds: list[str | None]) -> None:
    owner = sts(1, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    held = {f"data-db-{n}": {"metadata": meta(f"data-db-{n}")} for n in (0, 1)}
    actions = ordinals.plan(view(owner, member(0), member(1), claims=held))
    given = {a.name: a.body["metadata"]["ownerReferences"] for a in actions if isinstance(a, Patch)}
    found = [given[f"data-db-{n}"][0]["kind"] if f"data-db-{n}" in given else None for n in (0, 1)]
    assert found == kinds


def test_status() -> None:
    owner = sts(4)
    members = (
        member(0),
        member(1, ready=False),
        member(2, revision=OLD),
        member(3, revision=OLD, going=True),
    )
    assert ordinals.status(view(owner, *members, current=OLD)) == {
        "observedGeneration": 1,
        "replicas": 4,
        "readyReplicas": 3,
        "currentReplicas": 1,
        "updatedReplicas": 2,
        "availableReplicas": 3,
        "currentRevision": "db-old",
        "updateRevision": "db-new",
        "collisionCount": 0,
    }


def test_an_update_that_is_over_makes_the_new_revision_current() -> None:
    made = ordinals.status(view(sts(2), member(0), member(1), current=OLD))
    assert (made["currentRevision"], made["currentReplicas"]) == ("db-new", 2)


def test_ordinals() -> None:
    assert [ordinals.ordinal_of(pod(name)) for name in ("db-0", "db-12", "db", "db-x")] == [0, 12, -1, -1]
    assert ordinals.is_member(pod("db-3"), sts())
    assert not ordinals.is_member(pod("other-3"), sts())


# --- revisions


def test_a_new_template_makes_a_revision() -> None:
    owner = sts()
    found, action = revisions.wanted(owner, STATEFULSETS, [])
    assert found is None
    assert isinstance(action, Create)
    made = action.obj
    assert made["revision"] == 1
    assert made["metadata"]["name"] == f"db-{made['metadata']['labels'][revisions.HASH]}"
    assert revisions.template_of(made) == owner["spec"]["template"]
    assert revisions.wanted(owner, STATEFULSETS, [made]) == (made, None)


def test_going_back_renumbers_the_old_revision() -> None:
    found, action = revisions.wanted(sts(), STATEFULSETS, [OLD, NEW])
    assert found is OLD
    assert isinstance(action, Patch)
    assert action.body["revision"] == 3


def test_revisions_beyond_the_limit() -> None:
    listed = [revision(f"db-{n}", str(n), n) for n in range(1, 6)]
    gone = revisions.surplus(listed, {"db-1", "5"}, 1)
    assert [action.name for action in gone] == ["db-2", "db-3"]
    assert revisions.ordered(reversed(listed)) == listed


def test_the_controller_reads_what_it_needs() -> None:
    read = [w.resource.plural for w in statefulset.CONTROLLER.watches]
    assert read == ["statefulsets", "pods", "controllerrevisions", "persistentvolumeclaims"]
