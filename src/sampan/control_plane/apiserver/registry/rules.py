"""The rules of a kind, wherever they come from: defaults, strategy, validation, field ownership.

Built-in kinds have theirs in the object model, custom kinds in their definition; the write path asks here for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sampan.api import defaults, strategy
from sampan.api.patch import managed
from sampan.api.patch.plain import clone
from sampan.api.status import Cause
from sampan.control_plane.apiserver.registry import metadata
from sampan.control_plane.apiserver.registry.call import Call

Object = dict[str, Any]


class Rules:
    """`clock`: seconds since 1970, for the times of managed fields."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def copy(self, obj: Object) -> Object:
        return clone(obj)

    def default(self, call: Call, obj: Object) -> Object:
        resource = call.served.resource
        if call.served.custom is None:
            defaults.apply(resource.group, resource.version, resource.kind, obj)
        return obj

    # -- what clients send

    def admit_fields(self, call: Call, obj: Object, duplicates: tuple[str, ...]) -> Object:
        """A decoded object with unknown fields dropped (or refused, as the client wishes) and defaults filled in."""
        return self.default(call, obj)

    def admit_patched(self, call: Call, obj: Object, patch: Any) -> Object:
        return self.default(call, obj)

    def admit_configuration(self, call: Call, obj: Object) -> Object:
        """What is applied: checked, without defaults, since it owns only what it names."""
        return obj

    # -- ownership

    def manage(self, call: Call, old: Object | None, obj: Object) -> Object:
        """The object with its managedFields after a write by the call's manager."""
        served = call.served
        return managed.update(
            old,
            obj,
            manager=call.manager,
            schema=served.schema,
            api_version=served.resource.api_version,
            subresource=call.subresource,
            now=metadata.timestamp(self._clock()),
            status_subresource=self._has_status(call),
        )

    def apply(self, call: Call, old: Object | None, sent: Object, *, force: bool) -> Object:
        """Server-side apply, with defaults. Raises ApiError 409 on conflicts."""
        served = call.served
        result = managed.apply(
            old,
            sent,
            manager=call.manager,
            force=force,
            schema=served.schema,
            api_version=served.resource.api_version,
            subresource=call.subresource,
            now=metadata.timestamp(self._clock()),
            status_subresource=self._has_status(call),
        )
        return self.default(call, clone(result))

    @staticmethod
    def _has_status(call: Call) -> bool:
        return any(sub.name == "status" for sub in call.served.resource.subresources)

    # -- strategy and validation

    def prepare_create(self, call: Call, obj: Object) -> Object:
        served = call.served
        strategy.prepare_create(
            served.stored.group, served.kind, obj, status_subresource=self._has_status(call)
        )
        return obj

    def prepare_update(self, call: Call, obj: Object, old: Object) -> Object:
        served = call.served
        strategy.prepare_update(
            served.stored.group,
            served.kind,
            obj,
            old,
            call.subresource,
            now=metadata.timestamp(self._clock()),
            status_subresource=self._has_status(call),
        )
        return obj

    def validate(self, call: Call, obj: Object, old: Object | None) -> list[Cause]:
        return []
