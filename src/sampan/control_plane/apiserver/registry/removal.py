"""Deletion: at once, gracefully, or after finalizers.

k8s.io/apiserver pkg/registry/generic/registry/store.go (Delete), pkg/registry/rest/delete.go; for pods and namespaces
k8s.io/kubernetes pkg/registry/core/{pod,namespace}.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sampan.api.status import ApiError, Cause, conflict, invalid, not_found
from sampan.control_plane.apiserver.admission.model import DELETE
from sampan.control_plane.apiserver.cache.record import Record, encode
from sampan.control_plane.apiserver.crd import definition
from sampan.control_plane.apiserver.crd import status as crd_status
from sampan.control_plane.apiserver.registry import metadata, policies
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.store import MODIFIED, UPDATE_TRIES, Store

Object = dict[str, Any]

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
POLICIES = ("Foreground", "Background", "Orphan")
PODS = ("", "pods")
OWN_END = frozenset({policies.NAMESPACES, (definition.GROUP, definition.PLURAL)})
PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)


class Deleted(NamedTuple):
    """`gone`: the object is no longer there; else it waits for its finalizers or its grace period."""

    record: Record
    gone: bool


class Removal:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def delete(self, call: Call, options: Object) -> Deleted:
        """options: a DeleteOptions object. Raises ApiError 404, 409, 422."""
        _validate(options)
        served, store = call.served, self._store
        call.options = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **options}
        if served.key == ("batch", "jobs") and not (
            options.get("propagationPolicy") or options.get("orphanDependents") is not None
        ):
            call.warnings.append(PRESERVED)
        admitted = False
        for _ in range(UPDATE_TRIES):
            record = served.table.get(call.namespace, call.name)
            if record is None:
                raise not_found(served.group, served.resource.plural, call.name)
            self._check_preconditions(call, record, options)
            if not admitted:
                request = store.admission(call, DELETE, None, store.as_served(served, record))
                await store.chain.admit(request)
                await store.chain.validate(request)
                admitted = True
                if served.table.get(call.namespace, call.name) is not record:
                    continue
            deleted = await self._try(call, record, options)
            if deleted is not None:
                return deleted
            if (options.get("preconditions") or {}).get("resourceVersion"):
                break
        raise conflict(served.group, served.resource.plural, call.name, MODIFIED)

    async def _try(self, call: Call, record: Record, options: Object) -> Deleted | None:
        """None: the object changed meanwhile."""
        obj = record.fresh()
        meta = obj["metadata"]
        grace = self._grace(call, obj, options)
        pending = False
        if meta.get("deletionTimestamp"):
            changed, pending = self._shorten(meta, options)
        else:
            changed = grace > 0
            if changed:
                self._mark(meta, grace)
        finalizers = _finalizers(call, meta, options)
        if finalizers != (meta.get("finalizers") or []):
            changed = True
            meta["finalizers"] = finalizers
            if not finalizers:
                del meta["finalizers"]
        stays = bool(finalizers) or policies.held_by_spec(call.served.key, obj)
        if stays and not meta.get("deletionTimestamp"):
            changed = True
            if call.served.key in OWN_END:
                self._begin_end(call, obj)
            else:
                self._mark(meta, 0)
        waits = stays or pending or bool(meta.get("deletionGracePeriodSeconds"))
        if waits:
            return await self._keep(call, obj, record) if changed else Deleted(record, gone=False)
        return await self._remove(call, record, obj)

    def _begin_end(self, call: Call, obj: Object) -> None:
        """Namespaces and CRDs say in their status that they end, and have no grace period."""
        now = self._store.clock()
        obj["metadata"]["deletionTimestamp"] = metadata.timestamp(now)
        if call.served.key == policies.NAMESPACES:
            obj.setdefault("status", {})["phase"] = "Terminating"
        else:
            obj["status"] = crd_status.terminating(obj, *crd_status.PENDING, now)

    def _mark(self, meta: Object, grace: int) -> None:
        meta["deletionTimestamp"] = metadata.timestamp(self._store.clock() + grace)
        meta["deletionGracePeriodSeconds"] = grace
        if meta.get("generation"):
            meta["generation"] += 1

    async def _keep(self, call: Call, obj: Object, record: Record) -> Deleted | None:
        obj["metadata"] = metadata.ordered(obj["metadata"])
        value = encode(obj)
        if call.dry_run:
            return Deleted(
                Record(record.key, record.namespace, record.name, value, record.revision, record.created),
                gone=False,
            )
        outcome = await self._store.durable(
            lambda: self._store.storage.put(record.key, value, expected=record.revision)
        )
        if not outcome.ok:
            return None
        now = Record(record.key, record.namespace, record.name, value, outcome.revision, record.created)
        return Deleted(now, gone=False)

    async def _remove(self, call: Call, record: Record, obj: Object) -> Deleted | None:
        if not call.dry_run:
            outcome = await self._store.durable(
                lambda: self._store.storage.delete(record.key, expected=record.revision)
            )
            if not outcome.ok:
                return None
        last = Record(record.key, record.namespace, record.name, encode(obj), record.revision, record.created)
        return Deleted(last, gone=True)

    def _grace(self, call: Call, obj: Object, options: Object) -> int:
        """Seconds that the object is given; 0 deletes at once. Only pods that run somewhere are given any."""
        if call.served.key != PODS:
            return 0
        asked = options.get("gracePeriodSeconds")
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        if asked is not None:
            grace = int(asked)
        else:
            given = spec.get("terminationGracePeriodSeconds")
            grace = 30 if given is None else int(given)
        if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
            return 0
        return 1 if grace < 0 else grace

    def _shorten(self, meta: Object, options: Object) -> tuple[bool, bool]:
        """An object that is going already: whether it goes sooner now, and whether its time is still running."""
        current = meta.get("deletionGracePeriodSeconds")
        if not current:
            return False, False
        asked = options.get("gracePeriodSeconds")
        if asked is None:
            return False, True
        period = 1 if int(asked) < 0 else int(asked)
        if period >= int(current):
            return False, True
        end = metadata.parse_timestamp(meta["deletionTimestamp"]) - int(current) + period
        now = self._store.clock()
        if end < now:
            end = now
            period = min(period, 1)
        meta["deletionTimestamp"] = metadata.timestamp(end)
        meta["deletionGracePeriodSeconds"] = period
        return True, False

    def _check_preconditions(self, call: Call, record: Record, options: Object) -> None:
        wanted = options.get("preconditions") or {}
        uid, revision = wanted.get("uid"), wanted.get("resourceVersion")
        served = call.served
        if uid is not None:
            actual = record.object["metadata"].get("uid")
            if uid != actual:
                why = (
                    f"the UID in the precondition ({uid}) does not match the UID in record ({actual}). "
                    "The object might have been deleted and then recreated"
                )
                raise conflict(served.group, served.kind, record.name, why)  # the kind, as upstream
        if revision is not None and str(revision) != str(record.revision):
            why = (
                f"the ResourceVersion in the precondition ({revision}) does not match the ResourceVersion in record "
                f"({record.revision}). The object might have been modified"
            )
            raise conflict(served.group, served.kind, record.name, why)  # the kind, as upstream


def _finalizers(call: Call, meta: Object, options: Object) -> list[str]:
    """The finalizers after the client's word on dependents: orphan them, wait for them, or neither."""
    listed: list[str] = list(meta.get("finalizers") or [])
    if call.served.key in policies.NOT_COLLECTED:
        return listed
    policy = options.get("propagationPolicy")
    orphan = options.get("orphanDependents")
    if policy is None and orphan is not None:
        policy = "Orphan" if orphan else "Background"
    if policy is None:
        if ORPHAN in listed or FOREGROUND in listed:
            return listed
        policy = "Orphan" if call.served.key in policies.ORPHANS_BY_DEFAULT else "Background"
    others = [name for name in listed if name not in (ORPHAN, FOREGROUND)]
    if policy == "Orphan":
        return [*others, ORPHAN]
    if policy == "Foreground":
        return [*others, FOREGROUND]
    return others


def _validate(options: Object) -> None:
    """k8s.io/apimachinery pkg/apis/meta/v1/validation ValidateDeleteOptions."""
    causes: list[Cause] = []
    policy, orphan = options.get("propagationPolicy"), options.get("orphanDependents")
    if policy is not None and orphan is not None:
        causes.append(
            Cause(
                "FieldValueInvalid",
                f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set',
                "propagationPolicy",
            )
        )
    if policy is not None and policy not in POLICIES:
        causes.append(
            Cause(
                "FieldValueNotSupported",
                f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"',
                "propagationPolicy",
            )
        )
    dry_run = options.get("dryRun") or []
    if any(value != "All" for value in dry_run):
        shown = ",".join(f'"{value}"' for value in dry_run)
        causes.append(
            Cause(
                "FieldValueNotSupported", f'Unsupported value: [{shown}]: supported values: "All"', "dryRun"
            )
        )
    if causes:
        error: ApiError = invalid("meta.k8s.io", "DeleteOptions", "", causes)
        raise error
