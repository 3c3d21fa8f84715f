"""logs: what our components have written."""

from __future__ import annotations

from sampan.base.command.parse import Invocation
from sampan.cli import show
from sampan.cluster import actions, journal
from sampan.cluster.settings import SettingsError


def logs(call: Invocation) -> int:
    try:
        found = actions.find(call.flag("name"), call.flag("data-dir") or None)
    except (actions.ClusterError, SettingsError) as error:
        return show.fail(str(error))
    folder = found.data_path / "log"
    known = sorted(path.stem for path in folder.glob("*.log"))
    wanted = list(call.args) or known
    if unknown := [name for name in wanted if name not in known]:
        return show.fail(f"component {unknown[0]!r} has no log, expected one of {', '.join(known)}")
    count = call.flag("tail")
    if count != 0:
        lines = [
            line
            for name in wanted
            for line in journal.tail(folder / f"{name}.log", 10**9 if count < 0 else count)
        ]
        for line in sorted(lines) if len(wanted) > 1 else lines:
            print(line)
    if call.flag("follow"):
        if len(wanted) != 1:
            return show.fail("--follow needs the name of one component")
        for line in journal.follow(folder / f"{wanted[0]}.log"):
            print(line, end="", flush=True)
    return 0
