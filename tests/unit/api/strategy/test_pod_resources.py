"""Resources of whole pods, completed from those of their containers; verdicts of a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.api.strategy import pod_resources


def spec(resources: dict[str, Any], *containers: dict[str, Any], inits: Any = ()) -> dict[str, Any]:
    made: dict[str, Any] = {
        "containers": [{"name": f"c{place}", "resources": each} for place, each in enumerate(containers)],
        "initContainers": [
            {"name": f"i{place}", "resources": each, **({"restartPolicy": "Always"} if sidecar else {})}
            for place, (sidecar, each) in enumerate(inits)
        ],
    }
    return {**made, "resources": resources}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (spec({}, {"requests": {"cpu": "1"}}), {}),
        (
            spec(
                {"limits": {"cpu": "1"}},
                {"requests": {"cpu": "100m", "memory": "64Mi"}},
                {"requests": {"cpu": "300m"}},
            ),
            {"limits": {"cpu": "1"}, "requests": {"cpu": "400m", "memory": "64Mi"}},
        ),
        (spec({"limits": {"cpu": "2"}}, {}), {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}),
        # a limit follows only where all containers have one, and is at least what is requested
        (
            spec(
                {"requests": {"memory": "300Mi"}},
                {"limits": {"memory": "64Mi"}},
                {"limits": {"memory": "128Mi"}},
            ),
            {"requests": {"memory": "300Mi"}, "limits": {"memory": "300Mi"}},
        ),
        (
            spec(
                {"requests": {"memory": "100Mi"}},
                {"limits": {"memory": "64Mi"}},
                {"limits": {"memory": "128Mi"}},
            ),
            {"requests": {"memory": "100Mi"}, "limits": {"memory": "192Mi"}},
        ),
        (
            spec({"requests": {"memory": "300Mi"}}, {"limits": {"memory": "64Mi"}}, {}),
            {"requests": {"memory": "300Mi"}},
        ),
        (
            spec({"limits": {"cpu": "2"}}, {"limits": {"hugepages-2Mi": "4Mi"}}),
            {
                "limits": {"cpu": "2", "hugepages-2Mi": "4Mi"},
                "requests": {"cpu": "2", "hugepages-2Mi": "4Mi"},
            },
        ),
    ],
)
def test_what_is_left_out_follows(given: dict[str, Any], expected: dict[str, Any]) -> None:
    pod_resources.complete(given)
    assert given["resources"] == expected


def test_starting_may_need_more_than_running() -> None:
    cpu = [{"limits": {"cpu": text}} for text in ("300m", "200m", "900m", "100m")]
    made = spec({}, cpu[0], inits=[(True, cpu[1]), (False, cpu[2]), (True, cpu[3])])
    assert {name: str(amount) for name, amount in pod_resources.total(made, "limits").items()} == {
        "cpu": "1100m"
    }


def test_texts_that_are_no_amounts_stay() -> None:
    made = spec({"requests": {"cpu": "much"}}, {"limits": {"cpu": "more"}})
    pod_resources.complete(made)
    assert made["resources"]["requests"] == {"cpu": "much"}
