"""TokenRequest: a token for a service account, for named audiences, for a while, bound to a living object.

kubernetes pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sampan.api.status import ApiError, Cause, bad_request, conflict, invalid, not_found
from sampan.base.pki import jwt
from sampan.control_plane.apiserver.view import Object, View

GROUP: Final = "authentication.k8s.io"
KIND: Final = "TokenRequest"
DEFAULT_SECONDS: Final = 3600
MIN_SECONDS: Final = 600
MAX_SECONDS: Final = 1 << 32
# What the ServiceAccount plug-in asks for pods: honoured for a year, so that clients that never re-read it live on.
POD_SECONDS: Final = 3607
POD_EXTENDED_SECONDS: Final = 365 * 24 * 3600


class Issuer:
    """issuer: the `iss` claim. audiences: what a request that names none gets.

    clock: seconds since the epoch; new_id: a fresh uuid for each token's `jti`.
    max_seconds: the longest life given (0: no bound); a longer wish is shortened with a warning.
    """

    def __init__(
        self,
        issuer: str,
        signer: jwt.Signer,
        view: View,
        audiences: Sequence[str],
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        max_seconds: int = 0,
    ) -> None:
        self.issuer = issuer
        self._signer = signer
        self._view = view
        self._audiences = tuple(audiences)
        self._clock = clock
        self._new_id = new_id
        self._max_seconds = max_seconds

    def create(
        self, namespace: str, name: str, request: Mapping[str, Any], warnings: list[str]
    ) -> dict[str, Any]:
        """The answer to POST serviceaccounts/NAME/token: the request with its status. Raises ApiError."""
        metadata = request.get("metadata") or {}
        _check_url(metadata, namespace, name)
        account = self._view.get("", "serviceaccounts", namespace, name)
        if account is None:
            raise not_found("", "serviceaccounts", name)
        uid = str(account["metadata"].get("uid") or "")
        if metadata.get("uid") and metadata["uid"] != uid:
            text = f"the UID in the token request ({metadata['uid']}) does not match the UID of the service account"
            raise conflict(GROUP, KIND, name, f"{text} ({uid})")
        spec = dict(request.get("spec") or {})
        spec["audiences"] = list(spec.get("audiences") or self._audiences)
        spec.setdefault("expirationSeconds", DEFAULT_SECONDS)
        _validate(spec)
        bound = self._bound(spec.get("boundObjectRef"), namespace, name)
        if self._max_seconds and spec["expirationSeconds"] > self._max_seconds:
            asked, given = spec["expirationSeconds"], self._max_seconds
            warnings.append(f"requested expiration of {asked} seconds shortened to {given} seconds")
            spec["expirationSeconds"] = given
        now = self._clock()
        claims = self._claims(namespace, name, uid, spec, bound, now)
        return {
            "kind": KIND,
            "apiVersion": f"{GROUP}/v1",
            "metadata": {
                **metadata,
                "name": name,
                "namespace": namespace,
                "uid": uid,
                "creationTimestamp": _time(now),
            },
            "spec": spec,
            "status": {
                "token": self._signer.sign(claims),
                "expirationTimestamp": _time(int(now) + spec["expirationSeconds"]),
            },
        }

    def _claims(
        self, namespace: str, name: str, uid: str, spec: Mapping[str, Any], bound: dict[str, Any], now: float
    ) -> dict[str, Any]:
        start, life = int(now), int(spec["expirationSeconds"])
        private: dict[str, Any] = {
            "namespace": namespace,
            "serviceaccount": {"name": name, "uid": uid},
            **bound,
        }
        if "pod" in bound and life == POD_SECONDS and set(spec["audiences"]) <= set(self._audiences):
            private["warnafter"] = start + life
            life = POD_EXTENDED_SECONDS
        return {
            "aud": list(spec["audiences"]),
            "exp": start + life,
            "iat": start,
            "iss": self.issuer,
            "jti": self._new_id(),
            "kubernetes.io": private,
            "nbf": start,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }

    def _bound(self, reference: Mapping[str, Any] | None, namespace: str, account: str) -> dict[str, Any]:
        """The claims of what the token is bound to."""
        if reference is None:
            return {}
        target = _target(reference)
        found = self._view.get("", target.plural, namespace if target.namespaced else "", target.name)
        if found is None:
            raise not_found("", target.plural, target.name)
        uid = found["metadata"].get("uid")
        if reference.get("uid") and reference["uid"] != uid:
            text = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
            raise conflict(
                "", target.kind, target.name, f"{text} The object might have been deleted and then recreated"
            )
        claims = {target.kind.lower(): {"name": target.name, "uid": uid}}
        if target.kind == "Pod":
            claims |= self._node_of(found, account)
        return claims

    def _node_of(self, pod: Object, account: str) -> dict[str, Any]:
        spec = pod.get("spec") or {}
        if spec.get("serviceAccountName") != account:
            raise bad_request(
                f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
            )
        node_name = spec.get("nodeName")
        if not node_name:
            return {}
        node = self._view.get("", "nodes", "", node_name)
        uid = node["metadata"].get("uid") if node is not None else None
        return {"node": {"name": node_name, **({"uid": uid} if uid else {})}}


class _Target(NamedTuple):
    kind: str
    plural: str
    namespaced: bool
    name: str


def _target(reference: Mapping[str, Any]) -> _Target:
    kind, version = str(reference.get("kind") or ""), str(reference.get("apiVersion") or "")
    known = {"Pod": ("pods", True), "Secret": ("secrets", True), "Node": ("nodes", False)}
    if "/" in version or kind not in known:
        raise bad_request(f"cannot bind token to object of type {version}, Kind={kind}")
    return _Target(kind, *known[kind], str(reference.get("name") or ""))


def _check_url(metadata: Mapping[str, Any], namespace: str, name: str) -> None:
    for field, given, expected in (
        ("name", metadata.get("name"), name),
        ("namespace", metadata.get("namespace"), namespace),
    ):
        if given and given != expected:
            text = f'Invalid value: "{given}": must match the service account {field} if specified'
            raise invalid(GROUP, KIND, name, [Cause("FieldValueInvalid", text, f"metadata.{field}")])


def _validate(spec: Mapping[str, Any]) -> None:
    seconds = spec["expirationSeconds"]
    problem = ""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise bad_request(f"spec.expirationSeconds is {seconds!r}, expected a number of seconds")
    if seconds < MIN_SECONDS:
        problem = "may not specify a duration less than 10 minutes"
    elif seconds > MAX_SECONDS:
        problem = "may not specify a duration larger than 2^32 seconds"
    if problem:
        cause = Cause("FieldValueInvalid", f"Invalid value: {seconds}: {problem}", "spec.expirationSeconds")
        raise _invalid_spec([cause])
    if spec.get("attestations"):
        text = "attestations may only be specified with a webhook bound object reference"
        shown = spec["attestations"]
        raise _invalid_spec(
            [Cause("FieldValueInvalid", f"Invalid value: {shown!r}: {text}", "spec.attestations")]
        )


def _invalid_spec(causes: Sequence[Cause]) -> ApiError:
    return invalid(GROUP, KIND, "", causes)


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
