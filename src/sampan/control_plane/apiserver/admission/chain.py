"""The ordered chain: first everyone who may change the object, then everyone who may refuse it.

k8s.io/apiserver pkg/admission/chain.go, pkg/admission/plugin/webhook/generic (reinvocation).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sampan.api.status import ApiError, internal
from sampan.control_plane.apiserver.admission.model import Mutator, Plugin, Request, Validator


class Chain:
    """plugins: in order; each takes part in the phases that it has methods for."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        owners: dict[str, Plugin] = {}
        for plugin in plugins:
            other = owners.setdefault(plugin.name, plugin)
            if other is not plugin:
                kinds = f"{type(other).__name__} and {type(plugin).__name__}"
                raise ValueError(f"two admission plug-ins are named {plugin.name!r}: {kinds}")
        self.names = tuple(owners)
        self._mutators = tuple(plugin for plugin in plugins if isinstance(plugin, Mutator))
        self._validators = tuple(plugin for plugin in plugins if isinstance(plugin, Validator))

    async def admit(self, request: Request) -> None:
        """The mutating phase; `request.object` is what goes on. Raises ApiError."""
        await self._mutate(request)
        if request.wants_reinvocation:
            request.reinvoked = True
            await self._mutate(request)

    async def validate(self, request: Request) -> None:
        """The validating phase, for the object as it will be stored. Raises ApiError."""
        for plugin in self._validators:
            if not plugin.handles(request):
                continue
            if not plugin.timeout:
                await plugin.validate(request)
                continue
            try:
                async with asyncio.timeout(plugin.timeout):
                    await plugin.validate(request)
            except TimeoutError:
                raise _late(plugin) from None

    async def _mutate(self, request: Request) -> None:
        for plugin in self._mutators:
            if not plugin.handles(request):
                continue
            if not plugin.timeout:
                await plugin.admit(request)
                continue
            try:
                async with asyncio.timeout(plugin.timeout):
                    await plugin.admit(request)
            except TimeoutError:
                raise _late(plugin) from None


def _late(plugin: Plugin) -> ApiError:
    return internal(f"admission plug-in {plugin.name!r} did not answer within {plugin.timeout:g}s")
