"""What a plug-in is to the host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from sampan.spec.cni import Attachment, CniError, Result


class Call(NamedTuple):
    """One call: the network's name, the plug-in's configuration and what the chain has made so far."""

    network: str
    config: Mapping[str, Any]
    attachment: Attachment
    previous: Result | None = None


class Plugin(Protocol):
    """Synchronous: a call takes about a millisecond, `delete` some tens; the host decides where it runs."""

    def add(self, call: Call) -> Result: ...

    def delete(self, call: Call) -> None: ...

    def check(self, call: Call) -> None: ...

    def gc(self, network: str, config: Mapping[str, Any], valid: frozenset[tuple[str, str]]) -> None: ...


def only(config: Mapping[str, Any], plugin: str, known: Iterable[str]) -> None:
    """Refuses fields that the plug-in does not act on; names all of them."""
    unknown = sorted(
        set(config) - set(known) - {"type", "name", "cniVersion", "prevResult", "runtimeConfig", "args"}
    )
    if unknown:
        raise CniError(2, f"plug-in {plugin!r} does not support {', '.join(map(repr, unknown))}")
