"""What a planner may ask for: actions as values. `execute` carries them out in order."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from sampan.api.kinds.model import Resource

Object = dict[str, Any]


class Emit(NamedTuple):
    """An Event about `regarding`; `type` is Normal or Warning."""

    regarding: Object
    type: str
    reason: str
    message: str


class Tell(NamedTuple):
    """Events about how an action went. `{name}` and `{error}` in a message are filled in."""

    regarding: Object
    done_reason: str = ""
    done: str = ""
    failed_reason: str = ""
    failed: str = ""


class Create(NamedTuple):
    resource: Resource
    obj: Object
    namespace: str = ""
    tell: Tell | None = None


class Delete(NamedTuple):
    """With `uid` only that very object. One that is gone already counts as deleted."""

    resource: Resource
    namespace: str
    name: str
    uid: str = ""
    propagation: str | None = None
    grace_period: int | None = None
    tell: Tell | None = None


class Patch(NamedTuple):
    """A JSON merge patch, unless `content_type` says otherwise. `metadata.uid` in a body guards against namesakes."""

    resource: Resource
    namespace: str
    name: str
    body: Any
    content_type: str = "application/merge-patch+json"
    subresource: str = ""
    missing_ok: bool = False
    tell: Tell | None = None


class Update(NamedTuple):
    """A PUT that fails when the object has changed meanwhile."""

    resource: Resource
    obj: Object
    subresource: str = ""
    tell: Tell | None = None


Action: TypeAlias = Create | Delete | Patch | Update | Emit
