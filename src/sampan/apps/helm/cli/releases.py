"""install, upgrade, rollback, uninstall, test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any

from sampan.api.status import ApiError
from sampan.apps.helm.actions import install as installing
from sampan.apps.helm.actions import rollback as rolling_back
from sampan.apps.helm.actions import testing
from sampan.apps.helm.actions import uninstall as uninstalling
from sampan.apps.helm.actions import upgrade as upgrading
from sampan.apps.helm.actions.options import Common, Install, Rollback, Uninstall, Upgrade
from sampan.apps.helm.actions.rendering import Rendering
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.cli import context, inputs, logs, naming, output, reading
from sampan.apps.helm.errors import HelmError, NotFound, of_file
from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation
from sampan.charts.errors import ChartError
from sampan.charts.model import Chart
from sampan.charts.release import Release


def common(call: Invocation, dry: str) -> Common:
    """What the verbs share. Raises HelmError."""
    return Common(
        wait=wait(call),
        wait_for_jobs=call.flag("wait-for-jobs"),
        timeout=context.seconds(call.flag("timeout")),
        no_hooks=call.flag("no-hooks"),
        dry_run=dry,
        force_conflicts=call.flag("force-conflicts"),
        force_replace=call.flag("force-replace") or call.flag("force"),
        take_ownership=call.flags.get("take-ownership", False),
        hide_secret=call.flags.get("hide-secret", False),
        description=call.flag("description"),
    )


def wait(call: Invocation) -> str:
    given = str(call.flag("wait"))
    better = {"true": "watcher", "false": "hookOnly"}.get(given)
    if better is None:
        return given
    logs.logger(call)(
        "WARN", f"--wait={given} is deprecated (boolean value) and can be replaced with --wait={better}"
    )
    return better


def _by_server(call: Invocation) -> bool | None:
    """--server-side of upgrade and rollback: true, false, or None for auto. Raises HelmError."""
    given = str(call.flag("server-side"))
    known = {"true": True, "false": False, "auto": None}
    if given not in known:
        raise HelmError(f"invalid/unknown release server-side apply method: {given}")
    return known[given]


def _rendering(call: Invocation) -> Rendering:
    return Rendering(
        sub_notes=call.flag("render-subchart-notes"),
        skip_schema=call.flag("skip-schema-validation"),
        dns=call.flag("enable-dns"),
    )


def _labels(call: Invocation) -> dict[str, str]:
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


def _print(call: Invocation, found: Release, dry: str) -> None:
    form = call.flag("output")
    if form != "table":
        output.structured(reading.as_json(found), form, ordered=True)
        return
    debug = logs.is_debug(call)
    text = output.release(
        found,
        hide_notes=call.flag("hide-notes"),
        details=dry != "none",
        everything=reading.values_of(found) if debug else "",
    )
    sys.stdout.write(text)


def prefixed(prefix: str, error: Exception) -> HelmError:
    """An error of a verb as Helm introduces it."""
    if isinstance(error, OSError):
        return HelmError(f"{prefix}: {of_file(error)}")
    return HelmError(f"{prefix}: {error}")


def install(call: Invocation) -> int:
    dry, labels = inputs.dry_run(call), _labels(call)
    shared = common(call, dry)._replace(server_side=call.flag("server-side"))
    try:
        name, path = naming.name_and_chart(call)
        chart, wanted = _load(call, path)
        options = _install_options(call, shared, labels)._replace(replace=call.flag("replace"))
        found = _cancellable(
            call, name, lambda session: installing.run(session, name, chart, wanted, options)
        )
    except (HelmError, ChartError, ApiError, OSError) as error:
        raise prefixed("INSTALLATION FAILED", error) from error
    _print(call, found, dry)
    return 0


def _load(call: Invocation, path: str) -> tuple[Chart, dict[str, Any]]:
    """Chart and values for a first installation."""
    inputs.locate(path)
    wanted = inputs.values(call)
    chart = inputs.load_chart(path)
    inputs.installable(call, chart)
    return chart, wanted


def _install_options(call: Invocation, shared: Common, labels: dict[str, str]) -> Install:
    return Install(
        common=shared,
        rendering=_rendering(call),
        create_namespace=call.flag("create-namespace"),
        rollback_on_failure=_undo(call),
        skip_crds=call.flag("skip-crds"),
        labels=labels,
    )


def _cancellable(
    call: Invocation,
    name: str,
    work: Callable[[Session], Coroutine[Any, Any, Release]],
    *,
    most: int | None = None,
) -> Release:
    return context.run(call, work, most=most, cancelled=f"Release {name} has been cancelled.")


def upgrade(call: Invocation) -> int:
    name, path = call.args
    dry, labels = inputs.dry_run(call), _labels(call)
    shared = common(call, dry)
    most = call.flag("history-max")
    if call.flag("install") and (kept := context.run(call, lambda s: _absent(s, name))) is not None:
        if call.flag("output") == "table":
            sys.stdout.write(f'Release "{name}" does not exist. Installing it now.\n')
        chart, wanted = _load(call, path)
        first = _install_options(call, shared, labels)._replace(
            common=shared._replace(server_side=str(call.flag("server-side")) != "false"), replace=kept
        )
        found = _cancellable(call, name, lambda s: installing.run(s, name, chart, wanted, first), most=most)
        _print(call, found, dry)
        return 0
    inputs.locate(path)
    wanted = inputs.values(call)
    chart = inputs.load_chart(path)
    inputs.complete(chart)
    inputs.deprecated(call, chart)
    try:
        options = Upgrade(
            common=shared._replace(server_side=_by_server(call)),
            rendering=_rendering(call),
            values_from=_values_from(call),
            cleanup_on_fail=call.flag("cleanup-on-fail"),
            rollback_on_failure=_undo(call),
            labels=labels,
        )
        found = _cancellable(call, name, lambda s: upgrading.run(s, name, chart, wanted, options), most=most)
    except (HelmError, ChartError, ApiError, OSError) as error:
        raise prefixed("UPGRADE FAILED", error) from error
    if call.flag("output") == "table":
        sys.stdout.write(f'Release "{name}" has been upgraded. Happy Helming!\n')
    _print(call, found, dry)
    return 0


def _values_from(call: Invocation) -> str:
    for flag in ("reset-values", "reuse-values", "reset-then-reuse-values"):
        if call.flag(flag):
            return flag.removesuffix("-values")
    return ""


async def _absent(session: Session, name: str) -> bool | None:
    """None for a release that is there; else whether a record of an uninstalled one is in the way."""
    await session.reach()
    check_name(name, "release name is invalid")
    try:
        return True if (await session.storage.last(name)).info.status == "uninstalled" else None
    except NotFound:
        return False


def rollback(call: Invocation) -> int:
    version = 0
    if len(call.args) > 1:
        try:
            version = int(call.args[1])
        except ValueError:
            raise HelmError(
                f'could not convert revision to a number: strconv.Atoi: parsing "{call.args[1]}": invalid syntax'
            ) from None
    rolling_back.check_description(call.flag("description"))
    shared = common(call, inputs.dry_run(call))._replace(server_side=_by_server(call))
    options = Rollback(shared, version, call.flag("cleanup-on-fail"))
    name = call.args[0]
    _cancellable(
        call, name, lambda session: rolling_back.run(session, name, options), most=call.flag("history-max")
    )
    sys.stdout.write("Rollback was a success! Happy Helming!\n")
    return 0


def uninstall(call: Invocation) -> int:
    cascade = call.flag("cascade")
    if cascade not in ("background", "foreground", "orphan"):
        raise HelmError(f'invalid cascade value ({cascade}). Must be "background", "foreground", or "orphan"')
    shared = Common(
        wait=wait(call),
        timeout=context.seconds(call.flag("timeout")),
        no_hooks=call.flag("no-hooks"),
        dry_run="client" if call.flag("dry-run") else "none",
        description=call.flag("description"),
    )
    options = Uninstall(
        common=shared,
        keep_history=call.flag("keep-history"),
        ignore_not_found=call.flag("ignore-not-found"),
        cascade=cascade,
    )

    async def work(session: Session) -> None:
        for name in call.args:
            done = await uninstalling.run(session, name, options)
            if done.said:
                sys.stdout.write(f"{done.said}\n")
            sys.stdout.write(f'release "{name}" uninstalled\n')

    context.run(call, work)
    return 0


def test(call: Invocation) -> int:
    chosen = _filter(call.flag("filter"))
    timeout = context.seconds(call.flag("timeout"))

    async def work(session: Session) -> None:
        tested = await testing.run(session, call.args[0], timeout=timeout, chosen=chosen)
        try:
            sys.stdout.write(output.release(tested.release, hide_notes=True))
            problems = [tested.problem] if tested.problem else []
            if call.flag("logs"):
                shown, missing = await testing.logs(session, tested.release, chosen)
                sys.stdout.write(f"\n{shown}")
                problems += missing
        finally:
            await testing.finish(session, tested, timeout=timeout)
        if problems:
            raise HelmError("\n".join(problems))

    context.run(call, work)
    return 0


def _filter(words: tuple[str, ...]) -> testing.Filter:
    """name=NAME and !name=NAME; what is neither is refused (Helm passes over it)."""
    only, but = [], []
    for word in words:
        key, _, value = word.partition("=")
        if key == "name":
            only.append(value)
        elif key.replace(" ", "") == "!name":
            but.append(value)
        else:
            raise UsageError(f"filter {word!r}: expected name=NAME or !name=NAME")
    return testing.Filter(tuple(only), tuple(but))
