"""One resource request on its way through the registry: who asks, for what, under which options."""

from __future__ import annotations

from typing import Any

from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.registry.resources import Served


class Call:
    """`warnings` go out with the answer, whatever it is. `options`: the CreateOptions, UpdateOptions ... as an object."""

    __slots__ = (
        "dry_run",
        "field_validation",
        "manager",
        "name",
        "namespace",
        "options",
        "served",
        "subresource",
        "user",
        "warnings",
    )

    def __init__(
        self,
        served: Served,
        user: User,
        namespace: str = "",
        name: str = "",
        *,
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
        field_validation: str = "Warn",
        options: dict[str, Any] | None = None,
    ) -> None:
        self.served = served
        self.user = user
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
        self.manager = manager
        self.dry_run = dry_run
        self.field_validation = field_validation
        self.options: dict[str, Any] = options or {}
        self.warnings: list[str] = []

    def on(self, served: Served, namespace: str, name: str, subresource: str = "") -> Call:
        """The same caller and options on another object."""
        other = Call(
            served,
            self.user,
            namespace,
            name,
            subresource=subresource,
            manager=self.manager,
            dry_run=self.dry_run,
            field_validation=self.field_validation,
            options=self.options,
        )
        other.warnings = self.warnings
        return other
