"""install, upgrade, rollback, uninstall, test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sampan.api.status import ApiError
from sampan.apps.helm.actions import install as installing
from sampan.apps.helm.actions import rollback as rolling_back
from sampan.apps.helm.actions import testing
from sampan.apps.helm.actions import uninstall as uninstalling
from sampan.apps.helm.actions import upgrade as upgrading
from sampan.apps.helm.actions.options import Common, Install, Rollback, Uninstall, Upgrade
from sampan.apps.helm.actions.rendering import Rendering
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.cli import context, naming, output, reading
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation
from sampan.charts import values as user_values
from sampan.charts.errors import ChartError
from sampan.charts.loader import load
from sampan.charts.model import Chart
from sampan.charts.release import Release


def load_chart(path: str) -> Chart:
    """A chart by its path. Names of repositories and registries are refused by name. Raises HelmError."""
    if path.startswith(("oci://", "http://", "https://")):
        raise HelmError(
            f"chart {path!r}: repositories and registries are not supported yet, expected a folder or a .tgz"
        )
    if not Path(path).exists():
        if "/" in path and not path.startswith((".", "/")):
            raise HelmError(
                f"chart {path!r}: not found, and repositories are not supported yet; expected a folder or a .tgz"
            )
        raise HelmError(f'path "{path}" not found')
    return load(Path(path))


def values(call: Invocation) -> dict[str, Any]:
    """The user's values from the flags. Raises ValuesError, HelmError."""

    def read(path: str) -> bytes:
        if path == "-":
            return sys.stdin.buffer.read()
        if path.startswith(("http://", "https://")):
            raise HelmError(f"values {path!r}: addresses are not supported yet, expected a file")
        return Path(path).read_bytes()

    return user_values.compute(
        user_values.Sources(
            files=call.flag("values"),
            set_json=call.flag("set-json"),
            set=call.flag("set"),
            set_string=call.flag("set-string"),
            set_file=call.flag("set-file"),
            set_literal=call.flag("set-literal"),
        ),
        read,
    )


def _wait(call: Invocation, *, undo: bool) -> str:
    given = str(call.flag("wait"))
    given = {"true": "watcher", "false": "hookOnly"}.get(given, given)
    return "watcher" if undo and given == "hookOnly" else given


def dry_run(call: Invocation) -> str:
    given = str(call.flag("dry-run"))
    return {"true": "client", "false": "none"}.get(given, given)


def common(call: Invocation, *, undo: bool = False) -> Common:
    server_side = {"true": True, "false": False, "auto": None}.get(str(call.flag("server-side")).lower())
    return Common(
        wait=_wait(call, undo=undo),
        wait_for_jobs=call.flag("wait-for-jobs"),
        timeout=context.seconds(call.flag("timeout")),
        no_hooks=call.flag("no-hooks"),
        dry_run=dry_run(call),
        server_side=server_side,
        force_conflicts=call.flag("force-conflicts"),
        force_replace=call.flag("force-replace") or call.flag("force"),
        take_ownership=call.flags.get("take-ownership", False),
        description=call.flag("description"),
    )


def rendering(call: Invocation) -> Rendering:
    return Rendering(
        sub_notes=call.flag("render-subchart-notes"),
        skip_schema=call.flag("skip-schema-validation"),
        dns=call.flag("enable-dns"),
    )


def labels(call: Invocation) -> dict[str, str]:
    found = {}
    for pair in call.flag("labels"):
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(
                f'invalid argument "{pair}" for "-l, --labels" flag: {pair} must be formatted as key=value'
            )
        found[key] = value
    return found


def _undo(call: Invocation) -> bool:
    return bool(call.flag("rollback-on-failure") or call.flag("atomic"))


def _print(call: Invocation, found: Release, *, head: str = "") -> None:
    form = call.flag("output")
    if form != "table":
        output.structured(reading.as_json(found), form)
        return
    dry = dry_run(call) != "none"
    sys.stdout.write(
        head
        + output.release(
            found, hide_notes=call.flag("hide-notes"), dry_run=dry, hide_secret=call.flag("hide-secret")
        )
    )


def install(call: Invocation) -> int:
    name, path = naming.name_and_chart(call)
    try:
        chart, wanted = load_chart(path), values(call)
        options = Install(
            common=common(call, undo=_undo(call)),
            rendering=rendering(call),
            create_namespace=call.flag("create-namespace"),
            replace=call.flag("replace"),
            rollback_on_failure=_undo(call),
            skip_crds=call.flag("skip-crds"),
            labels=labels(call),
        )
        found = context.run(call, lambda session: installing.run(session, name, chart, wanted, options))
    except (HelmError, ChartError, OSError) as error:
        raise HelmError(f"INSTALLATION FAILED: {error}") from error
    except ApiError as error:
        raise HelmError(f"INSTALLATION FAILED: {error.message}") from error
    _print(call, found)
    return 0


def upgrade(call: Invocation) -> int:
    name, path = call.args
    chart, wanted = load_chart(path), values(call)
    source = next(
        (
            word
            for flag, word in (
                ("reset-values", "reset"),
                ("reuse-values", "reuse"),
                ("reset-then-reuse-values", "reset-then-reuse"),
            )
            if call.flag(flag)
        ),
        "",
    )
    options = Upgrade(
        common=common(call, undo=_undo(call)),
        rendering=rendering(call),
        values_from=source,
        cleanup_on_fail=call.flag("cleanup-on-fail"),
        rollback_on_failure=_undo(call),
        labels=labels(call),
    )

    async def work(session: Session) -> tuple[Release, bool]:
        if call.flag("install") and await _absent(session, name):
            first = Install(
                common=options.common._replace(server_side=options.common.server_side is not False),
                rendering=options.rendering,
                create_namespace=call.flag("create-namespace"),
                replace=True,
                rollback_on_failure=options.rollback_on_failure,
                skip_crds=call.flag("skip-crds"),
                labels=options.labels,
            )
            return await installing.run(session, name, chart, wanted, first), True
        return await upgrading.run(session, name, chart, wanted, options), False

    found, fresh = context.run(call, work, history_max=call.flag("history-max"))
    if call.flag("output") == "table" and dry_run(call) == "none":
        if fresh:
            sys.stdout.write(f'Release "{name}" does not exist. Installing it now.\n')
        else:
            sys.stdout.write(f'Release "{name}" has been upgraded. Happy Helming!\n')
    _print(call, found)
    return 0


async def _absent(session: Session, name: str) -> bool:
    """No revision, or only one that was uninstalled and kept."""
    try:
        return (await session.storage.last(name)).info.status == "uninstalled"
    except NotFound:
        return True


def rollback(call: Invocation) -> int:
    version = 0
    if len(call.args) > 1:
        try:
            version = int(call.args[1])
        except ValueError:
            raise HelmError(
                f"could not convert revision to a number: strconv.Atoi: parsing {call.args[1]!r}: invalid syntax"
            ) from None
    options = Rollback(common=common(call), version=version, cleanup_on_fail=call.flag("cleanup-on-fail"))
    context.run(
        call,
        lambda session: rolling_back.run(session, call.args[0], options),
        history_max=call.flag("history-max"),
    )
    sys.stdout.write("Rollback was a success! Happy Helming!\n")
    return 0


def uninstall(call: Invocation) -> int:
    shared = Common(
        wait=_wait(call, undo=False),
        timeout=context.seconds(call.flag("timeout")),
        no_hooks=call.flag("no-hooks"),
        dry_run="client" if call.flag("dry-run") else "none",
        description=call.flag("description"),
    )
    options = Uninstall(
        common=shared,
        keep_history=call.flag("keep-history"),
        ignore_not_found=call.flag("ignore-not-found"),
        cascade=call.flag("cascade"),
    )

    async def work(session: Session) -> None:
        for name in call.args:
            try:
                _, kept = await uninstalling.run(session, name, options)
            except uninstalling.Gone:
                sys.stdout.write(f'release "{name}" uninstalled\n')
                continue
            if kept:
                sys.stdout.write("These resources were kept due to the resource policy:\n")
                sys.stdout.writelines(f"[{target.resource.kind}] {target.name}\n" for target in kept)
                sys.stdout.write("\n")
            sys.stdout.write(f'release "{name}" uninstalled\n')

    context.run(call, work)
    return 0


def test(call: Invocation) -> int:
    only, but = [], []
    for word in call.flag("filter"):
        key, _, value = word.partition("=")
        if key == "name":
            only.append(value)
        elif key == "!name":
            but.append(value)
        else:
            raise UsageError(f"filter {word!r}: expected name=NAME or !name=NAME")

    async def work(session: Session) -> tuple[Release, HelmError | None, list[tuple[str, str]]]:
        found, problem = await testing.run(
            session, call.args[0], timeout=context.seconds(call.flag("timeout")), only=only, but=but
        )
        logs = await testing.logs(session, found, only=only, but=but) if call.flag("logs") else []
        return found, problem, logs

    found, problem, logs = context.run(call, work)
    sys.stdout.write(output.release(found))
    for pod, text in logs:
        sys.stdout.write(f"POD LOGS: {pod}\n{text}\n")
    if problem is not None:
        raise problem
    return 0
