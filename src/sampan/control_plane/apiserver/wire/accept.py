"""Which form of an answer the client wants: the Accept header of the Kubernetes API.

k8s.io/apiserver pkg/endpoints/handlers/negotiation. We write JSON only; a client that accepts nothing but protobuf or
YAML gets 406.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from sampan.api.status import ApiError

OBJECT: Final = "object"
TABLE: Final = "Table"
PARTIAL: Final = "PartialObjectMetadata"
PARTIAL_LIST: Final = "PartialObjectMetadataList"
DISCOVERY: Final = "APIGroupDiscoveryList"

OFFERED: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_AS: Final = frozenset({TABLE, PARTIAL, PARTIAL_LIST})
_META_VERSIONS: Final = frozenset({"v1", "v1beta1"})


class Wanted(NamedTuple):
    """`form`: OBJECT, TABLE, PARTIAL, PARTIAL_LIST; `version` of meta.k8s.io for the last three."""

    form: str = OBJECT
    version: str = "v1"


class Clause(NamedTuple):
    """One media range: type, its parameters, and q."""

    type: str
    parameters: dict[str, str]
    weight: float


def refusal() -> ApiError:
    """The 406 of an Accept header without JSON."""
    text = f"406: Not Acceptable\n\nAvailable representations: {', '.join(OFFERED)}"
    return ApiError(406, "NotAcceptable", text)


def clauses(accept: str) -> list[Clause]:
    """The media ranges, the most wanted first; of equal weight in the order given."""
    found: list[Clause] = []
    for part in accept.split(","):
        kind, *pairs = (piece.strip() for piece in part.split(";"))
        if not kind:
            continue
        parameters = {
            key.strip(): value.strip().strip('"') for key, _, value in (p.partition("=") for p in pairs)
        }
        try:
            weight = float(parameters.pop("q", "1"))
        except ValueError:
            weight = 0.0
        found.append(Clause(kind.lower(), parameters, weight))
    found.sort(key=lambda clause: -clause.weight)
    return found


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Wanted:
    """Raises ApiError 406."""
    if not accept:
        return Wanted()
    for kind, parameters, _ in clauses(accept):
        if kind not in ("application/json", "application/*", "*/*"):
            continue
        form = parameters.get("as", "")
        if not form:
            return Wanted()
        if (
            form in _AS
            and parameters.get("g") == "meta.k8s.io"
            and parameters.get("v", "v1") in _META_VERSIONS
        ):
            return Wanted(form, parameters.get("v", "v1"))
    raise refusal()


@lru_cache(maxsize=64)
def negotiate_discovery(accept: str) -> str:
    """ "v2" or "v2beta1" for the aggregated form, "" for the plain one. Raises ApiError 406."""
    if not accept:
        return ""
    for kind, parameters, _ in clauses(accept):
        if kind not in ("application/json", "application/*", "*/*"):
            continue
        if not parameters.get("as"):
            return ""
        if parameters["as"] == DISCOVERY and parameters.get("g") == "apidiscovery.k8s.io":
            version = parameters.get("v", "")
            if version in ("v2", "v2beta1"):
                return version
    raise refusal()
