"""list, status, history, get: what reads releases and changes nothing."""

from __future__ import annotations

import re
import sys
from datetime import UTC
from typing import Any

import orjson

from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.cli import context, output
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import tables
from sampan.base.command.parse import Invocation
from sampan.charts import release as records
from sampan.charts import yamlout
from sampan.charts.coalesce import coalesce_values
from sampan.charts.release import Release

_STATES = ("deployed", "failed", "superseded", "uninstalled", "uninstalling")


def _chart(found: Release) -> str:
    return f"{found.chart.name}-{found.chart.metadata.version}"


def _load(call: Invocation, version: int = 0) -> Release:
    name = call.args[0]
    check_name(name)
    return context.run(call, lambda session: session.storage.get(name, version))


# -- list


def listing(call: Invocation) -> int:
    async def work(session: Session) -> list[Release]:
        return await session.storage.driver.list(
            everywhere=call.flag("all-namespaces"), selector=call.flag("selector")
        )

    chosen = _page(call, _wanted(call, context.run(call, work)))
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
        output.structured(rows, form)
        return 0
    heads = ("NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION")
    cells = [tuple(str(value) for value in row.values()) for row in rows]
    sys.stdout.write(output.table(heads, cells, headless=call.flag("no-headers")))
    return 0


def _row(found: Release, layout: str) -> dict[str, str]:
    updated = output.go_string(found.info.last_deployed)
    if layout:
        from sampan.base.gotemplate.gotime import Time, format_time

        at = output.moment(found.info.last_deployed)
        updated = format_time(Time(int(at.timestamp() * 1e9), at.tzinfo or UTC), layout) if at else ""
    return {
        "name": found.name,
        "namespace": found.namespace,
        "revision": str(found.version),
        "updated": updated,
        "status": found.info.status,
        "chart": _chart(found),
        "app_version": found.chart.metadata.app_version,
    }


def _wanted(call: Invocation, found: list[Release]) -> list[Release]:
    """By the flags for states; without any, the last revision of each release in whatever state."""
    states = {state for state in _STATES if call.flag(state)}
    if call.flag("pending"):
        states |= records.PENDING
    if call.flag("filter"):
        try:
            pattern = re.compile(call.flag("filter"))
        except re.error as error:
            raise HelmError(f"error parsing regexp: {error}") from error
        found = [one for one in found if pattern.search(one.name)]
    if not states:
        return _last_of_each(found)
    if states <= {"superseded"}:
        return [one for one in found if one.info.status in states]
    return [one for one in _last_of_each(found) if one.info.status in states] + [
        one for one in found if one.info.status == "superseded" and "superseded" in states
    ]


def _last_of_each(found: list[Release]) -> list[Release]:
    last: dict[tuple[str, str], Release] = {}
    for one in found:
        key = (one.namespace, one.name)
        if key not in last or last[key].version < one.version:
            last[key] = one
    return list(last.values())


def _page(call: Invocation, found: list[Release]) -> list[Release]:
    if call.flag("date"):
        found = sorted(found, key=lambda one: one.info.last_deployed)
    else:
        found = sorted(found, key=lambda one: (one.name, one.namespace))
    if call.flag("reverse"):
        found.reverse()
    first, most = call.flag("offset"), call.flag("max")
    return found[first : first + most] if most else found[first:]


# -- status and history


def status(call: Invocation) -> int:
    name = call.args[0]
    check_name(name)

    async def work(session: Session) -> tuple[Release, list[tables.Shown]]:
        found = await session.storage.get(name, call.flag("revision"))
        return found, await tables.of_release(session.client, found.manifest, session.namespace)

    found, shown = context.run(call, work)
    if call.flag("output") == "table":
        sys.stdout.write(output.release(found, resources=tables.text(shown)))
    else:
        output.structured(as_json(found), call.flag("output"))
    return 0


def as_json(found: Release) -> Any:
    """A release as `-o json` shows it: the record without the chart."""
    whole = orjson.loads(records.to_json(found))
    whole.pop("chart", None)
    whole.pop("apply_method", None)
    return whole


def history(call: Invocation) -> int:
    name = call.args[0]
    check_name(name)
    found = context.run(call, lambda session: session.storage.history(name))
    most = call.flag("max")
    rows = [
        {
            "revision": one.version,
            "updated": one.info.last_deployed,
            "status": one.info.status,
            "chart": _chart(one),
            "app_version": one.chart.metadata.app_version,
            "description": one.info.description,
        }
        for one in (found[-most:] if most else found)
    ]
    if call.flag("output") != "table":
        output.structured(rows, call.flag("output"))
        return 0
    heads = ("REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION")
    cells = [
        (
            str(r["revision"]),
            output.ansi_c(str(r["updated"])),
            *(str(r[k]) for k in ("status", "chart", "app_version", "description")),
        )
        for r in rows
    ]
    sys.stdout.write(output.table(heads, cells))
    return 0


# -- get


def get_manifest(call: Invocation) -> int:
    sys.stdout.write(_load(call, call.flag("revision")).manifest + "\n")
    return 0


def get_notes(call: Invocation) -> int:
    found = _load(call, call.flag("revision"))
    if found.info.notes:
        sys.stdout.write(f"NOTES:\n{found.info.notes}\n")
    return 0


def get_hooks(call: Invocation) -> int:
    sys.stdout.write(output.hooks(_load(call, call.flag("revision"))))
    return 0


def get_values(call: Invocation) -> int:
    found = _load(call, call.flag("revision"))
    everything = call.flag("all")
    values = coalesce_values(found.chart, found.config) if everything else found.config
    form = call.flag("output")
    if form != "table":
        output.structured(values if values or everything else None, form)
        return 0
    sys.stdout.write("COMPUTED VALUES:\n" if everything else "USER-SUPPLIED VALUES:\n")
    sys.stdout.write(yamlout.dump(values) if values or everything else "null\n")
    return 0


def get_metadata(call: Invocation) -> int:
    found = _load(call, call.flag("revision"))
    metadata = found.chart.metadata
    moment = output.moment(found.info.last_deployed)
    deployed = moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""
    shown: dict[str, Any] = {
        "name": found.name,
        "chart": metadata.name,
        "version": metadata.version,
        "appVersion": metadata.app_version,
        "annotations": dict(metadata.annotations or {}),
        "labels": dict(found.labels),
        "dependencies": [d.to_json() for d in metadata.dependencies],
        "namespace": found.namespace,
        "revision": found.version,
        "status": found.info.status,
        "deployedAt": deployed,
        "applyMethod": found.apply_method,
    }
    if call.flag("output") != "table":
        output.structured({key: value for key, value in shown.items() if value}, call.flag("output"))
        return 0
    method = {"ssa": "server-side apply", "csa": "client-side apply"}.get(
        found.apply_method, "client-side apply (defaulted)"
    )

    def pairs(values: dict[str, str]) -> str:
        return ",".join(f"{key}={values[key]}" for key in sorted(values))

    sys.stdout.write(
        f"NAME: {found.name}\nCHART: {metadata.name}\nVERSION: {metadata.version}\nAPP_VERSION: {metadata.app_version}\n"
        f"ANNOTATIONS: {pairs(metadata.annotations or {})}\nLABELS: {pairs(found.labels)}\n"
        f"DEPENDENCIES: {','.join(d.name for d in metadata.dependencies)}\nNAMESPACE: {found.namespace}\n"
        f"REVISION: {found.version}\nSTATUS: {found.info.status}\nDEPLOYED_AT: {deployed}\nAPPLY_METHOD: {method}\n"
    )
    return 0


def get_all(call: Invocation) -> int:
    found = _load(call, call.flag("revision"))
    metadata = found.chart.metadata
    sys.stdout.write(
        f"NAME: {found.name}\nLAST DEPLOYED: {output.ansi_c(found.info.last_deployed)}\nNAMESPACE: {found.namespace}\n"
        f"STATUS: {found.info.status}\nREVISION: {found.version}\nCHART: {metadata.name}\nVERSION: {metadata.version}\n"
        f"APP_VERSION: {metadata.app_version}\nDESCRIPTION: {found.info.description}\n"
    )
    tests = [stored for stored in found.hooks if "test" in stored.hook.events]
    if not tests:
        sys.stdout.write("TEST SUITE: None\n")
    sys.stdout.write(
        "USER-SUPPLIED VALUES:\n" + (yamlout.dump(found.config) if found.config else "null\n") + "\n"
    )
    sys.stdout.write("COMPUTED VALUES:\n" + yamlout.dump(coalesce_values(found.chart, found.config)) + "\n")
    sys.stdout.write("HOOKS:\n" + output.hooks(found))
    sys.stdout.write(f"MANIFEST:\n{found.manifest}\n")
    if found.info.notes:
        sys.stdout.write(f"NOTES:\n{found.info.notes.strip()}\n")
    return 0
