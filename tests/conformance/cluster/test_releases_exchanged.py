"""One release in the hands of two: what `sampan helm` writes the real helm 4.3 reads, works on and hands back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clusters import Cluster
from conformance.cluster import releases
from conformance.cluster.releases import CHART, SMALL, Helm, differences, record
from conformance.cluster.shell import Shell

pytestmark = [pytest.mark.cluster, pytest.mark.root, pytest.mark.peer]

WAIT = ("--wait", "--timeout", "60s")


@pytest.fixture
def own(cluster: Cluster, namespace: str) -> Helm:
    """`sampan helm` in the test's namespace."""
    return releases.ours(cluster, namespace)


def told(helm: Helm, release: str) -> dict[str, Any]:
    """What a Helm says of a release: its history, its line in the list, and values, manifest, hooks and notes."""
    return {
        "history": helm.json("history", release),
        "list": [one for one in helm.json("list") if one["name"] == release],
        "all": helm("get", "all", release).splitlines(),
    }


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_release_changes_hands_at_every_step(k: Shell, helm: Helm, own: Helm, first: str) -> None:
    one, other = (own, helm) if first == "ours" else (helm, own)

    def agree() -> None:
        assert differences(told(own, "web"), told(helm, "web")) == []

    one("install", "web", CHART, *WAIT, *SMALL)
    agree()
    other("upgrade", "web", CHART, "--reuse-values", "--set", "greeting=Ahoy")
    agree()
    assert k.path("cm/web-harbour", ".data.greeting") == "Ahoy"
    one("rollback", "web", "1")
    agree()
    assert k.path("cm/web-harbour", ".data.greeting") == "Welcome to the harbour"
    other("rollback", "web")  # to the revision before
    agree()
    assert k.path("cm/web-harbour", ".data.greeting") == "Ahoy"
    one("upgrade", "web", CHART, *WAIT, "--reset-values", *SMALL, "--set", "serviceAccount.create=false")
    agree()
    assert not k.exists("sa/web-harbour")  # what the new revision no longer has is taken away
    other("test", "web")
    agree()
    for what in (("values", "--all"), ("values",), ("metadata",)):
        assert (
            differences(
                own.json("get", what[0], "web", *what[1:]), helm.json("get", what[0], "web", *what[1:])
            )
            == []
        )
    history = [entry["status"] for entry in own.json("history", "web")]
    assert history == ["superseded"] * 4 + ["deployed"]
    one("uninstall", "web", *WAIT, "--keep-history")
    assert [entry["status"] for entry in other.json("history", "web")][-1] == "uninstalled"
    other("uninstall", "web")
    assert k("get", "secrets", "-l", "owner=helm", "-o", "name") == ""


def test_both_store_the_same_record(k: Shell, helm: Helm, own: Helm) -> None:
    words = (CHART, "--no-hooks", *SMALL, "--labels", "deck=upper", "--description", "first")
    stored = []
    for tool in (own, helm):
        tool("install", "web", *words)
        stored.append(record(k, "web", 1))
        tool("uninstall", "web", "--no-hooks")
    (our_secret, ours), (their_secret, theirs) = stored
    stamps = {
        type(release["info"].pop(f"{at}_deployed")) for release in (ours, theirs) for at in ("first", "last")
    }
    assert stamps == {str}
    assert differences(ours, theirs) == []
    labels = [secret["metadata"]["labels"] | {"modifiedAt": ""} for secret in (our_secret, their_secret)]
    assert labels[0] == labels[1] and labels[0]["deck"] == "upper"
    assert our_secret["type"] == their_secret["type"]


def test_both_apply_as_the_same_owner(k: Shell, helm: Helm, own: Helm) -> None:
    """Objects of both carry the same marks, so that either may go on where the other stopped."""
    seen = []
    for tool in (own, helm):
        tool("install", "web", CHART, "--no-hooks", *SMALL)
        made = json.loads(k("get", "deploy", "web-harbour", "-o", "json", "--show-managed-fields"))[
            "metadata"
        ]
        applied = [
            {"manager": entry["manager"], "fields": entry["fieldsV1"]}
            for entry in made["managedFields"]
            if entry["operation"] == "Apply"
        ]
        made["annotations"].pop("deployment.kubernetes.io/revision", None)
        seen.append({"labels": made["labels"], "annotations": made["annotations"], "applied": applied})
        tool("uninstall", "web", "--no-hooks", *WAIT)
    assert differences(*seen) == []
