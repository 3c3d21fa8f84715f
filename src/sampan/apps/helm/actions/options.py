"""The options of the verbs, as immutable values with Helm's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from sampan.apps.helm.actions.rendering import Rendering

Values = dict[str, Any]
NO_LABELS: Mapping[str, str] = MappingProxyType({})


class Common(NamedTuple):
    """What install, upgrade and rollback share. `wait` is watcher, hookOnly or legacy; `dry_run` none, client or server.

    `server_side` None means auto: as the last revision was applied. `timeout` is in seconds, 0 means Helm's default.
    """

    wait: str = "hookOnly"
    wait_for_jobs: bool = False
    timeout: float = 300.0
    no_hooks: bool = False
    dry_run: str = "none"
    server_side: bool | None = True
    force_conflicts: bool = False
    force_replace: bool = False
    take_ownership: bool = False
    hide_secret: bool = False
    description: str = ""

    @property
    def waits(self) -> bool:
        return self.wait in ("watcher", "legacy")

    def waiting(self) -> Common:
        """The same, waiting for readiness: what is undone on failure has to know of it."""
        return self if self.waits else self._replace(wait="watcher")


class Install(NamedTuple):
    common: Common = Common()
    rendering: Rendering = Rendering()
    create_namespace: bool = False
    replace: bool = False
    rollback_on_failure: bool = False
    skip_crds: bool = False
    labels: Mapping[str, str] = NO_LABELS


class Upgrade(NamedTuple):
    """`values_from` is reset, reuse or reset-then-reuse; "" is Helm's default: reuse only when no values are given."""

    common: Common = Common(server_side=None)
    rendering: Rendering = Rendering()
    values_from: str = ""
    cleanup_on_fail: bool = False
    rollback_on_failure: bool = False
    labels: Mapping[str, str] = NO_LABELS


class Rollback(NamedTuple):
    """`version` 0 is the one before the last."""

    common: Common = Common(server_side=None)
    version: int = 0
    cleanup_on_fail: bool = False


class Uninstall(NamedTuple):
    common: Common = Common()
    keep_history: bool = False
    ignore_not_found: bool = False
    cascade: str = "background"
