"""Service account tokens of pods: asked for with the pod as bound object, kept, and renewed before they expire.

Rules: pkg/kubelet/token/token_manager.go (renew at 80 % of the life, or after 24 hours).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sampan.api import kinds
from sampan.client.rest import Client

MAX_AGE_SECONDS = 24 * 3600
RENEW_AT = 0.8

Object = Mapping[str, Any]


class Key(NamedTuple):
    uid: str
    namespace: str
    account: str
    audience: str
    seconds: int


class _Token(NamedTuple):
    text: str
    renew: float


def sources(pod: Object) -> Iterator[Object]:
    """Every serviceAccountToken source of the pod's projected volumes."""
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if token := source.get("serviceAccountToken"):
                yield token


def key(pod: Object, source: Object) -> Key:
    meta = pod["metadata"]
    return Key(
        meta["uid"],
        meta["namespace"],
        pod["spec"].get("serviceAccountName") or "default",
        source.get("audience") or "",
        int(source.get("expirationSeconds") or 3600),
    )


class Tokens:
    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._kept: dict[Key, _Token] = {}

    async def gather(self, pod: Object) -> dict[Key, str]:
        """A valid token for every source of the pod. Raises ApiError when one cannot be had and none is left."""
        found = {}
        for source in sources(pod):
            wanted = key(pod, source)
            token = self._kept.get(wanted)
            if token is None or token.renew <= self._now():
                token = self._kept[wanted] = await self._ask(pod, wanted)
            found[wanted] = token.text
        return found

    def renew_after(self, pod: Object) -> float | None:
        """Seconds until the first of the pod's tokens is to be renewed."""
        uid = pod["metadata"]["uid"]
        due = [token.renew for k, token in self._kept.items() if k.uid == uid]
        return max(0.0, min(due) - self._now()) if due else None

    def forget(self, uid: str) -> None:
        for known in [known for known in self._kept if known.uid == uid]:
            del self._kept[known]

    async def _ask(self, pod: Object, wanted: Key) -> _Token:
        meta = pod["metadata"]
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [wanted.audience] if wanted.audience else [],
                "expirationSeconds": wanted.seconds,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": meta["name"],
                    "uid": meta["uid"],
                },
            },
        }
        answer = await self._client.create(
            kinds.of("v1", "ServiceAccount"),
            request,
            wanted.namespace,
            name=wanted.account,
            subresource="token",
        )
        status = answer["status"]
        now = self._now()
        expires = datetime.fromisoformat(status["expirationTimestamp"].replace("Z", "+00:00")).timestamp()
        return _Token(status["token"], now + min((expires - now) * RENEW_AT, MAX_AGE_SECONDS))
