"""Environments of containers."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.node.agent import environment
from sampan.node.agent.environment import ConfigError, Sources
from unit.node.agent.pods import container, pod

DATA = {
    ("ConfigMap", "settings"): {"colour": "red", "a=b": "skipped"},
    ("Secret", "word"): {"password": "ahoy"},
}


def sources(**links: str) -> Sources:
    return Sources(
        lambda kind, name: DATA.get((kind, name)),
        links,
        pod_ips=("10.42.0.5",),
        host_ips=("192.0.2.7",),
        allocatable={"cpu": 2000, "memory": 1 << 30},
    )


def build(*env: dict[str, Any], env_from: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, str]:
    spec = container("a", env=list(env), envFrom=list(env_from), **more)
    return environment.build(pod(spec, nodeName="deck", serviceAccountName="mate"), spec, sources(SVC="link"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("$(A)-$(B)", "1-2"),
        ("$(NOPE)", "$(NOPE)"),
        ("$$(A)", "$(A)"),
        ("$A", "$A"),
        ("$(", "$("),
    ],
)
def test_expansion(text: str, expected: str) -> None:
    assert environment.expand(text, {"A": "1", "B": "2"}) == expected


def test_order_of_precedence() -> None:
    result = build(
        {"name": "SVC", "value": "own"},
        {"name": "LATER", "value": "$(SVC)+$(P_colour)"},
        env_from=({"prefix": "P_", "configMapRef": {"name": "settings"}},),
    )
    assert result == {"SVC": "own", "P_colour": "red", "LATER": "own+red"}


def test_references() -> None:
    result = build(
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "word", "key": "password"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
        {"name": "O", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}},
        resources={"requests": {"memory": "1500Ki"}},
    )
    assert result == {
        "SVC": "link", "C": "red", "S": "ahoy", "IP": "10.42.0.5", "L": "boat", "CPU": "2000", "MEM": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "x"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "word", "key": "x"}}, "couldn't find key x in Secret sea/word"),
        ({"fieldRef": {"fieldPath": "spec.nope"}}, "fieldPath 'spec.nope' is not supported"),
        ({"fileKeyRef": {}}, "valueFrom ['fileKeyRef'] is not supported"),
    ],
)
def test_what_is_wrong_is_named(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("[", r"\[").replace("]", r"\]")):
        build({"name": "X", "valueFrom": entry})


def test_service_links() -> None:
    service = {
        "metadata": {"name": "my-db", "namespace": "sea"},
        "spec": {"clusterIP": "10.43.0.9", "ports": [{"name": "sql", "port": 5432}]},
    }
    headless = {
        "metadata": {"name": "none", "namespace": "sea"},
        "spec": {"clusterIP": "None", "ports": [{"port": 1}]},
    }
    links = environment.service_links([service, headless], "sea", enabled=True, master=None)
    assert links == {
        "MY_DB_SERVICE_HOST": "10.43.0.9",
        "MY_DB_SERVICE_PORT": "5432",
        "MY_DB_SERVICE_PORT_SQL": "5432",
        "MY_DB_PORT": "tcp://10.43.0.9:5432",
        "MY_DB_PORT_5432_TCP": "tcp://10.43.0.9:5432",
        "MY_DB_PORT_5432_TCP_PROTO": "tcp",
        "MY_DB_PORT_5432_TCP_PORT": "5432",
        "MY_DB_PORT_5432_TCP_ADDR": "10.43.0.9",
    }
    assert environment.service_links([service], "sea", enabled=False, master=None) == {}
