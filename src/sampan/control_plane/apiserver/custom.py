"""Custom resources: serves what the stored CRDs say, writes their status, and empties those that are to go.

The rules (names, conditions, schemas) are pure and live in `crd`; here they are put to work.
k8s.io/apiextensions-apiserver pkg/controller/{status,establish,finalizer}.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from sampan.api.status import ApiError
from sampan.base.aio import Backoff
from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS, component_user
from sampan.control_plane.apiserver.cache.cache import Cache
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.cache.watcher import Filter
from sampan.control_plane.apiserver.crd import registry as crd_registry
from sampan.control_plane.apiserver.crd import status as crd_status
from sampan.control_plane.apiserver.crd.custom import Version
from sampan.control_plane.apiserver.crd.definition import GROUP, PLURAL
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.verbs.scope import Scope
from sampan.control_plane.apiserver.view import View

log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str, str]

SELF: Final = component_user("system:apiserver", SYSTEM_MASTERS)
MANAGER: Final = "kube-apiserver"


class CustomResources:
    """`refresh` after every change of a CRD makes what is served follow; `run` looks after their status."""

    def __init__(self, scope: Scope, cache: Cache, view: View) -> None:
        self._scope = scope
        self._registry = crd_registry.Registry(view)
        self._view = view
        self._served: dict[Key, Served] = {}
        self._wake = asyncio.Event()
        self._wake.set()
        cache.on_change(self._changed)

    def _changed(self, group: str, plural: str, record: Record, deleted: bool) -> None:
        if (group, plural) == (GROUP, PLURAL):
            self.refresh()
            self._wake.set()
        elif deleted and any(key[0] == group and key[2] == plural for key in self._served):
            self._wake.set()

    def refresh(self) -> None:
        """Serves what the CRDs of the moment say."""
        if not self._registry.refresh():
            return
        served: dict[Key, Served] = {}
        for key, version in self._registry.by_key().items():
            before = self._served.get(key)
            served[key] = before if before is not None and before.custom is version else self._serve(version)
        self._served = served
        self._scope.resources.set_custom(served)

    def _serve(self, version: Version) -> Served:
        resource = version.resource
        table = self._scope.cache.table(resource.group, resource.plural)
        return Served(
            resource,
            version.stored,
            table,
            custom=version,
            readers=version.selectable_fields,
        )

    # -- status and end

    async def run(self) -> None:
        """Until cancelled: brings the status of every CRD up to date whenever one has changed."""
        backoff = Backoff(first=0.05, cap=10.0)
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._settle()
                backoff.reset()
            except ApiError as error:
                log.warning("custom resources are looked at again: %s", error)
                await asyncio.sleep(backoff.next())
                self._wake.set()

    async def _settle(self) -> None:
        table = self._scope.resources.table_of(GROUP, PLURAL)
        for record in sorted(table.select(Filter()), key=lambda record: record.created):
            if record.object["metadata"].get("deletionTimestamp"):
                await self._empty(record)
            else:
                await self._update_status(record)

    async def _update_status(self, record: Record) -> None:
        crd = record.object
        others = self._view.list(GROUP, PLURAL)
        wanted = crd_status.next_status(crd, others, self._scope.clock())
        if wanted != crd.get("status"):
            await self._write(record.name, lambda old: {**old, "status": wanted}, "status")
        finalizers = crd["metadata"].get("finalizers") or []
        if crd_status.with_finalizer(finalizers) != finalizers:
            await self._write(record.name, _finalized)

    async def _empty(self, record: Record) -> None:
        """A CRD that is to go: its objects go first."""
        crd = record.object
        if crd_status.FINALIZER not in (crd["metadata"].get("finalizers") or []):
            return
        group, plural = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        reason = crd_status.IN_PROGRESS
        now = self._scope.clock()
        wanted = crd_status.terminating(crd, *reason, now)
        if wanted != crd.get("status"):
            await self._write(record.name, lambda old: {**old, "status": wanted}, "status")
        served = next((s for k, s in self._served.items() if k[0] == group and k[2] == plural), None)
        table = self._scope.cache.table(group, plural)
        if served is not None:
            for obj in list(table.select(Filter())):
                await self._delete(served, obj)
        if len(table) and served is not None:
            return  # some wait for their own finalizers; their going wakes us
        await self._write(record.name, _unfinalized)

    async def _delete(self, served: Served, record: Record) -> None:
        if record.object["metadata"].get("deletionTimestamp"):
            return
        try:
            await self._scope.removal.delete(Call(served, SELF, record.namespace, record.name), {})
        except ApiError as error:
            if error.code != 404:
                raise

    async def _write(self, name: str, change: Any, subresource: str = "") -> None:
        served = self._scope.resources.find(GROUP, "v1", PLURAL)
        if served is None or served.table.get("", name) is None:
            return
        call = Call(served, SELF, "", name, subresource=subresource, manager=MANAGER)

        async def transform(old: Object | None) -> Object:
            new: Object = change(old or {})
            # finalizers are the server's own doing and have no manager
            return self._scope.store.rules.manage(call, old, new) if subresource else new

        await self._scope.store.update(call, transform, admit=False, prepare=False)


def _finalized(old: Object) -> Object:
    meta = old["metadata"]
    return {
        **old,
        "metadata": {**meta, "finalizers": crd_status.with_finalizer(meta.get("finalizers") or [])},
    }


def _unfinalized(old: Object) -> Object:
    meta = dict(old["metadata"])
    left = [name for name in meta.get("finalizers") or [] if name != crd_status.FINALIZER]
    if left:
        meta["finalizers"] = left
    else:
        meta.pop("finalizers", None)
    return {**old, "metadata": meta}
