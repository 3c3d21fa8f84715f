"""ServiceAccount: every pod runs as somebody, and finds that somebody's token where clients look for it.

kubernetes plugin/pkg/admission/serviceaccount/admission.go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from sampan.control_plane.apiserver.admission.model import (
    CREATE,
    POD,
    UPDATE,
    Local,
    Request,
    is_mirror,
    metadata,
    refused,
    spec,
)
from sampan.control_plane.apiserver.view import Object, View

MOUNT_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX: Final = "kube-api-access-"
TOKEN_SECONDS: Final = 3607
ENFORCE_MOUNTABLE: Final = "kubernetes.io/enforce-mountable-secrets"
# A new namespace gets its default account from a controller: wait for it, as upstream does.
_DEFAULT_ATTEMPTS: Final = 20
_DEFAULT_PAUSE: Final = 0.05  # seconds


class ServiceAccount(Local):
    """suffix: five random lower-case characters for the volume's name; pause: sleeps for so many seconds."""

    name = "ServiceAccount"
    operations = frozenset({CREATE, UPDATE})
    resources = frozenset({POD, ("", "pods", "ephemeralcontainers")})

    def __init__(
        self, view: View, suffix: Callable[[], str], pause: Callable[[float], Awaitable[None]]
    ) -> None:
        self._view = view
        self._suffix = suffix
        self._pause = pause

    async def admit(self, request: Request, /) -> None:
        pod = request.object
        if request.operation != CREATE or request.subresource or pod is None or is_mirror(pod):
            return
        pod_spec = pod.setdefault("spec", {})
        if not pod_spec.get("serviceAccountName"):
            pod_spec["serviceAccountName"] = pod_spec["serviceAccount"] = "default"
        account = await self._account(request, pod_spec["serviceAccountName"])
        if _automount(account, pod_spec):
            self._mount(pod_spec)
        if not pod_spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            listed = account["imagePullSecrets"]
            pod_spec["imagePullSecrets"] = [{"name": secret.get("name", "")} for secret in listed]

    async def validate(self, request: Request, /) -> None:
        pod = request.object
        if pod is None:
            return
        if request.operation == CREATE and not request.subresource:
            if is_mirror(pod):
                _check_mirror(request, spec(pod))
                return
        elif request.subresource != "ephemeralcontainers":
            return
        name = spec(pod).get("serviceAccountName")
        if not name:
            at = f"{request.namespace}/{metadata(pod).get('name', '')}"
            raise refused(request, f"no service account specified for pod {at}")
        account = await self._account(request, name)
        if (metadata(account).get("annotations") or {}).get(ENFORCE_MOUNTABLE) in _TRUE:
            _check_mountable(request, account, spec(pod))

    async def _account(self, request: Request, name: str) -> Object:
        for attempt in range(_DEFAULT_ATTEMPTS if name == "default" else 1):
            if attempt:
                await self._pause(_DEFAULT_PAUSE)
            account = self._view.get("", "serviceaccounts", request.namespace, name)
            if account is not None:
                return account
        where = f"{request.namespace}/{name}"
        raise refused(request, f'error looking up service account {where}: serviceaccount "{name}" not found')

    def _mount(self, pod_spec: dict[str, Any]) -> None:
        volumes = pod_spec.get("volumes") or []
        named = [v["name"] for v in volumes if str(v.get("name", "")).startswith(VOLUME_PREFIX)]
        name = named[0] if named else VOLUME_PREFIX + self._suffix()
        needed = False
        for kind in ("initContainers", "containers"):
            for container in pod_spec.get(kind) or ():
                mounts = container.get("volumeMounts") or []
                if all(mount.get("mountPath") != MOUNT_PATH for mount in mounts):
                    mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
                    container["volumeMounts"] = [*mounts, mount]
                    needed = True
        if needed and not named:
            pod_spec["volumes"] = [*volumes, {"name": name, "projected": token_volume()}]


_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})


def token_volume() -> dict[str, Any]:
    """The projected volume: a bound token, the cluster's CA, the namespace."""
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": TOKEN_SECONDS}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
        ],
    }


def _automount(account: Object, pod_spec: Mapping[str, Any]) -> bool:
    """The pod's word, else the account's, else yes."""
    for owner in (pod_spec, account):
        said = owner.get("automountServiceAccountToken")
        if said is not None:
            return bool(said)
    return True


def _check_mirror(request: Request, pod_spec: Mapping[str, Any]) -> None:
    if pod_spec.get("serviceAccountName"):
        raise refused(request, "a mirror pod may not reference service accounts")
    volumes = pod_spec.get("volumes") or ()
    sources = [s for v in volumes for s in (v.get("projected") or {}).get("sources") or ()]
    if (
        pod_spec.get("imagePullSecrets")
        or any(True for _ in _environment_secrets(pod_spec))
        or any(volume.get("secret") for volume in volumes)
        or any(source.get("secret") for source in sources)
    ):
        raise refused(request, "a mirror pod may not reference secrets")
    if any(source.get("serviceAccountToken") for source in sources):
        raise refused(request, "a mirror pod may not use ServiceAccountToken volume projections")


def _check_mountable(request: Request, account: Object, pod_spec: Mapping[str, Any]) -> None:
    owner = metadata(account).get("name", "")
    allowed = {str(secret.get("name")) for secret in account.get("secrets") or ()}
    why = f"is not allowed because service account {owner} does not reference that"
    for what, name in _environment_secrets(pod_spec):
        if name not in allowed:
            raise refused(request, f'{what} referencing secret.secretName="{name}" {why} secret')
    if request.subresource:
        return
    for volume in pod_spec.get("volumes") or ():
        secret_name = (volume.get("secret") or {}).get("secretName")
        if volume.get("secret") and secret_name not in allowed:
            raise refused(request, f'volume with secret.secretName="{secret_name}" {why} secret')
    pull = {str(secret.get("name")) for secret in account.get("imagePullSecrets") or ()}
    for index, secret in enumerate(pod_spec.get("imagePullSecrets") or ()):
        if secret.get("name") not in pull:
            raise refused(
                request, f'imagePullSecrets[{index}].name="{secret.get("name")}" {why} imagePullSecret'
            )


_CONTAINERS: Final = (
    ("initContainers", "init container"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral container"),
)


def _environment_secrets(pod_spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what refers, the secret's name) for every environment variable that comes from a secret."""
    for kind, shown in _CONTAINERS:
        for container in pod_spec.get(kind) or ():
            who = f"{shown} {container.get('name', '')}"
            for variable in container.get("env") or ():
                reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if reference:
                    yield f"{who} with envVar {variable.get('name', '')}", str(reference.get("name", ""))
            for source in container.get("envFrom") or ():
                if source.get("secretRef"):
                    yield f"{who} with envFrom", str(source["secretRef"].get("name", ""))
