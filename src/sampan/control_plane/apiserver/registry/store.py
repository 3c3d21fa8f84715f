"""The write path: from a decoded object to a durable one, with everything that happens between.

Order of a create: system fields, managed fields, mutating admission, strategy, validation, validating admission, store.
Order of an update: the same around the old object, tried again when somebody else was faster and the client did not
insist on a revision. k8s.io/apiserver pkg/registry/generic/registry/store.go, pkg/registry/rest/{create,update}.go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from sampan.api.patch.plain import same
from sampan.api.status import (
    ApiError,
    Cause,
    already_exists,
    conflict,
    internal,
    invalid,
    not_found,
)
from sampan.control_plane.apiserver.admission.model import CREATE, UPDATE
from sampan.control_plane.apiserver.admission.model import Request as Admission
from sampan.control_plane.apiserver.cache.cache import Cache, key_of
from sampan.control_plane.apiserver.cache.record import Record, encode
from sampan.control_plane.apiserver.registry import conversion, metadata, policies
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.registry.rules import Rules
from sampan.control_plane.apiserver.storage import Outcome, Storage, StorageError

Object = dict[str, Any]
Transform = Callable[[Object | None], Awaitable[Object]]
"""From the object as it is (a copy of one's own, in the served version; None: not there) to what it shall be."""

MODIFIED: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
NAME_TRIES: Final = 8  # as upstream's maxNameGenerationCreateAttempts
UPDATE_TRIES: Final = 50


class Chain(Protocol):
    """The admission chain."""

    async def admit(self, request: Admission, /) -> None: ...
    async def validate(self, request: Admission, /) -> None: ...


class Hook(Protocol):
    """What a kind needs besides, such as addresses and ports. `old` is None on create."""

    def begin(self, obj: Object, old: Mapping[str, Any] | None) -> Callable[[], None]:
        """Completes the object; the function given back is called when the write is over, whatever became of it."""


class Written(NamedTuple):
    record: Record
    created: bool = False
    deleted: bool = False  # the write took away the last finalizer of an object that was to go


class Store:
    def __init__(
        self,
        storage: Storage,
        cache: Cache,
        rules: Rules,
        chain: Chain,
        *,
        clock: Callable[[], float],
        new_uid: Callable[[], str] = metadata.new_uid,
        hooks: Mapping[tuple[str, str], Hook] | None = None,
    ) -> None:
        self.storage = storage
        self.cache = cache
        self.rules = rules
        self.chain = chain
        self.clock = clock
        self.new_uid = new_uid
        self.hooks = hooks or {}

    # -- reading

    def find(self, served: Served, namespace: str, name: str) -> Record:
        """Raises ApiError 404."""
        record = served.table.get(namespace, name)
        if record is None:
            raise not_found(served.group, served.resource.plural, name)
        return record

    def as_served(self, served: Served, record: Record) -> Object:
        """A copy of one's own in the served version."""
        obj = record.fresh()
        if served.is_stored_version:
            return obj
        api_version = served.resource.api_version
        return conversion.convert(obj, served.kind, api_version, custom=served.custom is not None)

    # -- create

    async def create(self, call: Call, obj: Object, *, managed: bool = False) -> Record:
        """Raises ApiError 409 where it is there already. `managed`: its managedFields say already who wrote it."""
        meta = obj["metadata"]
        if meta.get("resourceVersion") not in (None, "", "0"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        metadata.wipe_system_fields(meta)
        metadata.match_namespace(meta, call.namespace)
        base = meta.get("generateName") if not meta.get("name") else None
        if base:
            meta["name"] = metadata.generated_name(base)
        metadata.fill_system_fields(meta, self.clock(), self.new_uid())
        if not managed:
            obj = self.rules.manage(call, None, obj)
        request = self._admission(call, CREATE, obj, None)
        await self.chain.admit(request)
        obj = self._admitted(request)
        for left in range(NAME_TRIES - 1, -1, -1):
            try:
                return await self._create(call, obj, request)
            except ApiError as error:
                if not (base and left and error.reason == "AlreadyExists"):
                    raise
                obj["metadata"]["name"] = metadata.generated_name(base)
        raise internal("no free name was found")

    async def _create(self, call: Call, obj: Object, request: Admission) -> Record:
        served, meta = call.served, obj["metadata"]
        metadata.match_namespace(meta, call.namespace)
        obj = self.rules.prepare_create(call, obj)
        meta = obj["metadata"] = metadata.ordered(obj["metadata"])
        release = self._begin(served, obj, None)
        try:
            self._check(call, obj, self.rules.validate(call, obj, None))
            request.object = obj
            request.name = meta["name"]
            await self.chain.validate(request)
            return await self._insert(call, obj)
        finally:
            release()

    async def _insert(self, call: Call, obj: Object) -> Record:
        served = call.served
        namespace, name = obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
        existing = served.table.get(namespace, name)
        if existing is not None:
            raise self._exists(served, existing)
        key = key_of(*served.key, namespace, name)
        value = encode(self._to_stored(served, obj))
        if call.dry_run:
            return Record(key, namespace, name, value, 0, 0)
        ttl = policies.EVENT_TTL if served.key == ("", "events") else 0
        outcome = await self.durable(lambda: self.storage.put(key, value, expected=0, ttl=ttl))
        if not outcome.ok:
            existing = served.table.get(namespace, name)
            if existing is None:
                raise already_exists(served.group, served.resource.plural, name)
            raise self._exists(served, existing)
        return self._written(served, key, namespace, name, value, outcome.revision, outcome.revision)

    @staticmethod
    def _exists(served: Served, existing: Record) -> ApiError:
        error = already_exists(served.group, served.resource.plural, existing.name)
        if existing.object["metadata"].get("deletionTimestamp"):
            error.message = f"object is being deleted: {error.message}"
        return error

    # -- update

    async def update(
        self,
        call: Call,
        transform: Transform,
        *,
        create: bool = False,
        uid: str = "",
        revision: str = "",
        admit: bool = True,
        prepare: bool = True,
    ) -> Written:
        """Applies `transform` to the object until it is stored.

        create: an object that is not there is made. uid, revision: preconditions on the object that is replaced.
        admit: whether admission looks (not for what the server does by itself). prepare: whether the kind's strategy and
        validation do (not for what changes spec and status at once, such as a binding).
        """
        served = call.served
        for _ in range(UPDATE_TRIES):
            old = served.table.get(call.namespace, call.name)
            if old is None:
                return await self._create_by_update(call, transform, allowed=create, uid=uid)
            written = await self._try_update(call, transform, old, uid, revision, admit, prepare)
            if written is not None:
                return written
        raise conflict(served.group, served.resource.plural, call.name, MODIFIED)

    async def _create_by_update(
        self, call: Call, transform: Transform, *, allowed: bool, uid: str
    ) -> Written:
        served = call.served
        if not allowed:
            raise not_found(served.group, served.resource.plural, call.name)
        obj = await transform(None)
        given = uid or obj["metadata"].get("uid")
        if given:
            why = f"Precondition failed: UID in precondition: {given}, UID in object meta: "
            raise conflict(served.group, served.resource.plural, call.name, why)
        # as upstream: an update that creates does not mind what revision it was meant for
        obj["metadata"].pop("resourceVersion", None)
        return Written(await self.create(call, obj, managed=True), created=True)

    async def _try_update(
        self,
        call: Call,
        transform: Transform,
        record: Record,
        uid: str,
        revision: str,
        admit: bool,
        prepare: bool,
    ) -> Written | None:
        """None: somebody else was faster."""
        served = call.served
        self._check_preconditions(served, record, uid, revision)
        old = self.as_served(served, record)
        obj = await transform(self.as_served(served, record))
        meta = obj["metadata"]
        self._check_identity(call, meta, old["metadata"])
        self._check_revision(served, call.name, meta, record)
        request = self._admission(call, UPDATE, obj, old)
        if admit:
            await self.chain.admit(request)
            obj = self._admitted(request)
        metadata.match_namespace(obj["metadata"], call.namespace)
        if prepare:
            obj = self.rules.prepare_update(call, obj, old)
        self._keep_system_fields(obj["metadata"], old["metadata"])
        release = self._begin(served, obj, old)
        try:
            if prepare:
                self._check(call, obj, self.rules.validate(call, obj, old))
            if admit:
                request.object = obj
                await self.chain.validate(request)
            return await self._replace(call, obj, old, record)
        finally:
            release()

    async def _replace(self, call: Call, obj: Object, old: Object, record: Record) -> Written | None:
        served = call.served
        if self._is_deletion(obj["metadata"], old["metadata"]) and not policies.held_by_spec(served.key, obj):
            return await self._delete_by_update(call, obj, record)
        obj["metadata"].pop("resourceVersion", None)
        before = dict(old["metadata"])
        before.pop("resourceVersion", None)
        if _unchanged(obj, {**old, "metadata": before}):
            return Written(record)
        obj["metadata"] = metadata.ordered(obj["metadata"])
        value = encode(self._to_stored(served, obj))
        if call.dry_run:
            return Written(
                Record(record.key, record.namespace, record.name, value, record.revision, record.created)
            )
        ttl = policies.EVENT_TTL if served.key == ("", "events") else 0
        outcome = await self.durable(
            lambda: self.storage.put(record.key, value, expected=record.revision, ttl=ttl)
        )
        if not outcome.ok:
            return None
        return Written(
            self._written(
                served,
                record.key,
                record.namespace,
                record.name,
                value,
                outcome.revision,
                record.created,
            )
        )

    async def _delete_by_update(self, call: Call, obj: Object, record: Record) -> Written | None:
        """The last finalizer went: the object goes with it, and the answer is the object as it was last."""
        obj["metadata"].pop("resourceVersion", None)
        last = Record(
            record.key,
            record.namespace,
            record.name,
            encode(self._to_stored(call.served, obj)),
            record.revision,
            record.created,
        )
        if not call.dry_run:
            outcome = await self.durable(lambda: self.storage.delete(record.key, expected=record.revision))
            if not outcome.ok:
                return None
        return Written(last, deleted=True)

    @staticmethod
    def _is_deletion(new: Object, old: Object) -> bool:
        if new.get("finalizers") or not old.get("deletionTimestamp"):
            return False
        return not old.get("deletionGracePeriodSeconds")

    def _check_preconditions(self, served: Served, record: Record, uid: str, revision: str) -> None:
        if uid:
            actual = record.object["metadata"].get("uid", "")
            if uid != actual:
                why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
                raise conflict(served.group, served.resource.plural, record.name, why)
        if revision and revision != str(record.revision):
            why = (
                f"Precondition failed: ResourceVersion in precondition: {revision}, "
                f"ResourceVersion in object meta: {record.revision}"
            )
            raise conflict(served.group, served.resource.plural, record.name, why)

    def _check_identity(self, call: Call, new: Object, old: Object) -> None:
        served = call.served
        metadata.match_namespace(new, call.namespace)
        uid = new.get("uid")
        if uid and uid != old.get("uid"):
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.get('uid')}"
            raise conflict(served.group, served.resource.plural, call.name, why)

    @staticmethod
    def _check_revision(served: Served, name: str, new: Object, record: Record) -> None:
        """A revision that the client names must be the current one, and some kinds want one named.

        After a lost race the object is another, so a client that insists gets its conflict then.
        """
        given = new.get("resourceVersion")
        if given in (None, "", "0"):
            if served.custom is not None or served.key in policies.MUST_NAME_REVISION:
                cause = Cause(
                    "FieldValueInvalid",
                    "Invalid value: 0: must be specified for an update",
                    "metadata.resourceVersion",
                )
                raise invalid(served.group, served.resource.plural, name, [cause])
        elif given != str(record.revision):
            raise conflict(served.group, served.resource.plural, name, MODIFIED)

    @staticmethod
    def _keep_system_fields(new: Object, old: Object) -> None:
        """What an update can neither take away nor change."""
        for field in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
            if field in old:
                new[field] = old[field]
            elif field.startswith("deletion"):
                new.pop(field, None)

    # -- shared

    def _admission(self, call: Call, operation: str, obj: Object | None, old: Object | None) -> Admission:
        resource = call.served.resource
        meta = (obj or old or {}).get("metadata") or {}
        request = Admission(
            user=call.user,
            operation=operation,
            group=resource.group,
            version=resource.version,
            resource=resource.plural,
            kind=resource.kind,
            subresource=call.subresource,
            namespace=call.namespace,
            name=call.name or meta.get("name") or "",
            object=obj,
            old=old,
            options=call.options,
            dry_run=call.dry_run,
            uid=self.new_uid(),
        )
        request.warnings = call.warnings
        return request

    def admission(
        self, call: Call, operation: str, obj: Object | None, old: Object | None = None
    ) -> Admission:
        return self._admission(call, operation, obj, old)

    @staticmethod
    def _admitted(request: Admission) -> Object:
        if request.object is None or not isinstance(request.object.get("metadata"), dict):
            raise internal(f"admission left no object for {request!r}")
        return request.object

    def _begin(self, served: Served, obj: Object, old: Object | None) -> Callable[[], None]:
        hook = self.hooks.get(served.key)
        return hook.begin(obj, old) if hook is not None else _nothing

    def _check(self, call: Call, obj: Object, causes: list[Cause]) -> None:
        if causes:
            served = call.served
            raise invalid(served.group, served.kind, str(obj["metadata"].get("name") or ""), causes)

    def _to_stored(self, served: Served, obj: Object) -> Object:
        if served.is_stored_version:
            return obj
        api_version = served.stored.api_version
        return conversion.convert(obj, served.kind, api_version, custom=served.custom is not None)

    async def durable(self, write: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """The outcome of a write to the store. Raises ApiError 500 where the store cannot write."""
        try:
            return await write()
        except StorageError as error:
            raise internal(str(error)) from error

    @staticmethod
    def _written(
        served: Served, key: str, namespace: str, name: str, value: bytes, revision: int, created: int
    ) -> Record:
        """What the cache holds of the write, unless a later one is there already."""
        record = served.table.get(namespace, name)
        if record is not None and record.revision == revision:
            return record
        return Record(key, namespace, name, value, revision, created)


def _nothing() -> None:
    return None


def _unchanged(new: Object, old: Object) -> bool:
    """Whether nothing but the times of managed fields differs: such an update is not written."""
    if not same({**new, "metadata": None}, {**old, "metadata": None}):
        return False
    new_meta, old_meta = new["metadata"], old["metadata"]
    if not same({**new_meta, "managedFields": None}, {**old_meta, "managedFields": None}):
        return False
    return same(_timeless(new_meta), _timeless(old_meta))


def _timeless(meta: Object) -> list[Object]:
    entries = meta.get("managedFields") or []
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
