"""Local-path volumes: a dynamic provisioner for node-local folders and the default StorageClass `local-path`.

Behaves as rancher.io/local-path. What may not be here: mounting; the node agent mounts.
"""

from sampan.addons.localpath.model import Config
from sampan.addons.localpath.run import run

__all__ = ["Config", "run"]
