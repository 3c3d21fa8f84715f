from __future__ import annotations

import pytest

from sampan.spec.oci import image
from sampan.spec.oci.image import Descriptor, InvalidImage, Platform

AMD, ARM, ARM6 = Platform("linux", "amd64"), Platform("linux", "arm64", "v8"), Platform("linux", "arm", "v6")


def entry(name: str, platform: Platform | None) -> Descriptor:
    return Descriptor(image.MANIFEST, name, 1, platform)


def test_the_right_platform_is_chosen() -> None:
    entries = [entry("arm", ARM), entry("amd", AMD), entry("note", Platform("unknown", "unknown"))]
    assert image.select(entries, AMD).digest == "amd"
    assert image.select(entries, Platform("linux", "arm64", "v8")).digest == "arm"
    assert image.select([entry("v6", ARM6)], Platform("linux", "arm", "v7")).digest == "v6"
    assert image.select([entry("any", None)], AMD).digest == "any"
    with pytest.raises(InvalidImage, match="linux/arm64/v8"):
        image.select([entry("arm", ARM)], Platform("linux", "s390x"))


def test_machines() -> None:
    assert image.machine_platform("x86_64") == AMD
    with pytest.raises(InvalidImage, match="'vax'"):
        image.machine_platform("vax")


def test_a_configuration() -> None:
    found = image.image_config(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"diff_ids": ["sha256:1"]},
            "config": {
                "Entrypoint": ["/e"],
                "Cmd": None,
                "Env": ["A=b"],
                "User": "9:9",
                "Volumes": {"/v": {}},
            },
        }
    )
    assert (
        found.entrypoint == ("/e",) and found.cmd == () and found.user == "9:9" and found.volumes == ("/v",)
    )
    assert found.platform == AMD and found.diff_ids == ("sha256:1",)


@pytest.mark.parametrize("data", [None, [], {}, {"rootfs": {}}, {"rootfs": {"diff_ids": 1}}])
def test_what_is_no_configuration(data: object) -> None:
    with pytest.raises(InvalidImage):
        image.image_config(data)


def test_manifests_and_indexes() -> None:
    found = image.manifest(
        {"config": {"digest": "c"}, "layers": [{"digest": "l", "size": 3, "mediaType": "m"}]}
    )
    assert found.config.digest == "c" and found.layers == (Descriptor("m", "l", 3),)
    with pytest.raises(InvalidImage, match="schema 1"):
        image.manifest({"schemaVersion": 1})
    with pytest.raises(InvalidImage, match="manifests"):
        image.index({})
    with pytest.raises(InvalidImage, match="descriptor"):
        image.index({"manifests": [{"size": 1}]})
