"""Which build of ours runs: `up` with another build replaces our processes and keeps the pods."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import sampan


def identifier() -> str:
    """Version and a digest over the package's files (path, size, time of change) and the interpreter."""
    root = Path(sampan.__file__).parent
    digest = hashlib.sha256(sys.version.encode())
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            info = Path(folder, name).stat()
            digest.update(f"{folder}/{name} {info.st_size} {info.st_mtime_ns}\n".encode())
    return f"{sampan.__version__}+{digest.hexdigest()[:12]}"
