"""The strategy of a kind, as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Object = dict[str, Any]
OnCreate = Callable[[Object], None]
OnUpdate = Callable[[Object, Object, str], None]  # new, old, now


class Strategy(NamedTuple):
    """create: the status that a create starts with, or None where it may set one. generation: whether changes are
    counted, and in which fields. labels: whether a status write leaves the labels as they are. settled: top-level
    fields that no update through the main path changes.
    """

    status: Object | None = None
    generation: tuple[str, ...] = ()
    keeps_labels: bool = False
    on_create: OnCreate | None = None
    on_update: OnUpdate | None = None
    on_status: OnUpdate | None = None
    resets_metadata: bool = False  # a status write changes nothing in the metadata
