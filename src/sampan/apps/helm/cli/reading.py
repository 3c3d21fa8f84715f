"""list, status, history, get: what reads releases and changes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from sampan.api.selector import labels
from sampan.api.selector.error import SelectorError
from sampan.apps.helm.actions.session import Session, check_name, content
from sampan.apps.helm.cli import context, output
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import tables
from sampan.base.command.parse import Invocation
from sampan.base.gotemplate import gojson
from sampan.base.gotemplate.re2 import regex
from sampan.base.gotemplate.re2.syntax import RegexError
from sampan.charts import release as records
from sampan.charts import yamlout
from sampan.charts.coalesce import coalesce_values
from sampan.charts.release import Release

_STATES = ("deployed", "failed", "superseded", "uninstalled", "uninstalling")


def _chart(found: Release) -> str:
    return f"{found.chart.name}-{found.chart.metadata.version}"


def _load(call: Invocation) -> Release:
    return context.run(call, lambda session: content(session, call.args[0], call.flag("revision")))


# -- list


def listing(call: Invocation) -> int:
    async def work(session: Session) -> list[Release]:
        await session.reach()
        return await session.storage.driver.list(everywhere=call.flag("all-namespaces"))

    chosen = page(call, wanted(call, context.run(call, work)))
    form = call.flag("output")
    if call.flag("short"):
        names = [found.name for found in chosen]
        if form == "table":
            sys.stdout.writelines(f"{name}\n" for name in names)
        else:
            output.structured(names, form)
        return 0
    rows = [_row(found, call.flag("time-format")) for found in chosen]
    if form != "table":
        output.structured(rows, form, ordered=True)
        return 0
    heads = ("NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION")
    cells = [tuple(str(value) for value in row.values()) for row in rows]
    sys.stdout.write(output.table(heads, cells, headless=call.flag("no-headers")))
    return 0


def _row(found: Release, layout: str) -> dict[str, Any]:
    updated = output.go_string(found.info.last_deployed)
    if layout:
        from sampan.base.gotemplate.gotime import Time, format_time

        at = output.moment(found.info.last_deployed)
        updated = format_time(Time(int(at.timestamp() * 1e9), at.tzinfo or UTC), layout) if at else "-"
    return {
        "name": found.name,
        "namespace": found.namespace,
        "revision": str(found.version),
        "updated": updated,
        "status": found.info.status,
        "chart": _chart(found),
        "app_version": found.chart.metadata.app_version,
    }


def wanted(call: Invocation, found: list[Release]) -> list[Release]:
    """The last revision of each release, by name, state and labels; superseded ones when these alone are asked for."""
    if call.flag("filter"):
        try:
            pattern = regex.compile(call.flag("filter"))
        except RegexError as error:
            raise HelmError(str(error)) from error
        found = [one for one in found if pattern.match(one.name)]
    states = {state for state in _STATES if call.flag(state)}
    if call.flag("pending"):
        states |= records.PENDING
    if states != {"superseded"}:
        found = _last_of_each(found)
    if states:
        found = [one for one in found if one.info.status in states]
    try:
        chosen = labels.parse(call.flag("selector"))
    except SelectorError as error:
        raise HelmError(str(error)) from error
    return [one for one in found if chosen.matches(one.labels)]


def _last_of_each(found: list[Release]) -> list[Release]:
    last: dict[tuple[str, str], Release] = {}
    for one in found:
        key = (one.namespace, one.name)
        if key not in last or last[key].version < one.version:
            last[key] = one
    return list(last.values())


def page(call: Invocation, found: list[Release]) -> list[Release]:
    """Sorted by name or date, from --offset on, at most --max."""
    if call.flag("date"):
        found = sorted(found, key=lambda one: _instant(one.info.last_deployed))
    else:
        found = sorted(found, key=lambda one: (one.name, one.namespace))
    if call.flag("reverse"):
        found.reverse()
    first, most = call.flag("offset"), call.flag("max")
    return found[first : first + most] if most > 0 else found[first:]


def _instant(text: str) -> float:
    at = output.moment(text)
    return at.timestamp() if at else 0.0


# -- status and history


def status(call: Invocation) -> int:
    form = call.flag("output")

    async def work(session: Session) -> tuple[Release, str, dict[str, Any]]:
        found = await content(session, call.args[0], call.flag("revision"))
        targets = await session.targets(found.manifest, "unable to build kubernetes objects")
        if form == "table":
            return found, tables.text(await tables.of_release(session.client, targets)), {}
        return found, "", await tables.objects_of(session.client, targets)

    found, shown, live = context.run(call, work)
    if form == "table":
        sys.stdout.write(output.release(found, resources=shown))
        return 0
    whole = as_json(found)
    whole.pop("chart", None)
    if live:
        whole["info"]["resources"] = json.loads(gojson.dumps(live))
    output.structured(whole, form, ordered=True)
    return 0


def as_json(found: Release) -> dict[str, Any]:
    """A release as `-o json` shows it, fields in the order of the record."""
    whole: dict[str, Any] = json.loads(records.to_json(found))
    return whole


def history(call: Invocation) -> int:
    name = call.args[0]

    async def work(session: Session) -> list[Release]:
        await session.reach()
        check_name(name, "release name is invalid")
        return await session.storage.history(name)

    found = context.run(call, work)
    most = call.flag("max")
    shown = found[-most:] if most > 0 else []
    if call.flag("output") != "table":
        output.structured([_revision(one) for one in shown], call.flag("output"), ordered=True)
        return 0
    with_rollback = call.flag("show-rollback-revision")
    heads = ["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"]
    cells = [
        [
            str(one.version),
            output.ansi_c(one.info.last_deployed),
            one.info.status,
            _chart(one),
            one.chart.metadata.app_version,
            one.info.description,
        ]
        for one in shown
    ]
    if with_rollback:
        heads.insert(5, "ROLLBACK")
        for one, row in zip(shown, cells, strict=True):
            row.insert(5, str(one.info.rollback_revision or ""))
    sys.stdout.write(output.table(heads, cells))
    return 0


def _revision(one: Release) -> dict[str, Any]:
    rolled = one.info.rollback_revision
    updated = one.info.last_deployed if output.moment(one.info.last_deployed) else ""
    return {
        "revision": one.version,
        **({"updated": updated} if updated else {}),
        "status": one.info.status,
        "chart": _chart(one),
        "app_version": one.chart.metadata.app_version,
        **({"rollback_revision": rolled} if rolled else {}),
        "description": one.info.description,
    }


# -- get


def get_manifest(call: Invocation) -> int:
    sys.stdout.write(_load(call).manifest + "\n")
    return 0


def get_notes(call: Invocation) -> int:
    found = _load(call)
    if found.info.notes:
        sys.stdout.write(f"NOTES:\n{found.info.notes}\n")
    return 0


def get_hooks(call: Invocation) -> int:
    sys.stdout.write(output.hooks(_load(call)))
    return 0


def get_values(call: Invocation) -> int:
    found = _load(call)
    everything = call.flag("all")
    values: Any = coalesce_values(found.chart, found.config) if everything else found.config or None
    if call.flag("output") == "table":
        sys.stdout.write("COMPUTED VALUES:\n" if everything else "USER-SUPPLIED VALUES:\n")
    output.structured(values, "yaml" if call.flag("output") == "table" else call.flag("output"))
    return 0


def get_metadata(call: Invocation) -> int:
    found = _load(call)
    metadata = found.chart.metadata
    at = output.moment(found.info.last_deployed)
    deployed = at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else "0001-01-01T00:00:00Z"
    annotations, dependencies = dict(metadata.annotations or {}), metadata.dependencies
    if call.flag("output") != "table":
        shown: dict[str, Any] = {
            "name": found.name,
            "chart": metadata.name,
            "version": metadata.version,
            "appVersion": metadata.app_version,
            **({"annotations": dict(sorted(annotations.items()))} if annotations else {}),
            **({"labels": dict(sorted(found.labels.items()))} if found.labels else {}),
            **({"dependencies": [d.to_json() for d in dependencies]} if dependencies else {}),
            "namespace": found.namespace,
            "revision": found.version,
            "status": found.info.status,
            "deployedAt": deployed,
            **({"applyMethod": found.apply_method} if found.apply_method else {}),
        }
        output.structured(shown, call.flag("output"), ordered=True)
        return 0
    sys.stdout.write(
        f"NAME: {found.name}\nCHART: {metadata.name}\nVERSION: {metadata.version}\n"
        f"APP_VERSION: {metadata.app_version}\nANNOTATIONS: {_pairs(annotations)}\nLABELS: {_pairs(found.labels)}\n"
        f"DEPENDENCIES: {','.join(sorted(d.name for d in dependencies))}\nNAMESPACE: {found.namespace}\n"
        f"REVISION: {found.version}\nSTATUS: {found.info.status}\nDEPLOYED_AT: {deployed}\n"
        f"APPLY_METHOD: {_method(found.apply_method)}\n"
    )
    return 0


def _pairs(values: Mapping[str, str]) -> str:
    return ",".join(f"{key}={values[key]}" for key in sorted(values))


def _method(apply_method: str) -> str:
    known = {
        "ssa": "server-side apply",
        "csa": "client-side apply",
        "": "client-side apply (defaulted)",
    }
    return known.get(apply_method, f'unknown ("{apply_method}")')


def get_all(call: Invocation) -> int:
    found = _load(call)
    sys.stdout.write(output.release(found, everything=values_of(found), metadata=True))
    return 0


def values_of(found: Release) -> str:
    """The values of a release, the user's and the computed ones, as get all and --debug show them."""
    return (
        f"USER-SUPPLIED VALUES:\n{yamlout.dump(found.config or None)}\n"
        f"COMPUTED VALUES:\n{yamlout.dump(coalesce_values(found.chart, found.config))}\n"
    )
