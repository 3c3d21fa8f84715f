from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import apiservers
from conformance.api.cases import CASES
from conformance.api.player import Player
from conformance.api.record import GOLDEN

# Where ours says something else on purpose.
DEVIATIONS = {
    "pod log no node": "a missing node is named as what it is, not as a pod",
}


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("api")
    server = apiservers.start(folder, *(["--memory"] if request.param == "memory" else []))
    try:
        context = ssl.create_default_context(cafile=server.ca)
        context.load_cert_chain(*server.certificate)
        yield {case.name: seen for case, seen in Player(server.url, context=context).play()}
    finally:
        apiservers.stop(server)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.name not in DEVIATIONS])
def test_answers_as_kube_apiserver(answers: dict[str, Any], name: str) -> None:
    assert answers[name] == json.loads(GOLDEN.read_text())[name]


def test_every_deviation_is_still_one(answers: dict[str, Any]) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert [name for name in DEVIATIONS if answers[name] == golden[name]] == []
