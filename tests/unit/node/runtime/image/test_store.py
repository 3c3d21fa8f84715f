"""The store with archives and registries, as root: layers are unpacked through overlays."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.base.linux import mounts
from sampan.node.runtime.image import archive, registry
from sampan.node.runtime.image.registry import Registries, Registry
from sampan.node.runtime.image.service import ImageService
from sampan.node.runtime.image.store import Store
from sampan.spec import cri
from sampan.spec.oci import reference as refs
from sampan.spec.oci.image import InvalidImage
from unit.node.runtime.image import archives
from unit.node.runtime.image.archives import File, layer, oci_image, serving

pytestmark = pytest.mark.root
BASE = layer(
    File("bin/", mode=0o755), File("bin/tool", b"one"), File("lib", link="usr/lib"), File("usr/lib/a", b"a")
)
TOP = layer(File("bin/.wh.tool"), File("lib/b", b"b"), File("bin/other", hard="usr/lib/a"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "images", archives.PLATFORM)
    made.open()
    yield made
    assert mounts.below(str(tmp_path), mounts.table()) == []


def merged(store: Store, name: str, tmp_path: Path) -> dict[str, bytes]:
    found = store.find(name)
    assert found is not None
    target = tmp_path / "merged"
    empty = tmp_path / "empty"
    for path in (target, empty):
        path.mkdir(exist_ok=True)
    mounts.overlay([*found.lower, str(empty)], str(target))
    try:
        return {
            str(path.relative_to(target)): path.read_bytes()
            for path in target.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
    finally:
        mounts.unmount(str(target))


def test_layers_mean_what_they_mean_together(store: Store, tmp_path: Path) -> None:
    data = archives.docker_save(["demo:1"], BASE, TOP, Cmd=["/bin/other"], User="7")
    assert archive.import_archive(store, io.BytesIO(data)) == ["demo:1"]
    # The link of the base layer leads what the next one puts below it.
    assert merged(store, "demo:1", tmp_path) == {"bin/other": b"a", "usr/lib/a": b"a", "usr/lib/b": b"b"}
    found = store.find("docker.io/library/demo:1")
    assert found is not None and found.config.cmd == ("/bin/other",) and found.config.user == "7"
    assert store.find(found.id) == found and store.find(found.id[7:19]) == found
    assert store.find("demo:2") is None
    assert store.usage()[1] == 7


def test_opaque_folders_hide_what_is_below(store: Store, tmp_path: Path) -> None:
    top = layer(File("bin/new", b"n"), File("bin/.wh..wh..opq"))
    archive.import_archive(store, io.BytesIO(archives.docker_save(["demo"], BASE, top)))
    assert merged(store, "demo", tmp_path) == {"bin/new": b"n", "usr/lib/a": b"a"}


def test_equal_layers_are_kept_once_and_go_with_their_last_image(store: Store) -> None:
    archive.import_archive(store, io.BytesIO(archives.docker_save(["one"], BASE)))
    archive.import_archive(store, io.BytesIO(archives.docker_save(["two"], BASE, TOP)))
    layers = store.root / "layers"
    assert len([path for path in layers.iterdir() if path.is_dir()]) == 2
    assert store.remove("one") and not store.remove("one")
    assert len([path for path in layers.iterdir() if path.is_dir()]) == 2
    assert store.remove("two")
    assert list(layers.iterdir()) == [] and list((store.root / "blobs/sha256").iterdir()) == []


def test_an_image_that_a_container_stands_on_keeps_its_layers(tmp_path: Path) -> None:
    used: set[str] = set()
    store = Store(tmp_path / "images", archives.PLATFORM, lambda: used)
    store.open()
    archive.import_archive(store, io.BytesIO(archives.docker_save(["one"], BASE)))
    found = store.find("one")
    assert found is not None
    used.add(found.id)
    store.remove("one")
    assert store.find("one") is None and Path(found.lower[0]).exists()
    used.clear()
    store.collect()
    assert not Path(found.lower[0]).exists()


def test_the_built_in_image_stays(store: Store) -> None:
    assert not store.remove("sampan.local/host:any")
    found = store.find("sampan.local/host:any")
    assert found is not None and found.pinned and found.mounts


def test_a_second_process_sees_what_the_first_adds(store: Store) -> None:
    other = Store(store.root, archives.PLATFORM)
    archive.import_archive(store, io.BytesIO(archives.docker_save(["demo"], BASE)))
    assert other.find("demo") is not None


@pytest.mark.parametrize("packed", [False, True])
def test_oci_layouts_as_tar_and_folder(store: Store, tmp_path: Path, packed: bool) -> None:
    folder = tmp_path / "layout"
    archives.oci_layout(oci_image(BASE, TOP, index=True), folder, "registry.example/demo:3")
    data = archives.tarred(folder)
    source = io.BytesIO(gzip.compress(data) if packed else data)
    assert archive.import_archive(store, source) == ["registry.example/demo:3"]
    assert archive.import_layout(store, folder, "other:1") == ["other:1"]
    first, second = store.find("registry.example/demo:3"), store.find("other:1")
    assert first is not None and second is not None and first.id == second.id
    assert merged(store, "other:1", tmp_path)["bin/other"] == b"a"


def test_an_archive_without_a_name_gets_one_or_its_id(store: Store) -> None:
    data = archives.docker_save([], BASE)
    found = archive.import_archive(store, io.BytesIO(data))
    assert found[0].startswith("sha256:") and store.find(found[0]) is not None
    assert archive.import_archive(store, io.BytesIO(data), "mine:1") == ["mine:1"]


def test_broken_archives(store: Store, tmp_path: Path) -> None:
    for data, says in (
        (layer(File("x", b"y")), "expected index.json"),
        (b"x" * 600, "no readable tar"),
        (layer(File("manifest.json", b"{")), "is not JSON"),
        (layer(File("manifest.json", b"[]")), "no image"),
    ):
        with pytest.raises(InvalidImage, match=says):
            archive.import_archive(store, io.BytesIO(data))
    folder = tmp_path / "layout"
    built = oci_image(BASE)
    archives.oci_layout(built, folder)
    (folder / "blobs/sha256" / built.config[7:]).write_bytes(b"{}")
    with pytest.raises(InvalidImage, match="does not have that digest"):
        archive.import_layout(store, folder)
    wrong = json.loads(archives.config(BASE))
    wrong["rootfs"]["diff_ids"] = ["sha256:" + "1" * 64]
    data = archives.docker_save(["demo"], BASE)
    with pytest.raises(InvalidImage, match="content digest"):
        archive.import_archive(
            store, io.BytesIO(data.replace(archives.digest(BASE).encode(), b"sha256:" + b"1" * 64))
        )
    assert store.find("demo") is None and list((store.root / "tmp").iterdir()) == []


# -- registries


def pull(
    store: Store, name: str, auth: cri.AuthConfig | None = None, known: Registries = Registries()
) -> str:
    return registry.pull(store, known, refs.parse(name), auth)


def test_a_pull(store: Store, tmp_path: Path) -> None:
    with serving() as served:
        built = oci_image(BASE, TOP, index=True)
        served.put("team/demo", "1", built)
        name = f"{served.host}/team/demo"
        assert pull(store, f"{name}:1") == built.config
        found = store.find(f"{name}:1")
        assert found is not None and found.digests == (f"{name}@{built.manifest}",)
        assert merged(store, f"{name}@{built.manifest}", tmp_path)["usr/lib/b"] == b"b"
        before = len(served.asked)
        assert pull(store, f"{name}@{built.manifest}") == built.config
        assert not any("blobs" in path and built.config not in path for path in served.asked[before:])


def test_a_pull_with_credentials(store: Store) -> None:
    with serving() as served:
        served.put("demo", "1", oci_image(BASE))
        served.password = "secret"
        name = f"{served.host}/demo:1"
        for auth in (None, cri.AuthConfig("user", "wrong")):
            with pytest.raises(cri.Error) as caught:
                pull(store, name, auth)
            assert caught.value.code == "PermissionDenied" and "secret" not in str(caught.value)
        pull(store, name, cri.AuthConfig("user", "secret"))
        pull(store, name, cri.AuthConfig(auth="dXNlcjpzZWNyZXQ="))
        pull(store, name, cri.AuthConfig(registry_token="abc"))
        pull(
            store,
            name,
            known=Registries(registries={served.host: Registry(username="user", password="secret")}),
        )


def test_a_mirror_is_asked_first_and_the_registry_after_it(store: Store) -> None:
    with serving() as mirror, serving() as origin:
        mirror.put("library/demo", "1", oci_image(BASE))
        origin.put("other", "1", oci_image(BASE, User="5"))
        known = Registries({"docker.io": (f"http://{mirror.host}",), origin.host: (f"http://{mirror.host}",)})
        pull(store, "demo:1", known=known)
        assert store.find("docker.io/library/demo:1") is not None
        assert "ns=docker.io" in mirror.asked[0]
        pull(store, f"{origin.host}/other:1", known=known)
        assert origin.asked


def test_a_registry_that_recovers_and_one_that_does_not(store: Store) -> None:
    with serving() as served:
        served.put("demo", "1", oci_image(BASE))
        served.fail_first = 2
        pull(store, f"{served.host}/demo:1")
        with pytest.raises(cri.Error, match="manifest unknown") as caught:
            pull(store, f"{served.host}/demo:2")
        assert caught.value.code == "NotFound"
        gone = served.host
    with pytest.raises(cri.Error, match=gone) as caught:
        pull(store, f"{gone}/demo:1")
    assert caught.value.code == "Unavailable" and caught.value.reason == "RegistryUnavailable"


def test_a_redirect_gets_no_credentials(store: Store) -> None:
    with serving() as served, serving() as elsewhere:
        built = oci_image(BASE)
        served.put("demo", "1", built)
        elsewhere.put("demo", "1", built)
        served.password, served.elsewhere = "secret", f"http://{elsewhere.host}"
        pull(store, f"{served.host}/demo:1", cri.AuthConfig("user", "secret"))
        assert elsewhere.seen_elsewhere and set(elsewhere.seen_elsewhere) == {None}


def test_a_blob_that_is_not_what_it_should_be(store: Store) -> None:
    with serving() as served:
        built = oci_image(BASE)
        name = next(key for key, data in built.blobs.items() if data[:2] == b"\x1f\x8b")
        built.blobs[name] = gzip.compress(TOP)[: len(built.blobs[name])]
        served.put("demo", "1", built)
        with pytest.raises(InvalidImage, match="digest"):
            pull(store, f"{served.host}/demo:1")
        assert store.find(f"{served.host}/demo:1") is None


def test_many_that_pull_the_same_share_one_download(store: Store) -> None:
    with serving() as served:
        served.put("demo", "1", oci_image(BASE))
        service = ImageService(store, Registries(), cri.ImageFsInfoResponse)

        async def body() -> list[str]:
            spec = cri.ImageSpec(f"{served.host}/demo:1")
            return await asyncio.gather(*(service.pull_image(spec) for _ in range(5)))

        assert len(set(asyncio.run(body()))) == 1
        assert len([path for path in served.asked if "manifests/1" in path]) == 1


def test_the_service_translates_errors(store: Store) -> None:
    service = ImageService(store, Registries(), cri.ImageFsInfoResponse)
    with pytest.raises(cri.Error) as caught:
        asyncio.run(service.pull_image(cri.ImageSpec("a b")))
    assert (caught.value.code, caught.value.reason) == ("InvalidArgument", "InvalidImageName")
    with pytest.raises(cri.Error) as caught:
        asyncio.run(service.import_archive(io.BytesIO(b"x" * 600)))
    assert caught.value.code == "Unknown"
    with pytest.raises(cri.Error) as caught:
        asyncio.run(service.pull_image(cri.ImageSpec("sampan.local/other")))
    assert caught.value.code == "NotFound"
