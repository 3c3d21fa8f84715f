"""Command lines do what the real helm does: output, errors, exit codes, files."""

from __future__ import annotations

import json

import pytest

import peers
from conformance.helm_command import driving

VERSION = "4.3"

DIFFERENT = {
    "get": "help is in our own words",
    "show": "help is in our own words",
    "get nonsense": "help is in our own words; and a word that is no command is an error here",
    "show nonsense ./web": "help is in our own words; and a word that is no command is an error here",
    "template ./noyaml --debug": "debug lines are our own",
    "template ./web --validate --dry-run=client": "flags that exclude each other come before flags that are old",
    "upgrade alpha ./web --server-side maybe": "a bad flag is told before the cluster is asked",
    "package ./web --sign": "signing is refused by name",
    "HELM_DRIVER= KUBECONFIG=text.txt list": "a kubeconfig that is none is described in our own words",
    "HELM_DRIVER=nonsense list": "an unknown driver is an error like any other",
}


def recorded() -> dict[str, driving.Done]:
    path = driving.HERE / "golden" / f"{VERSION}.json"
    return {line: driving.Done(**done) for line, done in json.loads(path.read_text()).items()}


GOLDEN = recorded()


@pytest.mark.parametrize("line", [line for line in driving.invocations() if line not in DIFFERENT])
def test_as_helm(line: str) -> None:
    assert driving.run(line, driving.ours) == GOLDEN[line]


@pytest.mark.parametrize("line", sorted(DIFFERENT))
def test_what_differs_still_does(line: str) -> None:
    """An entry that no longer differs has to go."""
    assert driving.run(line, driving.ours) != GOLDEN[line]


def test_every_invocation_is_recorded() -> None:
    assert sorted(GOLDEN) == sorted(driving.invocations())


@pytest.mark.peer
def test_the_record_is_what_helm_does() -> None:
    """One in nine, so that it stays honest without taking a minute."""
    helm = peers.helm(VERSION)
    lines = driving.invocations()[:: max(1, len(driving.invocations()) // 40)]
    found = {line: driving.run(line, driving.real(helm)) for line in lines}
    assert found == {line: GOLDEN[line] for line in lines}
