"""Containers: names, images, ports, environment, mounts, probes.

Source: pkg/apis/core/validation/validation.go (validateContainerCommon and below).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sampan.api.field import content, error
from sampan.api.validation import resources, rules
from sampan.api.validation.rules import Causes, Object

_MORE_THAN_ONE: Final = "may not specify more than 1 handler type"
_ENV_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_CONVERTIBLE: Final = frozenset(
    {
        *_ENV_FIELDS,
        "metadata.annotations",
        "metadata.labels",
        "spec.restartPolicy",
        "spec.schedulerName",
        "status.phase",
    }
)  # fields that a pod can tell of itself; which of them may be used depends on the place
_RESOURCE_FIELDS: Final = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_INIT_PROBES: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")

Volumes = Mapping[str, Object]


def containers(spec: Object, volumes: Volumes, path: str) -> Causes:
    found = spec.get("containers") or []
    at = error.child(path, "containers")
    if not found:
        yield error.required(at)
        return
    names: set[str] = set()
    for place, container in enumerate(found):
        here = error.index(at, place)
        yield from _container(container, volumes, here)
        if container.get("name", "") in names:
            yield error.duplicate(error.child(here, "name"), container.get("name", ""))
        names.add(container.get("name", ""))
        yield from _probes(container, here)
    yield from _host_ports(found, at)


def init_containers(spec: Object, volumes: Volumes, path: str) -> Causes:
    names = {container.get("name") for container in spec.get("containers") or ()}
    at = error.child(path, "initContainers")
    for place, container in enumerate(spec.get("initContainers") or ()):
        here = error.index(at, place)
        yield from _container(container, volumes, here)
        name = container.get("name")
        if name in names:
            yield error.duplicate(error.child(here, "name"), name)
        names.add(name)
        if container.get("restartPolicy") == "Always":
            yield from _probes(container, here)
        else:
            for field in _INIT_PROBES:
                if container.get(field) is not None:
                    yield error.forbidden(
                        error.child(here, field),
                        "may not be set for init containers without restartPolicy=Always",
                    )
        yield from _host_ports([container], at)


def ephemeral_containers(spec: Object, volumes: Volumes, path: str) -> Causes:
    others = {c.get("name") for kind in ("containers", "initContainers") for c in spec.get(kind) or ()}
    names = set(others)
    at = error.child(path, "ephemeralContainers")
    for place, container in enumerate(spec.get("ephemeralContainers") or ()):
        here = error.index(at, place)
        yield from _container(container, volumes, here)
        if container.get("name") in names:
            yield error.duplicate(error.child(here, "name"), container.get("name"))
        names.add(container.get("name"))
        target = container.get("targetContainerName")
        if target and target not in others:
            yield error.not_found(error.child(here, "targetContainerName"), target)
        for field in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if container.get(field):
                yield error.forbidden(error.child(here, field), "cannot be set for an Ephemeral Container")
        if container.get("resources"):
            yield error.forbidden(error.child(here, "resources"), "cannot be set for an Ephemeral Container")


def _container(container: Object, volumes: Volumes, path: str) -> Causes:
    name = container.get("name") or ""
    if not name:
        yield error.required(error.child(path, "name"))
    else:
        yield from rules.text_rule(error.child(path, "name"), name, content.dns_label)
    if not container.get("image"):
        yield error.required(error.child(path, "image"))
    yield from rules.one_of(
        error.child(path, "terminationMessagePolicy"),
        container.get("terminationMessagePolicy"),
        ("File", "FallbackToLogsOnError"),
    )
    yield from _ports(container.get("ports") or [], error.child(path, "ports"))
    yield from environment(container.get("env") or [], error.child(path, "env"))
    yield from _environment_from(container.get("envFrom") or [], error.child(path, "envFrom"))
    yield from _mounts(container, volumes, error.child(path, "volumeMounts"))
    yield from _devices(container, volumes, error.child(path, "volumeDevices"))
    yield from rules.one_of(
        error.child(path, "imagePullPolicy"),
        container.get("imagePullPolicy"),
        ("Always", "IfNotPresent", "Never"),
    )
    yield from resources.requirements(container.get("resources") or {}, error.child(path, "resources"))
    yield from _security(container.get("securityContext") or {}, error.child(path, "securityContext"))


def _ports(ports: list[Object], path: str) -> Causes:
    names: set[str] = set()
    for place, port in enumerate(ports):
        at = error.index(path, place)
        name = port.get("name") or ""
        if name:
            wrong = content.port_name(name)
            yield from error.each_invalid(error.child(at, "name"), name, wrong)
            if not wrong and name in names:
                yield error.duplicate(error.child(at, "name"), name)
            names.add(name)
        if not port.get("containerPort"):
            yield error.required(error.child(at, "containerPort"))
        else:
            yield from rules.port_number(error.child(at, "containerPort"), port["containerPort"])
        if port.get("hostPort"):
            yield from rules.port_number(error.child(at, "hostPort"), port["hostPort"])
        yield from rules.one_of(error.child(at, "protocol"), port.get("protocol"), rules.PROTOCOLS)


def _host_ports(found: list[Object], path: str) -> Causes:
    taken: set[str] = set()
    for place, container in enumerate(found):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if key in taken:
                    yield error.duplicate(f"{error.index(path, place)}.ports[{number}].hostPort", key)
                taken.add(key)


def environment(variables: list[Object], path: str) -> Causes:
    for place, variable in enumerate(variables):
        at = error.index(path, place)
        name = variable.get("name") or ""
        if not name:
            yield error.required(error.child(at, "name"))
        else:
            yield from rules.text_rule(error.child(at, "name"), name, content.env_name)
        if variable.get("valueFrom") is not None:
            yield from _value_from(variable, error.child(at, "valueFrom"))


def _value_from(variable: Object, path: str) -> Causes:
    source = {key: value for key, value in variable["valueFrom"].items() if value is not None}
    if "fieldRef" in source:
        yield from field_ref(source["fieldRef"], _ENV_FIELDS, error.child(path, "fieldRef"))
    if "resourceFieldRef" in source:
        yield from _resource_ref(source["resourceFieldRef"], error.child(path, "resourceFieldRef"))
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if kind in source:
            yield from _key_ref(source[kind], error.child(path, kind))
    if not source:
        yield error.invalid(
            path,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        )
    elif variable.get("value"):
        yield error.invalid(path, "", "may not be specified when `value` is not empty")
    elif len(source) > 1:
        yield error.invalid(path, "", "may not have more than one field specified at a time")


def field_ref(reference: Object, allowed: tuple[str, ...], path: str) -> Causes:
    if not reference.get("apiVersion"):
        yield error.required(error.child(path, "apiVersion"))
        return
    wanted = reference.get("fieldPath") or ""
    if not wanted:
        yield error.required(error.child(path, "fieldPath"))
        return
    head, bracket, tail = wanted.partition("['")
    if bracket and tail.endswith("']"):
        subscript = tail[:-2]
        if head == "metadata.annotations":
            yield from rules.text_rule(path, subscript.lower(), content.label_key)
        elif head == "metadata.labels":
            yield from rules.text_rule(path, subscript, content.label_key)
        else:
            yield error.invalid(path, head, "does not support subscript")
    elif wanted not in allowed:
        if wanted in _CONVERTIBLE:
            yield error.not_supported(error.child(path, "fieldPath"), wanted, allowed)
        else:
            yield error.invalid(
                error.child(path, "fieldPath"),
                wanted,
                f"error converting fieldPath: field label not supported: {wanted}",
            )


def _resource_ref(reference: Object, path: str) -> Causes:
    name = reference.get("resource") or ""
    if not name:
        yield error.required(error.child(path, "resource"))
    elif name not in _RESOURCE_FIELDS and not name.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield error.not_supported(error.child(path, "resource"), name, _RESOURCE_FIELDS)


def _key_ref(reference: Object, path: str) -> Causes:
    yield from rules.text_rule(error.child(path, "name"), reference.get("name") or "", content.dns_subdomain)
    if not reference.get("key"):
        yield error.required(error.child(path, "key"))
    else:
        yield from rules.text_rule(error.child(path, "key"), reference["key"], content.config_key)


def _environment_from(sources: list[Object], path: str) -> Causes:
    for place, source in enumerate(sources):
        at = error.index(path, place)
        if source.get("prefix"):
            yield from rules.text_rule(error.child(at, "prefix"), source["prefix"], content.env_name)
        found = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        for kind in found:
            name, here = source[kind].get("name") or "", error.child(at, kind, "name")
            if not name:
                yield error.required(here)
            else:
                yield from rules.text_rule(here, name, content.dns_subdomain)
        if not found:
            yield error.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield error.invalid(path, "", "may not have more than one field specified at a time")


def _mounts(container: Object, volumes: Volumes, path: str) -> Causes:
    devices = container.get("volumeDevices") or []
    points: set[str] = set()
    for place, mount in enumerate(container.get("volumeMounts") or ()):
        at = error.index(path, place)
        name, point = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield error.required(error.child(at, "name"))
        if name not in volumes:
            yield error.not_found(error.child(at, "name"), name)
        if not point:
            yield error.required(error.child(at, "mountPath"))
        if point in points:
            yield error.invalid(error.child(at, "mountPath"), point, "must be unique")
        points.add(point)
        if any(device.get("name") == name for device in devices):
            yield error.invalid(error.child(at, "name"), name, "must not already exist in volumeDevices")
        if any(device.get("devicePath") == point for device in devices):
            yield error.invalid(
                error.child(at, "mountPath"), point, "must not already exist as a path in volumeDevices"
            )
        # Upstream names these paths without the index.
        if mount.get("subPath"):
            yield from rules.descending_path(error.child(path, "subPath"), mount["subPath"])
        if mount.get("subPathExpr"):
            if mount.get("subPath"):
                yield error.invalid(
                    error.child(at, "subPathExpr"),
                    mount["subPathExpr"],
                    "subPathExpr and subPath are mutually exclusive",
                )
            yield from rules.descending_path(error.child(path, "subPathExpr"), mount["subPathExpr"])
        propagation = mount.get("mountPropagation")
        if propagation:
            yield from _propagation(propagation, container, error.child(path, "mountPropagation"))


def _propagation(mode: str, container: Object, path: str) -> Causes:
    supported = ("Bidirectional", "HostToContainer", "None")
    if mode not in supported:
        yield error.not_supported(path, mode, supported)
    elif mode == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        yield error.forbidden(
            path, "Bidirectional mount propagation is available only to privileged containers"
        )


def _devices(container: Object, volumes: Volumes, path: str) -> Causes:
    names: set[str] = set()
    for place, device in enumerate(container.get("volumeDevices") or ()):
        at = error.index(path, place)
        name, where = device.get("name") or "", device.get("devicePath") or ""
        if not name:
            yield error.required(error.child(at, "name"))
        if name in names:
            yield error.invalid(error.child(at, "name"), name, "must be unique")
        names.add(name)
        if name not in volumes:
            yield error.not_found(error.child(at, "name"), name)
        elif not {"persistentVolumeClaim", "ephemeral"} & volumes[name].keys():
            yield error.invalid(
                error.child(at, "name"),
                name,
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            )
        if not where:
            yield error.required(error.child(at, "devicePath"))


def _probes(container: Object, path: str) -> Causes:
    lifecycle = container.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            yield from _handler(lifecycle[hook], error.child(path, "lifecycle", hook))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, at = container.get(name), error.child(path, name)
        if probe is None:
            continue
        yield from _handler(probe, at)
        yield from rules.nonnegatives(
            at,
            probe,
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        )
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is not None and grace <= 0:
            yield error.invalid(
                error.child(at, "terminationGracePeriodSeconds"), grace, "must be greater than 0"
            )
        if name == "readinessProbe":
            if grace is not None:
                yield error.invalid(
                    error.child(at, "terminationGracePeriodSeconds"),
                    grace,
                    "must not be set for readinessProbes",
                )
        elif probe.get("successThreshold") != 1:
            yield error.invalid(
                error.child(at, "successThreshold"), probe.get("successThreshold") or 0, "must be 1"
            )


def _handler(found: Object, path: str) -> Causes:
    first = True
    for kind, check in _HANDLERS.items():
        if found.get(kind) is None:
            continue
        if first:
            yield from check(found[kind], error.child(path, kind))
        else:
            yield error.forbidden(error.child(path, kind), _MORE_THAN_ONE)
        first = False
    if first:
        yield error.required(path, "must specify a handler type")


def _exec(action: Object, path: str) -> Causes:
    if not action.get("command"):
        yield error.required(error.child(path, "command"))


def _http(action: Object, path: str) -> Causes:
    if not action.get("path"):
        yield error.required(error.child(path, "path"))
    yield from rules.port_number_or_name(error.child(path, "port"), action.get("port"))
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        yield error.not_supported(error.child(path, "scheme"), action.get("scheme", ""), ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        yield from rules.text_rule(
            error.child(path, "httpHeaders"), header.get("name", ""), content.http_header
        )


def _port(action: Object, path: str) -> Causes:
    yield from rules.port_number_or_name(error.child(path, "port"), action.get("port"))


def _sleep(action: Object, path: str) -> Causes:
    if action.get("seconds", 0) < 0:
        yield error.invalid(path, action["seconds"], "must be greater than or equal to 0")


_HANDLERS: Final[dict[str, Any]] = {
    "exec": _exec,
    "httpGet": _http,
    "tcpSocket": _port,
    "grpc": _port,
    "sleep": _sleep,
}


def _security(context: Object, path: str) -> Causes:
    for field, limit in (("runAsUser", rules.MAX_INT32), ("runAsGroup", rules.MAX_INT32)):
        value = context.get(field)
        if value is not None and not 0 <= value <= limit:
            yield error.invalid(error.child(path, field), value, content.in_range(0, limit))
    if context.get("procMount") not in (None, "Default", "Unmasked"):
        yield error.not_supported(
            error.child(path, "procMount"), context["procMount"], ("Default", "Unmasked")
        )
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            yield error.invalid(
                path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            )
