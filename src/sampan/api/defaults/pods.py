"""Defaults of pod specs, which pods and all templates share.

Source: pkg/apis/core/v1/defaults.go (SetDefaults_PodSpec, _Container, _Volume, _Probe ...).
"""

from __future__ import annotations

import re
from typing import Any, Final

from sampan.api.defaults.setting import Object, child, empty, items, requirements, resource_list, unset

_FILE_MODE: Final = 0o644
_TOKEN_SECONDS: Final = 3600
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_DIGEST: Final = re.compile(r"@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$")
_REPOSITORY: Final = re.compile(
    r"(?:[a-zA-Z0-9][-a-zA-Z0-9.]*(?::[0-9]+)?/|\[[0-9a-fA-F:]+\](?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)


def pull_policy(image: str) -> str:
    """Always for the tag latest (or none), else IfNotPresent."""
    name = _DIGEST.sub("", image)
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, "latest" if name == image else ""
    if _REPOSITORY.fullmatch(head) is None:
        return "IfNotPresent"
    return "Always" if tag == "latest" else "IfNotPresent"


def pod_spec(spec: Object) -> None:
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    empty(spec, dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    unset(spec, terminationGracePeriodSeconds=30)
    child(spec, "securityContext")
    for found in items(spec, "volumes"):
        volume(found)
    for kind in _CONTAINERS:
        for found in items(spec, kind):
            container(found)
    resource_list(spec.get("overhead"))
    requirements(spec.get("resources"))


def container(found: Object) -> None:
    if not found.get("imagePullPolicy"):
        found["imagePullPolicy"] = pull_policy(found.get("image") or "")
    empty(found, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    for port in items(found, "ports"):
        empty(port, protocol="TCP")
    for variable in items(found, "env"):
        source = variable.get("valueFrom") or {}
        _field_ref(source)
        if source.get("fileKeyRef") is not None:
            unset(source["fileKeyRef"], optional=False)
    requirements(found.get("resources"))
    for name in _PROBES:
        if found.get(name) is not None:
            probe(found[name])
    for name in _HOOKS:
        hook = (found.get("lifecycle") or {}).get(name) or {}
        if hook.get("httpGet") is not None:
            http_get(hook["httpGet"])


def probe(found: Object) -> None:
    empty(found, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if found.get("httpGet") is not None:
        http_get(found["httpGet"])
    if found.get("grpc") is not None:
        unset(found["grpc"], service="")


def http_get(action: Object) -> None:
    empty(action, path="/", scheme="HTTP")


def _field_ref(source: Object) -> None:
    if source.get("fieldRef") is not None:
        empty(source["fieldRef"], apiVersion="v1")


def volume(found: Object) -> None:
    if not any(value is not None for key, value in found.items() if key != "name"):
        found["emptyDir"] = {}
    for name, setter in _VOLUMES.items():
        if found.get(name) is not None:
            setter(found[name])


def _default_mode(source: Object) -> None:
    unset(source, defaultMode=_FILE_MODE)


def _downward(source: Object) -> None:
    _default_mode(source)
    for item in items(source, "items"):
        _field_ref(item)


def _projected(source: Object) -> None:
    _default_mode(source)
    for projection in items(source, "sources"):
        for item in items(projection.get("downwardAPI") or {}, "items"):
            _field_ref(item)
        if projection.get("serviceAccountToken") is not None:
            unset(projection["serviceAccountToken"], expirationSeconds=_TOKEN_SECONDS)
        if projection.get("podCertificate") is not None:
            unset(projection["podCertificate"], maxExpirationSeconds=86400)


def host_path(source: Object) -> None:
    unset(source, type="")


def iscsi(source: Object) -> None:
    empty(source, iscsiInterface="default")


def rbd(source: Object) -> None:
    empty(source, pool="rbd", user="admin", keyring="/etc/ceph/keyring")


def azure_disk(source: Object) -> None:
    unset(source, cachingMode="ReadWrite", fsType="ext4", readOnly=False, kind="Shared")


def scale_io(source: Object) -> None:
    empty(source, storageMode="ThinProvisioned", fsType="xfs")


def claim_spec(spec: Object) -> None:
    unset(spec, volumeMode="Filesystem")
    requirements(spec.get("resources"))


def _ephemeral(source: Object) -> None:
    template = source.get("volumeClaimTemplate")
    if template is not None:
        claim_spec(child(template, "spec"))


def _image(source: Object) -> None:
    if not source.get("pullPolicy"):
        source["pullPolicy"] = pull_policy(source.get("reference") or "")


_VOLUMES: Final[dict[str, Any]] = {
    "azureDisk": azure_disk,
    "configMap": _default_mode,
    "downwardAPI": _downward,
    "ephemeral": _ephemeral,
    "hostPath": host_path,
    "image": _image,
    "iscsi": iscsi,
    "projected": _projected,
    "rbd": rbd,
    "scaleIO": scale_io,
    "secret": _default_mode,
}
