"""Deployments: plan tables, and whole roll-outs played through on virtual time."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.control.plan import Create, Delete, Patch
from sampan.control_plane.controllers import amounts, hashing, rollout, rollout_status
from sampan.control_plane.controllers.deployment import CONTROLLER
from sampan.control_plane.controllers.rollout import DESIRED, HASH_LABEL, HISTORY, MOST, REVISION, View
from workloads import NOW, TEMPLATE, conditions_of, meta, owned, said

Object = dict[str, Any]


def template(image: str) -> Object:
    made = copy.deepcopy(TEMPLATE)
    made["spec"]["containers"][0]["image"] = image
    return made


def deployment(image: str = "new", replicas: int = 4, **spec: Any) -> Object:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    body = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "x"}},
        "template": template(image),
        "strategy": rolling,
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 2,
    }
    return {"metadata": meta("d"), "spec": body | spec, "status": {}}


def rs(
    image: str,
    size: int,
    *,
    available: int | None = None,
    revision: int = 1,
    desired: int = 4,
    age: float = 100,
    **more: Any,
) -> Object:
    up = size if available is None else available
    held = template(image)
    held["metadata"]["labels"] = {"app": "x", HASH_LABEL: image}
    annotations = {REVISION: str(revision), DESIRED: str(desired), MOST: str(desired + 1)}
    return {
        "metadata": meta(
            f"d-{image}",
            age=age,
            annotations=annotations,
            ownerReferences=owned({"metadata": meta("d")}, "Deployment"),
            **more,
        ),
        "spec": {"replicas": size, "template": held},
        "status": {
            "replicas": size,
            "readyReplicas": up,
            "availableReplicas": up,
            "observedGeneration": 1,
            "terminatingReplicas": 0,
        },
    }


def view(owner: Object, *sets: Object, running: frozenset[str] = frozenset()) -> View:
    return View(owner, sets, running, NOW)


def sizes(actions: Any) -> dict[str, int]:
    return {a.name.removeprefix("d-"): a.body["spec"]["replicas"] for a in actions if isinstance(a, Patch)}


def test_the_first_replicaset() -> None:
    (action,) = rollout.plan(view(deployment()))
    assert isinstance(action, Create)
    made = action.obj
    digest = made["metadata"]["labels"][HASH_LABEL]
    assert made["metadata"]["name"] == f"d-{digest}"
    assert made["spec"]["replicas"] == 4
    assert made["spec"]["selector"]["matchLabels"] == {"app": "x", HASH_LABEL: digest}
    assert made["spec"]["template"]["metadata"]["labels"][HASH_LABEL] == digest
    assert made["metadata"]["annotations"] == {REVISION: "1", DESIRED: "4", MOST: "5"}
    assert action.tell is not None
    assert action.tell.done == "Scaled up replica set {name} from 0 to 4"


def test_names_differ_by_template_and_by_collision() -> None:
    plain = hashing.of(template("a"))
    assert plain == hashing.of(template("a"))
    assert len({plain, hashing.of(template("b")), hashing.of(template("a"), 1)}) == 3
    assert set(plain) <= set(hashing.ALPHABET)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        # (size, available) of the new and the old set; 4 wanted, one more and one less allowed
        ((0, 0), (4, 4), {"new": 1}),
        ((1, 0), (4, 4), {"old": 3}),
        ((1, 1), (3, 3), {"new": 2}),
        ((2, 1), (3, 3), {"old": 2}),
        ((4, 4), (0, 0), {}),
        ((4, 3), (0, 0), {}),
        ((4, 4), (1, 1), {"old": 0}),
        # broken pods of the old set go first
        ((1, 0), (4, 2), {"old": 3}),
    ],
)
def test_one_step_of_a_rollout(new: tuple[int, int], old: tuple[int, int], expected: dict[str, int]) -> None:
    sets = (
        rs("new", new[0], available=new[1], revision=2, age=10),
        rs("old", old[0], available=old[1], revision=1),
    )
    assert sizes(rollout.plan(view(deployment(), *sets))) == expected


def play(owner: Object, *sets: Object, steps: int = 40) -> list[dict[str, int]]:
    """Applies each step as the API would, pods becoming ready at once; sizes after every step."""
    held = {s["metadata"]["name"]: copy.deepcopy(s) for s in sets}
    history: list[dict[str, int]] = []
    for _ in range(steps):
        actions = rollout.plan(view(owner, *held.values()))
        if not actions:
            break
        for action in actions:
            if isinstance(action, Create):
                made = copy.deepcopy(action.obj)
                made["metadata"] = meta("made", age=1) | made["metadata"] | {"uid": "u-made"}
                made["status"] = {"observedGeneration": 1}
                held[made["metadata"]["name"]] = made
            elif isinstance(action, Delete):
                del held[action.name]
            elif isinstance(action, Patch):
                found = held[action.name]
                found["metadata"].setdefault("annotations", {}).update(
                    action.body["metadata"].get("annotations") or {}
                )
                found["spec"].update(action.body.get("spec") or {})
        for found in held.values():
            size = found["spec"]["replicas"]
            found["status"] |= {"replicas": size, "readyReplicas": size, "availableReplicas": size}
        owner["status"] = rollout_status.updated(view(owner, *held.values()))["status"]
        history.append({name: s["spec"]["replicas"] for name, s in held.items()})
    return history


def test_a_rollout_keeps_within_its_bounds_all_the_way() -> None:
    history = play(deployment(replicas=10), rs("old", 10, desired=10))
    assert history[-1].pop("d-old") == 0
    assert list(history[-1].values()) == [10]
    for step in history:
        assert 8 <= sum(step.values()) <= 13


def test_recreate_stops_everything_first() -> None:
    strategy = {"type": "Recreate"}
    owner = deployment(strategy=strategy)
    old = rs("old", 4)
    assert sizes(rollout.plan(view(owner, old))) == {"old": 0}
    stopping = rs("old", 0)
    assert rollout.plan(view(owner, stopping, running=frozenset({"u-d-old"}))) == []
    stopping["status"]["replicas"] = 1
    assert rollout.plan(view(owner, stopping)) == []
    stopping["status"]["replicas"] = 0
    assert said(rollout.plan(view(owner, stopping)))[0].startswith("create replicasets")


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    old = rs("old", 4)
    assert rollout.plan(view(deployment(paused=True), old)) == []
    assert sizes(rollout.plan(view(deployment(paused=True, replicas=6), old))) == {"old": 6}


def test_scaling_in_the_middle_of_a_rollout_is_shared_out() -> None:
    sets = (rs("new", 3, desired=10, revision=2, age=10), rs("old", 9, desired=10))
    for held in sets:
        held["metadata"]["annotations"][MOST] = "13"
    got = sizes(rollout.plan(view(deployment(replicas=20), *sets)))
    assert got == {"old": 19, "new": 6}
    assert sum(got.values()) == 25


def test_scaling_to_zero() -> None:
    sets = (rs("new", 2, revision=2, age=10), rs("old", 3))
    assert sizes(rollout.plan(view(deployment(replicas=0), *sets))) == {"old": 0, "new": 0}


def test_rolling_back_takes_the_old_set_and_a_new_number() -> None:
    sets = (rs("one", 0, revision=1), rs("two", 4, revision=2, age=10))
    (action,) = rollout.plan(view(deployment("one"), *sets))
    assert isinstance(action, Patch)
    assert action.body["metadata"]["annotations"] == {REVISION: "3", HISTORY: "1"}
    made = rollout_status.updated(view(deployment("one"), rs("one", 0, revision=3), rs("two", 4, revision=2)))
    assert made["metadata"]["annotations"] == {REVISION: "3"}


def test_annotations_go_along_but_for_our_own() -> None:
    owner = deployment("new")
    last = "kubectl.kubernetes.io/last-applied-configuration"
    owner["metadata"]["annotations"] = {"note": "x", REVISION: "9", last: "{}"}
    (action,) = rollout.plan(view(owner, rs("new", 4)))
    assert isinstance(action, Patch)
    assert action.body["metadata"]["annotations"] == {"note": "x"}


def test_a_history_that_is_too_long_loses_its_oldest() -> None:
    assert rollout._history("1,3", "5") == "1,3,5"
    long = ",".join(str(n) for n in range(1000, 1400))
    made = rollout._history(long, "1400")
    assert len(made) <= rollout.HISTORY_LIMIT
    assert made.endswith("1399,1400")


def test_old_sets_beyond_the_limit_go_when_the_rollout_is_over() -> None:
    owner = deployment(revisionHistoryLimit=1)
    sets = [rs("new", 4, revision=9, age=1)] + [rs(f"o{n}", 0, revision=n) for n in (1, 2, 3)]
    assert rollout.plan(view(owner, *sets)) == []  # its status does not say so yet
    owner["status"] = rollout_status.updated(view(owner, *sets))["status"]
    assert said(rollout.plan(view(owner, *sets))) == ["delete replicasets d-o1", "delete replicasets d-o2"]


# --- status


def test_conditions_on_the_way() -> None:
    owner = deployment()
    made = rollout_status.updated(view(owner, rs("new", 4, available=0)))["status"]
    assert conditions_of(made) == {
        "Available": ("False", "MinimumReplicasUnavailable"),
        "Progressing": ("True", "ReplicaSetUpdated"),
    }
    assert made["unavailableReplicas"] == 4
    owner["status"] = made
    made = rollout_status.updated(view(owner, rs("new", 4, available=3)))["status"]
    assert conditions_of(made)["Available"] == ("True", "MinimumReplicasAvailable")
    made = rollout_status.updated(view(owner, rs("new", 4)))["status"]
    assert conditions_of(made)["Progressing"] == ("True", "NewReplicaSetAvailable")
    assert made["updatedReplicas"] == made["availableReplicas"] == 4


def test_the_progress_deadline() -> None:
    owner = deployment()
    stuck = rs("new", 4, available=0)
    owner = rollout_status.updated(view(owner, stuck))
    made = View(owner, (stuck,), frozenset(), NOW + 599)
    assert rollout_status.until_deadline(made) == 2.0
    assert rollout_status.updated(made)["status"] == owner["status"]
    late = View(owner, (stuck,), frozenset(), NOW + 601)
    status = rollout_status.updated(late)["status"]
    assert conditions_of(status)["Progressing"] == ("False", "ProgressDeadlineExceeded")
    owner["status"] = status
    assert rollout_status.until_deadline(late) is None


def test_pausing_and_resuming_is_shown() -> None:
    owner = deployment(paused=True)
    owner["status"] = rollout_status.updated(view(owner, rs("new", 4, available=1)))["status"]
    assert conditions_of(owner["status"])["Progressing"] == ("Unknown", "DeploymentPaused")
    owner["spec"]["paused"] = False
    made = rollout_status.updated(view(owner, rs("new", 4, available=1)))["status"]
    assert conditions_of(made)["Progressing"] == ("Unknown", "DeploymentResumed")


def test_failures_of_the_sets_are_shown() -> None:
    broken = rs("new", 4, available=0)
    broken["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
    ]
    made = rollout_status.updated(view(deployment(), broken))["status"]
    assert conditions_of(made)["ReplicaFailure"] == ("True", "FailedCreate")


def test_a_status_that_is_right_is_not_written_again() -> None:
    owner = deployment()
    sets = (rs("new", 4),)
    once = rollout_status.updated(view(owner, *sets))
    assert rollout_status.updated(View(once, sets, frozenset(), NOW + 3600)) == once


def test_a_collision_counts() -> None:
    assert rollout_status.collided(deployment())["status"]["collisionCount"] == 1
    failed = rollout_status.create_failed(view(deployment()), "no")["status"]
    assert conditions_of(failed)["Progressing"] == ("False", "ReplicaSetCreateError")


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "expected"),
    [("25%", "25%", 10, (3, 2)), (0, 0, 5, (0, 1)), ("10%", 0, 1, (1, 0)), (2, "50%", 3, (2, 1))],
)
def test_fenceposts(surge: Any, unavailable: Any, desired: int, expected: tuple[int, int]) -> None:
    assert amounts.fenceposts(surge, unavailable, desired) == expected


def test_amounts_that_are_neither() -> None:
    with pytest.raises(ValueError, match="'x'"):
        amounts.scaled("x", 5, up=True)


def test_the_controller_reads_what_it_needs() -> None:
    assert [w.resource.plural for w in CONTROLLER.watches] == ["deployments", "replicasets", "pods"]
