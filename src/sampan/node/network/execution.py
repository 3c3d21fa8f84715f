"""CNI's exec protocol: a plug-in as an executable, told by environment and stdin (specification 1.1.0, section 2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sampan.node.network import wire
from sampan.spec.cni import Attachment, CniError

OUTPUT_BYTES = 1 << 20


def find(kind: str, bin_dirs: Sequence[str]) -> Path:
    """The executable of a plug-in type. CniError 50 names where it was looked for."""
    if "/" in kind or not kind:
        raise CniError(7, f"plug-in type {kind!r}: must be a file name")
    for folder in bin_dirs:
        path = Path(folder) / kind
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise CniError(50, f"plug-in {kind!r} is not in {', '.join(bin_dirs) or 'any folder'}")


def environment(command: str, attachment: Attachment | None, bin_dirs: Sequence[str]) -> dict[str, str]:
    """What the plug-in sees: CNI's variables and PATH, nothing else of ours."""
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "CNI_COMMAND": command,
        "CNI_PATH": os.pathsep.join(bin_dirs),
    }
    if attachment is not None:
        env["CNI_CONTAINERID"] = attachment.container_id
        env["CNI_NETNS"] = attachment.netns
        env["CNI_IFNAME"] = attachment.ifname
        env["CNI_ARGS"] = ";".join(f"{name}={value}" for name, value in attachment.args.items())
    return env


async def run(
    kind: str,
    command: str,
    config: Mapping[str, Any],
    attachment: Attachment | None,
    bin_dirs: Sequence[str],
    seconds: float,
) -> Any:
    """What the plug-in printed, decoded; None when it printed nothing.

    Raises CniError with the plug-in's own code, 5 when it could not be run, 11 when it took longer than `seconds`.
    """
    path = find(kind, bin_dirs)
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(command, attachment, bin_dirs),
            start_new_session=True,
        )
    except OSError as error:
        raise CniError(5, f"plug-in {str(path)!r} cannot be started", str(error)) from error
    try:
        out, err = await asyncio.wait_for(process.communicate(json.dumps(config).encode()), seconds)
    except TimeoutError:
        raise CniError(11, f"plug-in {kind!r} took longer than {seconds:g} s for {command}") from None
    finally:
        if process.returncode is None:
            # with its children: they hold its pipes open
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if len(out) > OUTPUT_BYTES:
        raise CniError(6, f"plug-in {kind!r} printed {len(out)} bytes, at most {OUTPUT_BYTES} are read")
    try:
        printed = json.loads(out) if out.strip() else None
    except ValueError as error:
        raise CniError(6, f"plug-in {kind!r} printed no JSON for {command}", repr(out[:200])) from error
    if process.returncode:
        failure = wire.error_from_json(printed, kind)
        if printed is None:
            failure = CniError(
                100, f"plug-in {kind!r} failed with {process.returncode}", err.decode(errors="replace")[-500:]
            )
        raise failure
    return printed
