"""Strategic merge patches of the real types; cases follow the meaning of upstream's tables."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.api.patch import PatchError, strategic
from sampan.api.patch.strategic import meta
from sampan.api.schema import builtin
from sampan.api.schema.model import Schema

POD = builtin.for_kind("v1", "Pod")
DEPLOYMENT = builtin.for_kind("apps/v1", "Deployment")
assert POD is not None
assert DEPLOYMENT is not None


def pod(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


def containers(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": name, **fields} for name in names]


def applied(doc: dict[str, Any], patch: dict[str, Any], schema: Schema = POD) -> dict[str, Any]:
    before = copy.deepcopy((doc, patch))
    found = strategic.apply(doc, patch, schema)
    assert (doc, patch) == before, "an argument was changed"
    return found


@pytest.mark.parametrize(
    ("doc", "patch", "expected"),
    [
        (pod(nodeName="a"), pod(nodeName=None), pod()),
        (pod(nodeSelector={"a": "1"}), pod(nodeSelector={"b": "2"}), pod(nodeSelector={"a": "1", "b": "2"})),
        (
            pod(nodeSelector={"a": "1"}),
            pod(nodeSelector={"$patch": "replace", "b": "2"}),
            pod(nodeSelector={"b": "2"}),
        ),
        (pod(nodeSelector={"a": "1"}), pod(nodeSelector={"$patch": "delete"}), pod(nodeSelector={})),
        (pod(), pod(nodeSelector={"$patch": "delete"}), pod()),
        (pod(), pod(nodeSelector={"a": None, "b": "1"}), pod(nodeSelector={"b": "1"})),
        # keyed lists
        (
            pod(containers=containers("a", "b", image="1")),
            pod(containers=[{"name": "b", "image": "2"}, {"name": "c", "image": "3"}]),
            pod(
                containers=[
                    {"name": "a", "image": "1"},
                    {"name": "b", "image": "2"},
                    {"name": "c", "image": "3"},
                ]
            ),
        ),
        (
            pod(containers=containers("a", "b")),
            pod(containers=[{"name": "a", "$patch": "delete"}]),
            pod(containers=containers("b")),
        ),
        (
            pod(containers=containers("a", "b")),
            pod(containers=[{"name": "c"}, {"$patch": "replace"}]),
            pod(containers=containers("c")),
        ),
        (
            pod(
                containers=[{"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}]
            ),
            pod(
                containers=[
                    {"name": "a", "env": [{"name": "Y", "$patch": "delete"}, {"name": "Z", "value": "3"}]}
                ]
            ),
            # what is new and has no place in the live list stands first
            pod(
                containers=[{"name": "a", "env": [{"name": "Z", "value": "3"}, {"name": "X", "value": "1"}]}]
            ),
        ),
        # order
        (
            pod(containers=containers("a", "b", "c")),
            pod(**{"$setElementOrder/containers": containers("c", "b", "a")}),
            pod(containers=containers("c", "b", "a")),
        ),
        (
            pod(containers=containers("a", "theirs", "b")),
            pod(**{"containers": containers("n"), "$setElementOrder/containers": containers("b", "n", "a")}),
            pod(containers=containers("theirs", "b", "n", "a")),
        ),
        # primitive lists
        (
            {"metadata": {"finalizers": ["a", "b"]}},
            {"metadata": {"finalizers": ["c", "a"]}},
            {"metadata": {"finalizers": ["c", "a", "b"]}},
        ),
        (
            {"metadata": {"finalizers": ["a", "b", "c"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"]}},
            {"metadata": {"finalizers": ["a", "c"]}},
        ),
        # lists without a merge strategy are replaced
        (pod(tolerations=[{"key": "a"}]), pod(tolerations=[{"key": "b"}]), pod(tolerations=[{"key": "b"}])),
        # types that differ are replaced
        (pod(nodeSelector="x"), pod(nodeSelector={"a": "1"}), pod(nodeSelector={"a": "1"})),
    ],
)
def test_apply(doc: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert applied(doc, patch) == expected


def test_retain_keys_clears_the_other_members_of_a_union() -> None:
    doc = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert applied(doc, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


@pytest.mark.parametrize(
    ("doc", "patch", "code", "says"),
    [
        (
            pod(containers=containers("a")),
            pod(containers=[{"image": "x"}]),
            422,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            pod(containers=containers("a")),
            pod(containers=[{"name": "a", "$patch": "mend"}]),
            422,
            "unknown patch type: mend in map: map[$patch:mend name:a]",
        ),
        (
            pod(containers=containers("a")),
            pod(**{"containers": containers("a", "b"), "$setElementOrder/containers": containers("b", "a")}),
            422,
            "doesn't match $setElementOrder list",
        ),
        (
            {"spec": {"strategy": {}}},
            {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}},
            400,
            "invalid patch format of retainKeys",
        ),
        (pod(), pod(**{"$setElementOrderX": []}), 400, "invalid patch format of setElementOrder list"),
        (
            pod(odd={"a": 1}),
            pod(odd={"b": 1}),
            422,
            'unable to find api field in struct PodSpec for the json field "odd"',
        ),
        (
            pod(containers=containers("a")),
            pod(containers=["a"]),
            422,
            "list element types are not identical",
        ),
    ],
)
def test_patches_that_do_not_fit(doc: Any, patch: Any, code: int, says: str) -> None:
    with pytest.raises(PatchError) as caught:
        strategic.apply(doc, patch, DEPLOYMENT if "strategy" in doc["spec"] else POD)
    assert caught.value.code == code
    assert says in caught.value.message


def test_a_two_way_patch_makes_one_out_of_the_other() -> None:
    old = pod(containers=[{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}])
    new = pod(containers=[{"name": "c"}, {"name": "a", "image": "2"}], nodeName="n")
    patch = strategic.two_way(old, new, POD)
    assert patch == {
        "spec": {
            "nodeName": "n",
            "containers": [
                {"name": "c"},
                {"name": "a", "image": "2", "env": None},
                {"name": "b", "$patch": "delete"},
            ],
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
        }
    }
    assert strategic.apply(old, patch, POD) == new


def test_three_way_keeps_what_others_added() -> None:
    last = {"spec": {"replicas": 1, "template": pod(containers=containers("a", "gone"))}}
    wanted = {"spec": {"replicas": 3, "template": pod(containers=[{"name": "a", "image": "2"}])}}
    live = {
        "spec": {
            "replicas": 1,
            "paused": True,
            "template": pod(containers=containers("a", "gone", "injected")),
        }
    }
    patch = strategic.three_way(last, wanted, live, DEPLOYMENT)
    found = strategic.apply(live, patch, DEPLOYMENT)
    assert found["spec"]["replicas"] == 3
    assert found["spec"]["paused"] is True
    assert found["spec"]["template"]["spec"]["containers"] == [
        {"name": "a", "image": "2"},
        {"name": "injected"},
    ]


def test_three_way_of_what_is_there_already_is_empty() -> None:
    wanted = {"spec": {"replicas": 1, "template": pod(containers=containers("a"))}}
    live = copy.deepcopy(wanted)
    live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    assert strategic.three_way(wanted, wanted, live, DEPLOYMENT) == {}


def test_three_way_without_overwriting_names_the_conflict() -> None:
    last, wanted, live = ({"spec": {"replicas": n}} for n in (1, 2, 3))
    assert strategic.three_way(last, wanted, live, DEPLOYMENT) == {"spec": {"replicas": 2}}
    with pytest.raises(PatchError, match="conflicts with changes made from original to current"):
        strategic.three_way(last, wanted, live, DEPLOYMENT, overwrite=False)


def test_how_fields_merge_comes_from_the_schema() -> None:
    spec = POD.properties["spec"]
    found = meta.field(spec, "volumes", of_list=True)
    assert (found.strategy, found.merge_key, found.retain_keys) == ("merge", "name", True)
    assert meta.field(spec, "nodeSelector", of_list=False).strategy == ""
