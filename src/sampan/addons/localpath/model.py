"""What the local-path provisioner is told."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Config(NamedTuple):
    """The provisioner of one node: volumes are folders below `directory` on `node_name`."""

    node_name: str
    directory: Path
    provisioner: str = "rancher.io/local-path"
    storage_class: str = "local-path"
    default: bool = True
