"""The environment of a container: literals, references, service links, `$(VAR)`. Pure.

Rules: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), third_party/forked/golang/expansion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sampan.node.agent.resources import milli, whole

Object = Mapping[str, Any]
Fetch = Callable[[str, str], Mapping[str, str] | None]
"""(kind, name) -> the decoded data of a ConfigMap or Secret of the pod's namespace; None when it is not there."""


class ConfigError(Exception):
    """The container cannot be made from what its pod says; shown as CreateContainerConfigError."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value, an unknown name stays as it is, `$$` is one dollar."""

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^()]*)\)", one, text)


def service_links(
    services: Iterable[Object], namespace: str, *, enabled: bool, master: Object | None
) -> dict[str, str]:
    """Docker-link variables of the services that the pod may see; always those of `default/kubernetes`."""
    variables: dict[str, str] = {}
    chosen = [s for s in services if enabled and s["metadata"]["namespace"] == namespace]
    if master is not None:
        chosen.insert(0, master)
    for service in chosen:
        spec = service.get("spec") or {}
        address = spec.get("clusterIP") or ""
        ports = spec.get("ports") or ()
        if address in ("", "None") or not ports:
            continue
        prefix = service["metadata"]["name"].upper().replace("-", "_")
        variables[f"{prefix}_SERVICE_HOST"] = address
        variables[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                variables[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(
                    port["port"]
                )
        first = ports[0]
        variables[f"{prefix}_PORT"] = f"{first.get('protocol', 'TCP').lower()}://{address}:{first['port']}"
        for port in ports:
            protocol = port.get("protocol", "TCP")
            base = f"{prefix}_PORT_{port['port']}_{protocol}"
            variables[base] = f"{protocol.lower()}://{address}:{port['port']}"
            variables[f"{base}_PROTO"] = protocol.lower()
            variables[f"{base}_PORT"] = str(port["port"])
            variables[f"{base}_ADDR"] = address
    return variables


def field(pod: Object, path: str, *, pod_ips: tuple[str, ...] = (), host_ips: tuple[str, ...] = ()) -> str:
    """A downward API field of a pod. Raises ConfigError for a path that there is not."""
    meta = pod["metadata"]
    match = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if match:
        return str((meta.get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = meta.get(path.rpartition(".")[2]) or {}
        return "\n".join(f"{key}={_quoted(str(pairs[key]))}" for key in sorted(pairs))
    known: dict[str, str] = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.hostIP": host_ips[0] if host_ips else "",
        "status.hostIPs": ",".join(host_ips),
        "status.podIP": pod_ips[0] if pod_ips else "",
        "status.podIPs": ",".join(pod_ips),
    }
    if path not in known:
        raise ConfigError(f"fieldPath {path!r} is not supported, expected one of {', '.join(sorted(known))}")
    return known[path]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def resource_field(pod: Object, container: Object, ref: Object, allocatable: Mapping[str, int]) -> str:
    """A resourceFieldRef: limits fall back to what the node can give; divided by `divisor`, rounded up."""
    name = ref.get("containerName")
    if name:
        spec = pod["spec"]
        both = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        container = next((c for c in both if c["name"] == name), {})
        if not container:
            raise ConfigError(f"resourceFieldRef.containerName {name!r}: there is no such container")
    what, _, resource = str(ref["resource"]).partition(".")
    given = ((container.get("resources") or {}).get(what) or {}).get(resource)
    divisor = str(ref.get("divisor") or "1")
    if divisor == "0":
        divisor = "1"
    if resource == "cpu":
        amount = milli(given) if given is not None else (allocatable.get("cpu", 0) if what == "limits" else 0)
        part = milli(divisor)
    else:
        amount = (
            whole(given) if given is not None else (allocatable.get(resource, 0) if what == "limits" else 0)
        )
        part = whole(divisor)
    return str(-(-amount // max(1, part)))


class Sources:
    """Where values come from, for one pod."""

    def __init__(
        self,
        fetch: Fetch,
        links: Mapping[str, str],
        *,
        pod_ips: tuple[str, ...] = (),
        host_ips: tuple[str, ...] = (),
        allocatable: Mapping[str, int] | None = None,
    ) -> None:
        self.fetch = fetch
        self.links = links
        self.pod_ips = pod_ips
        self.host_ips = host_ips
        self.allocatable = allocatable or {}


def build(pod: Object, container: Object, sources: Sources) -> dict[str, str]:
    """Every variable of the container, in upstream's order of precedence. Raises ConfigError."""
    result: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        result.update(_from_source(source, sources))
    links = dict(sources.links)
    explicit: dict[str, str] = {}
    for entry in container.get("env") or ():
        known = {**links, **result, **explicit}
        resolved = _entry(pod, container, entry, sources, known)
        if resolved is not None:
            explicit[entry["name"]] = resolved
    return {**links, **result, **explicit}


def _from_source(source: Object, sources: Sources) -> dict[str, str]:
    for field_name, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        ref = source.get(field_name)
        if ref is None:
            continue
        data = sources.fetch(kind, ref["name"])
        if data is None:
            if ref.get("optional"):
                return {}
            raise ConfigError(f'{kind.lower()} "{ref["name"]}" not found')
        prefix = source.get("prefix") or ""
        return {prefix + key: text for key, text in data.items() if "=" not in key and key}
    return {}


def _entry(
    pod: Object, container: Object, entry: Object, sources: Sources, known: Mapping[str, str]
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(str(entry.get("value") or ""), known)
    if ref := source.get("fieldRef"):
        return field(pod, ref["fieldPath"], pod_ips=sources.pod_ips, host_ips=sources.host_ips)
    if ref := source.get("resourceFieldRef"):
        return resource_field(pod, container, ref, sources.allocatable)
    for field_name, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        ref = source.get(field_name)
        if ref is None:
            continue
        data = sources.fetch(kind, ref["name"])
        if data is not None and ref["key"] in data:
            return data[ref["key"]]
        if ref.get("optional"):
            return None
        if data is None:
            raise ConfigError(f'{kind.lower()} "{ref["name"]}" not found')
        raise ConfigError(
            f"couldn't find key {ref['key']} in {kind} {pod['metadata']['namespace']}/{ref['name']}"
        )
    raise ConfigError(f"env {entry['name']!r}: valueFrom {sorted(source)!r} is not supported")
