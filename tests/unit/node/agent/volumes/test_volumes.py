"""Volumes: what they hold, and that a reader never sees a mixture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sampan.node.agent.environment import ConfigError
from sampan.node.agent.volumes import atomic, payload, volumes
from sampan.node.agent.volumes.payload import File, Inputs, Missing
from sampan.spec import cri
from unit.node.agent.pods import container, pod

DATA = {("ConfigMap", "c"): {"a": b"1", "b": b"2"}, ("Secret", "s"): {"key": b"secret"}}
INPUTS = Inputs(
    data=lambda kind, name: DATA.get((kind, name)),
    field=lambda path: f"<{path}>",
    resource=lambda ref: "7",
    token=lambda source: b"token",
)


def test_config_maps_with_items_modes_and_optional() -> None:
    assert payload.files({"configMap": {"name": "c"}}, INPUTS) == {
        "a": File(b"1", 0o644),
        "b": File(b"2", 0o644),
    }
    items = [{"key": "b", "path": "x/y", "mode": 0o400}]
    assert payload.files({"configMap": {"name": "c", "items": items}}, INPUTS) == {"x/y": File(b"2", 0o400)}
    assert payload.files({"configMap": {"name": "none", "optional": True}}, INPUTS) == {}
    with pytest.raises(Missing, match='configmap "none" not found'):
        payload.files({"configMap": {"name": "none"}}, INPUTS)
    with pytest.raises(Missing, match="references non-existent secret key: x"):
        payload.files({"secret": {"secretName": "s", "items": [{"key": "x", "path": "x"}]}}, INPUTS)


def test_projected_joins_its_sources() -> None:
    sources: list[dict[str, Any]] = [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "c", "items": [{"key": "a", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    files = payload.files({"projected": {"sources": sources, "defaultMode": 0o420}}, INPUTS)
    assert {path: file.data for path, file in (files or {}).items()} == {
        "token": b"token",
        "ca.crt": b"1",
        "namespace": b"<metadata.namespace>",
    }


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../b", ""])
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="must be relative"):
        payload.files({"configMap": {"name": "c", "items": [{"key": "a", "path": path}]}}, INPUTS)


def test_a_change_shows_all_at_once_and_removes_what_is_gone(tmp_path: Path) -> None:
    target = tmp_path / "volume"
    assert atomic.write(target, {"a": File(b"1", 0o644), "d/e": File(b"2", 0o600)}, stamp="1") is True
    assert (target / "a").read_text() == "1" and (target / "d/e").read_text() == "2"
    assert (target / "d/e").stat().st_mode & 0o777 == 0o600
    assert atomic.write(target, {"a": File(b"1", 0o644), "d/e": File(b"2", 0o600)}, stamp="2") is False
    held = (target / "a").open()
    assert atomic.write(target, {"a": File(b"3", 0o644)}, stamp="3") is True
    assert held.read() == "1"
    held.close()
    assert (target / "a").read_text() == "3"
    assert sorted(p.name for p in target.iterdir()) == ["..3", "..data", "a"]


def test_a_group_may_read(tmp_path: Path) -> None:
    import os

    atomic.write(tmp_path / "v", {"a": File(b"1", 0o400)}, stamp="1", group=os.getgid())
    assert (tmp_path / "v/a").stat().st_mode & 0o777 == 0o440


def place(*listed: dict[str, Any], folder: Path) -> dict[str, volumes.Placed]:
    async def claims(name: str) -> dict[str, Any]:
        if name == "bound":
            return {"metadata": {"name": "pv"}, "spec": {"hostPath": {"path": str(folder / "pv")}}}
        raise Missing(f'persistentvolumeclaim "{name}" is not bound')

    return asyncio.run(volumes.place(pod(volumes=list(listed)), folder, INPUTS, claims, stamp="1"))


def test_each_kind_has_its_place(tmp_path: Path) -> None:
    placed = place(
        {"name": "e", "emptyDir": {}},
        {"name": "h", "hostPath": {"path": str(tmp_path / "host"), "type": "DirectoryOrCreate"}},
        {"name": "p", "persistentVolumeClaim": {"claimName": "bound"}},
        {"name": "i", "image": {"reference": "sampan.local/host"}},
        folder=tmp_path,
    )
    assert placed["e"].path == tmp_path / "volumes/kubernetes.io~empty-dir/e"
    assert (tmp_path / "host").is_dir() and (tmp_path / "pv").is_dir()
    assert placed["i"].image == "sampan.local/host"
    spec = container(
        "a", volumeMounts=[{"name": "e", "mountPath": "/e", "subPath": "x"}, {"name": "i", "mountPath": "/i"}]
    )
    mounts = volumes.container_mounts(spec, placed, lambda text: text)
    assert mounts[0].host_path == str(tmp_path / "volumes/kubernetes.io~empty-dir/e/x")
    assert mounts[1].image == cri.ImageSpec("sampan.local/host") and mounts[1].readonly


def test_what_is_not_known_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="volume 'n': nfs is not supported by this node"):
        place({"name": "n", "nfs": {"server": "x", "path": "/"}}, folder=tmp_path)
    with pytest.raises(Missing, match="is not bound"):
        place({"name": "p", "persistentVolumeClaim": {"claimName": "x"}}, folder=tmp_path)
    with pytest.raises(Missing, match="hostPath type check failed"):
        place({"name": "h", "hostPath": {"path": str(tmp_path / "no"), "type": "Directory"}}, folder=tmp_path)


def test_a_sub_path_may_not_follow_a_link_out(tmp_path: Path) -> None:
    inside = tmp_path / "v"
    inside.mkdir()
    (inside / "out").symlink_to("/etc")
    with pytest.raises(ConfigError, match="leads out of its volume"):
        volumes.sub_path(inside, "out/passwd")
    assert volumes.sub_path(inside, "deep/er").is_dir()
