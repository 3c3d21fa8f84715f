"""Endpoints packed into EndpointSlices with as few writes as possible: pure.

Behaviour: k8s.io/endpointslice reconciler.go. What fits stays where it is, changed slices are filled up, then slices with
room, then new ones; slices that are no longer wanted are reused before they are deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from sampan.api import kinds
from sampan.control.plan import Action, Create, Delete, Update

Object = dict[str, Any]

SLICES: Final = kinds.of("discovery.k8s.io/v1", "EndpointSlice")
SERVICE_NAME: Final = "kubernetes.io/service-name"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
MAX_ENDPOINTS: Final = 100


class Group(NamedTuple):
    """Endpoints of one family that listen on the same ports."""

    family: str
    ports: tuple[Object, ...]
    endpoints: tuple[Object, ...]


class Frame(NamedTuple):
    """All of a slice but its endpoints: `labels` and `annotations` as they should be."""

    namespace: str
    prefix: str
    labels: dict[str, str]
    owner: Object
    annotations: dict[str, str] = {}  # noqa: RUF012  # a NamedTuple's default, never changed


def pack(
    existing: Sequence[Object], groups: Iterable[Group], frame: Frame, *, limit: int = MAX_ENDPOINTS
) -> list[Action]:
    """The writes that make `existing` hold the groups."""
    by_place: dict[tuple[str, bytes], list[Object]] = {}
    for each in existing:
        place = each["addressType"], _ports_key(each.get("ports") or ())
        by_place.setdefault(place, []).append(each)
    updates: list[Object] = []
    creates: list[Object] = []
    for group in groups:
        held = by_place.pop((group.family, _ports_key(group.ports)), [])
        changed, fresh, spare = _pack_group(held, group, frame, limit)
        updates += changed
        creates += fresh
        if spare:
            by_place.setdefault((group.family, b"spare"), []).extend(spare)
    unwanted = [held for several in by_place.values() for held in several]
    for made in list(creates):
        reused = next((held for held in unwanted if held["addressType"] == made["addressType"]), None)
        if reused is not None:
            unwanted.remove(reused)
            creates.remove(made)
            meta = reused["metadata"] | {
                key: made["metadata"][key] for key in ("labels", "annotations") if key in made["metadata"]
            }
            updates.append(made | {"metadata": meta})
    actions: list[Action] = [Create(SLICES, made, frame.namespace) for made in creates]
    actions += [Update(SLICES, made) for made in updates]
    actions += [
        Delete(SLICES, frame.namespace, held["metadata"]["name"], held["metadata"]["uid"])
        for held in unwanted
    ]
    return actions


def _pack_group(
    held: Sequence[Object], group: Group, frame: Frame, limit: int
) -> tuple[list[Object], list[Object], list[Object]]:
    """(slices to update, to create, to do without) of one group."""
    wanted = {_identity(endpoint): endpoint for endpoint in group.endpoints}
    contents: dict[str, list[Object]] = {}
    touched: set[str] = set()
    for each in held:
        name = each["metadata"]["name"]
        kept = [wanted.pop(key) for e in each.get("endpoints") or () if (key := _identity(e)) in wanted]
        contents[name] = kept
        if kept != (each.get("endpoints") or []) or not _framed(each, frame):
            touched.add(name)
    rest = list(wanted.values())
    for name in sorted(contents, key=lambda n: (n not in touched, -len(contents[n]))):
        room = limit - len(contents[name])
        # a slice that needs no write is opened only for all that is left
        if not rest or room <= 0 or (name not in touched and room < len(rest)):
            continue
        taken, rest = rest[:room], rest[room:]
        contents[name] = contents[name] + taken
        touched.add(name)
    spare = [each for each in held if not contents[each["metadata"]["name"]]]
    if (
        not group.endpoints and spare
    ):  # an empty group keeps one slice, so that "no endpoints" can be told from "not yet known"
        spare = spare[1:]
    gone = {each["metadata"]["name"] for each in spare}
    updates = [
        each | _body(group, contents[name], frame, each["metadata"])
        for each in held
        if (name := each["metadata"]["name"]) in touched and name not in gone
    ]
    creates = [_new(group, rest[at : at + limit], frame) for at in range(0, len(rest), limit)]
    if not group.endpoints and not held:
        creates = [_new(group, [], frame)]
    return updates, creates, spare


def _body(group: Group, endpoints: Sequence[Object], frame: Frame, meta: Object) -> Object:
    made = {key: value for key, value in meta.items() if key != "annotations"} | {"labels": frame.labels}
    if frame.annotations:
        made["annotations"] = frame.annotations
    return {
        "metadata": made,
        "addressType": group.family,
        "ports": list(group.ports),
        "endpoints": list(endpoints),
    }


def _new(group: Group, endpoints: Sequence[Object], frame: Frame) -> Object:
    meta = {
        "generateName": f"{frame.prefix}-",
        "namespace": frame.namespace,
        "ownerReferences": [frame.owner],
    }
    kind = {"apiVersion": SLICES.api_version, "kind": SLICES.kind}
    return kind | _body(group, endpoints, frame, meta)


def _framed(held: Object, frame: Frame) -> bool:
    meta = held["metadata"]
    return (meta.get("labels") or {}) == frame.labels and (meta.get("annotations") or {}) == frame.annotations


def _identity(endpoint: Object) -> tuple[Any, ...]:
    target = endpoint.get("targetRef") or {}
    return (
        tuple(sorted(endpoint["addresses"])),
        target.get("uid"),
        target.get("name"),
        endpoint.get("hostname", ""),
    )


def _ports_key(ports: Iterable[Object]) -> bytes:
    return orjson.dumps(
        sorted(({k: v for k, v in p.items() if v} for p in ports), key=_port_order),
        option=orjson.OPT_SORT_KEYS,
    )


def _port_order(port: Object) -> tuple[str, int, str]:
    return port.get("name", ""), port.get("port", 0), port.get("protocol", "")
