"""What the server itself writes into an object's metadata.

k8s.io/apiserver pkg/registry/rest/meta.go, pkg/storage/names/generate.go.
"""

from __future__ import annotations

import datetime
import os
import secrets
import uuid
from functools import lru_cache
from typing import Any, Final

from sampan.api.status import bad_request

Object = dict[str, Any]

# without vowels and the digits that look like them, so that no word comes out
ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
RANDOM_LENGTH: Final = 5
NAME_LIMIT: Final = 63


def timestamp(seconds: float) -> str:
    """As metav1.Time: UTC, whole seconds."""
    return _timestamp(int(seconds))


@lru_cache(maxsize=8)
def _timestamp(seconds: int) -> str:
    # a server writes the same second many times over
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time. Raises ValueError."""
    return datetime.datetime.fromisoformat(text).timestamp()


class _Random:
    """The kernel's random bytes, fetched for many ids at once: a system call for each would be felt."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._bytes):
            self._bytes, self._at = os.urandom(4096), 0
        start, self._at = self._at, self._at + count
        return self._bytes[start : self._at]


_random: Final = _Random()


def new_uid() -> str:
    return str(uuid.UUID(bytes=_random.take(16), version=4))


def generated_name(base: str) -> str:
    suffix = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return base[: NAME_LIMIT - RANDOM_LENGTH] + suffix


def wipe_system_fields(metadata: Object) -> None:
    """What a client may not set on create."""
    for field in (
        "creationTimestamp",
        "uid",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
    ):
        metadata.pop(field, None)


def fill_system_fields(metadata: Object, now: float, uid: str) -> None:
    metadata["uid"] = uid
    metadata["creationTimestamp"] = timestamp(now)


def match_namespace(metadata: Object, namespace: str) -> None:
    """The object lies in the request's namespace; raises ApiError 400 where it says otherwise."""
    given = metadata.get("namespace") or ""
    if given == namespace:
        return
    if not given:
        metadata["namespace"] = namespace
    elif not namespace:
        del metadata["namespace"]
    else:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def ordered(metadata: Object) -> Object:
    """Name first, as people read it."""
    first: Object = {
        key: metadata[key] for key in ("name", "generateName", "namespace", "uid") if key in metadata
    }
    return {**first, **{key: value for key, value in metadata.items() if key not in first}}
