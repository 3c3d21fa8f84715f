"""Release records: in memory, in Secrets and ConfigMaps, and how long they are kept."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api import kinds
from sampan.apps.helm import storage
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.storage import Driver, Memory, Objects, Storage, open_driver
from sampan.charts.release import Info, Release
from unit.apps.helm.fakes import FakeCluster, Told, chart, run


def record(version: int = 1, status: str = "deployed", name: str = "web", **labels: str) -> Release:
    return Release(name, "default", version, Info(status=status), chart({}), {"x": 1.0}, labels=labels)


def over(kind: str, api: FakeCluster, told: Told | None = None) -> Objects:
    return Objects(api, "default", kind, (told or Told()).log)  # type: ignore[arg-type]


DRIVERS = {
    "memory": lambda: Memory("default"),
    "secret": lambda: over("Secret", FakeCluster()),
    "configmap": lambda: over("ConfigMap", FakeCluster()),
}


@pytest.fixture(params=sorted(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Driver:
    made: Driver = DRIVERS[request.param]()
    return made


def test_records_come_back(driver: Driver) -> None:
    kept = Storage(driver)
    run(kept.create(record(1, "superseded")))
    run(kept.create(record(2, name="web", team="blue")))
    run(kept.create(record(1, name="other")))
    assert [one.version for one in run(kept.history("web"))] == [1, 2]
    last = run(kept.last("web"))
    assert (last.version, last.config, last.labels["team"]) == (2, {"x": 1.0}, "blue")
    assert run(kept.get("web", 2)).labels == {"team": "blue"}
    assert [one.version for one in run(kept.deployed("web"))] == [2]
    run(kept.update(record(2, "failed")))
    assert run(kept.last("web")).info.status == "failed"
    run(driver.delete("web", 2))
    run(driver.delete("web", 2))  # what is gone is gone
    assert run(kept.last("web")).version == 1


def test_a_revision_exists_once(driver: Driver) -> None:
    run(driver.create(record()))
    with pytest.raises(HelmError, match="release: already exists"):
        run(driver.create(record()))


def test_what_is_not_there(driver: Driver) -> None:
    kept = Storage(driver)
    for search in (kept.last("web"), kept.get("web", 3), kept.history("web")):
        with pytest.raises(NotFound, match="release: not found"):
            run(search)
    assert run(kept.deployed("web")) == []


@pytest.mark.parametrize(
    ("deployed", "most", "left"),
    [(5, 3, [4, 5, 6]), (1, 3, [1, 5, 6]), (5, 0, [1, 2, 3, 4, 5, 6]), (1, 1, [1, 6])],
)
def test_the_oldest_go_but_never_the_deployed_one(
    driver: Driver, deployed: int, most: int, left: list[int]
) -> None:
    everything = Storage(driver, 0)
    for version in range(1, 6):
        run(everything.create(record(version, "deployed" if version == deployed else "superseded")))
    run(Storage(driver, most).create(record(6, "pending-upgrade")))
    assert [one.version for one in run(everything.history("web"))] == left


def test_selectors_and_namespaces(driver: Driver) -> None:
    run(driver.create(record(1, name="a", team="blue")))
    run(driver.create(record(1, name="b", team="red")))
    assert [one.name for one in run(driver.list(selector="team=red"))] == ["b"]
    assert sorted(one.name for one in run(driver.list(everywhere=True))) == ["a", "b"]


def held(api: FakeCluster, kind: str) -> dict[str, Any]:
    found = api.find(kinds.of("v1", kind).plural, "sh.helm.release.v1.web.v1", "default")
    assert found is not None
    return found


def test_the_form_in_a_secret() -> None:
    api = FakeCluster()
    run(over("Secret", api).create(record(team="blue")))
    secret = held(api, "Secret")
    labels = secret["metadata"]["labels"]
    assert secret["type"] == "helm.sh/release.v1"
    assert labels.pop("createdAt").isdigit()
    assert labels == {"name": "web", "owner": "helm", "status": "deployed", "version": "1", "team": "blue"}
    text = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    assert json.loads(gzip.decompress(text))["name"] == "web"
    run(over("Secret", api).update(record(status="failed")))
    labels = held(api, "Secret")["metadata"]["labels"]
    assert (labels["status"], "modifiedAt" in labels, "createdAt" in labels) == ("failed", True, False)


def test_the_form_in_a_config_map() -> None:
    api = FakeCluster()
    run(over("ConfigMap", api).create(record()))
    found = held(api, "ConfigMap")
    assert "type" not in found
    assert json.loads(gzip.decompress(base64.b64decode(found["data"]["release"])))["version"] == 1


def test_listed_records_have_all_labels() -> None:
    api = FakeCluster()
    run(over("Secret", api).create(record(team="blue")))
    (found,) = run(over("Secret", api).list())
    assert found.labels["owner"] == "helm"
    assert storage.own_labels(found.labels) == {"team": "blue"}


def test_records_that_cannot_be_read_are_passed_over_and_told() -> None:
    api, told = FakeCluster(), Told()
    driver = over("Secret", api, told)
    run(driver.create(record()))
    held(api, "Secret")["data"]["release"] = base64.b64encode(b"AAAA").decode()
    assert run(driver.list()) == []
    assert told.lines[0].startswith(
        'level=WARN msg="release record cannot be read" key=sh.helm.release.v1.web.v1'
    )


def test_what_the_api_refuses() -> None:
    api = FakeCluster()
    api.refuse("create", "sh.helm.release.v1.web.v1")
    with pytest.raises(
        HelmError, match=r"create: failed to create: sh\.helm\.release\.v1\.web\.v1 is forbidden"
    ):
        run(over("Secret", api).create(record()))
    with pytest.raises(HelmError, match="update: failed to update: "):
        run(over("Secret", api).update(record()))


def test_drivers_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    api: Any = FakeCluster()
    assert isinstance(open_driver("", api, "default"), Objects)
    assert isinstance(open_driver("configmaps", api, "default"), Objects)
    with pytest.raises(HelmError, match="'sql' is not supported yet"):
        open_driver("sql", api, "default")
    with pytest.raises(HelmError, match='unknown driver "x"'):
        open_driver("x", api, "default")
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("- {name: a, namespace: default, version: 1, info: {status: deployed}}\n")
    second.write_text("- {name: b, namespace: default, version: 1, info: {status: deployed}}\n")
    monkeypatch.setenv("HELM_MEMORY_DRIVER_DATA", f"{first}:{second}")
    assert [one.name for one in run(open_driver("memory", api, "default").list())] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "Unable to unmarshal"), ("a: b", "expected a list"), (None, "Unable to read")],
)
def test_bad_data_for_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "x.yaml"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("HELM_MEMORY_DRIVER_DATA", str(path))
    with pytest.raises(HelmError, match=message):
        open_driver("memory", FakeCluster(), "default")  # type: ignore[arg-type]
