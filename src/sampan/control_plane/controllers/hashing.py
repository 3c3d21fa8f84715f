"""Short names of contents: the hashes in the names of ReplicaSets, controller revisions and pods of indexed things.

Upstream hashes Go's dump of the struct, which no other program can repeat; here it is FNV-1a over canonical JSON.
Only equality of templates decides anything, so clusters may change between the two. The alphabet is upstream's.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery pkg/util/rand: no vowels, no 0 1 3


def fnv32a(data: bytes) -> int:
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def safe(text: str) -> str:
    """Digits as characters that spell no words."""
    return "".join(ALPHABET[ord(char) % len(ALPHABET)] for char in text)


def of(value: Any, collisions: int | None = None) -> str:
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if collisions is not None:
        data += collisions.to_bytes(8, "little")
    return safe(str(fnv32a(data)))
