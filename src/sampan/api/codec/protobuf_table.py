"""The field numbers of Kubernetes' protobuf messages, parsed lazily from protobuf_table.txt (scripts/make_protobuf_table.py)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = Path(__file__).with_name("protobuf_table.txt")
SCALARS: Final = frozenset("sbildy")

META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1."

# Groups whose Go package does not follow from their name.
_PACKAGES: Final = {
    "": "k8s.io.api.core.",
    "apiextensions.k8s.io": "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.",
    "apiregistration.k8s.io": "k8s.io.kube_aggregator.pkg.apis.apiregistration.",
    "metrics.k8s.io": "k8s.io.metrics.pkg.apis.metrics.",
    "meta.k8s.io": "k8s.io.apimachinery.pkg.apis.meta.",
}


class Field(NamedTuple):
    """`type` is a letter of SCALARS or a message's full name; `name` is "" for a message that is inline in JSON.

    `shape` is one of the constants below: what a decoder has to do with the field's bytes.
    """

    number: int
    name: str
    type: str
    repeated: bool
    is_map: bool
    drops_zero: bool
    shape: int


TEXT, TEXTS, MESSAGE, MESSAGES, MAP, INLINE, OTHER = range(7)


class Message(NamedTuple):
    """`wraps_list`: the JSON form is the list in field 1 (Go types such as `type ExtraValue []string`)."""

    name: str
    by_number: dict[int, Field]
    wraps_list: bool


@cache
def _lines() -> dict[str, str]:
    """Message name to its line."""
    found: dict[str, str] = {}
    package = ""
    for line in FILE.read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("@"):
            package = line[1:] + "."
            continue
        name, _, fields = line.partition(" ")
        found[package + name.removesuffix("[]")] = ("[] " if name.endswith("[]") else " ") + fields
    return found


@cache
def message(name: str) -> Message:
    """The message of that full name. Raises KeyError naming it."""
    line = _lines().get(name)
    if line is None:
        raise KeyError(f"no protobuf message {name!r}")
    package = name.rpartition(".")[0] + "."
    fields: dict[int, Field] = {}
    for text in line.removeprefix("[]").split():
        number, _, rest = text.partition("=")
        json_name, _, kind = rest.rpartition(":")
        flag = kind[-1] if kind[-1] in "*%>?" else ""
        kind = kind.removesuffix(flag) if flag else kind
        if kind not in SCALARS and "." not in kind:
            kind = package + kind
        repeated, is_map = flag == "*", flag == "%"
        shape = _shape(json_name, kind, repeated, is_map)
        fields[int(number)] = Field(int(number), json_name, kind, repeated, is_map, flag == "?", shape)
    return Message(name, fields, line.startswith("[]"))


def _shape(name: str, kind: str, repeated: bool, is_map: bool) -> int:
    if is_map:
        return MAP
    if kind == "s":
        return TEXTS if repeated else TEXT
    if kind in SCALARS:
        return OTHER
    if not name:
        return INLINE
    return MESSAGES if repeated else MESSAGE


def for_kind(api_version: str, kind: str) -> Message | None:
    """The message of a kind, or None. Option kinds and Status are the same in every group."""
    group, _, version = api_version.rpartition("/")
    package = _PACKAGES.get(group) or f"k8s.io.api.{group.partition('.')[0]}."
    for name in (f"{package}{version}.{kind}", META + kind):
        if name in _lines():
            return message(name)
    return None
