"""Compiled seccomp filters, kept: crun compiles the same 400 rules anew for each container, which costs 20 ms.

crun leaves the program it compiled in its state folder as seccomp.bpf, and takes one ready-made from the annotation
run.oci.seccomp_bpf_data (crun(1), "SECCOMP"). So the first container of a profile pays and later ones do not.
"""

from __future__ import annotations

import base64
import hashlib
import platform
from pathlib import Path
from typing import Any

import orjson

ANNOTATION = "run.oci.seccomp_bpf_data"
# A classic BPF program has at most 4096 instructions of 8 bytes (BPF_MAXINSNS); anything else is no filter.
_SIZE_MAX = 4096 * 8
_INSTRUCTION = 8


class Filters:
    """`folder` is private to root and does not outlive a boot, since the programs belong to this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def annotate(self, config: dict[str, Any]) -> bool:
        """Puts the compiled filter into an OCI configuration with seccomp; False when there is none yet."""
        key = _key(config["linux"]["seccomp"])
        if key not in self._known:
            try:
                self._known[key] = (self._folder / key).read_text()
            except FileNotFoundError:
                return False
        config.setdefault("annotations", {})[ANNOTATION] = self._known[key]
        return True

    def learn(self, config: dict[str, Any], compiled: Path) -> None:
        """After the first start of a container with this configuration (with seccomp, not annotated)."""
        try:
            program = compiled.read_bytes()
        except OSError:
            return
        if not 0 < len(program) <= _SIZE_MAX or len(program) % _INSTRUCTION:
            return
        key = _key(config["linux"]["seccomp"])
        self._known[key] = base64.b64encode(program).decode()
        fresh = self._folder / f"{key}.new"
        fresh.write_text(self._known[key])
        fresh.replace(self._folder / key)


def _key(wanted: dict[str, Any]) -> str:
    text = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS) + platform.machine().encode()
    return hashlib.sha256(text).hexdigest()
