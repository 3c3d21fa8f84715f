"""From a pod to what the runtime is asked for: sandbox and container configurations. Pure.

Labels and annotations: pkg/kubelet/types/labels.go and pkg/kubelet/kuberuntime/labels.go, so that tools which read
them (crictl, log shippers) find what they know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sampan.node.agent import resources
from sampan.node.agent.environment import ConfigError, expand
from sampan.spec import cri

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
HASH = "io.kubernetes.container.hash"
RESTART_COUNT = "io.kubernetes.container.restartCount"
GRACE = "io.kubernetes.pod.terminationGracePeriod"
MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath"

Object = Mapping[str, Any]


def container_spec(pod: Object, name: str) -> Object:
    """A container of the pod by name, of whichever kind. Raises KeyError."""
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for container in pod["spec"].get(group) or ():
            if container["name"] == name:
                found: Object = container
                return found
    raise KeyError(name)


def spec_hash(container: Object) -> str:
    """What of a container, when it changes, makes it start anew (pkg/kubelet/container/helpers.go: name and image)."""
    text = json.dumps([container["name"], container.get("image")]).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def hostname(pod: Object) -> str:
    spec = pod["spec"]
    if override := spec.get("hostnameOverride"):
        return str(override)
    name = spec.get("hostname") or pod["metadata"]["name"]
    return str(name)[:63].rstrip("-.")


def domain_name(pod: Object, cluster_domain: str) -> str:
    """The pod's own domain when it has a subdomain: SUBDOMAIN.NAMESPACE.svc.CLUSTER, else ""."""
    subdomain = pod["spec"].get("subdomain")
    if not subdomain or pod["spec"].get("hostnameOverride"):
        return ""
    return f"{subdomain}.{pod['metadata']['namespace']}.svc.{cluster_domain}"


def namespaces(pod: Object) -> cri.NamespaceOption:
    spec = pod["spec"]
    mode = cri.NamespaceMode
    pid = (
        mode.NODE
        if spec.get("hostPID")
        else (mode.POD if spec.get("shareProcessNamespace") else mode.CONTAINER)
    )
    return cri.NamespaceOption(
        network=mode.NODE if spec.get("hostNetwork") else mode.POD,
        pid=pid,
        ipc=mode.NODE if spec.get("hostIPC") else mode.POD,
    )


def dns(pod: Object, *, cluster_dns: Sequence[str], domain: str, host: cri.DNSConfig) -> cri.DNSConfig:
    """resolv.conf by dnsPolicy (pkg/kubelet/network/dns/dns.go); `host` is the node's own."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    in_cluster = policy == "ClusterFirstWithHostNet" or (
        policy == "ClusterFirst" and not spec.get("hostNetwork")
    )
    if policy == "None":
        servers, searches, options = [], [], []
    elif in_cluster and cluster_dns:
        namespace = pod["metadata"]["namespace"]
        servers = list(cluster_dns)
        searches = [f"{namespace}.svc.{domain}", f"svc.{domain}", domain]
        searches += [s for s in host.searches if s not in searches]
        options = ["ndots:5", *(o for o in host.options if not o.startswith("ndots"))]
    else:
        servers, searches, options = list(host.servers), list(host.searches), list(host.options)
    extra = spec.get("dnsConfig") or {}
    servers += [s for s in extra.get("nameservers") or () if s not in servers]
    searches += [s for s in extra.get("searches") or () if s not in searches]
    for option in extra.get("options") or ():
        options = [o for o in options if o.partition(":")[0] != option["name"]]
        options.append(f"{option['name']}:{option['value']}" if option.get("value") else option["name"])
    return cri.DNSConfig(tuple(servers[:3]), tuple(searches[:32]), tuple(options))


def _port_mappings(pod: Object) -> tuple[cri.PortMapping, ...]:
    if pod["spec"].get("hostNetwork"):
        return ()
    return tuple(
        cri.PortMapping(
            protocol=cri.Protocol[port.get("protocol", "TCP")],
            container_port=port["containerPort"],
            host_port=port["hostPort"],
            host_ip=port.get("hostIP") or "",
        )
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def _seccomp(profile: Object | None) -> cri.SecurityProfile | None:
    if not profile:
        return None
    kind = profile.get("type")
    if kind == "Localhost":
        return cri.SecurityProfile(cri.ProfileType.Localhost, str(profile.get("localhostProfile") or ""))
    return cri.SecurityProfile(cri.ProfileType[str(kind)])


def sandbox(
    pod: Object, *, attempt: int, log_directory: Path, cgroup_root: str, resolv: cri.DNSConfig
) -> cri.PodSandboxConfig:
    """What the pod's sandbox is made from."""
    meta, spec = pod["metadata"], pod["spec"]
    context = spec.get("securityContext") or {}
    privileged = any(
        (c.get("securityContext") or {}).get("privileged") for c in resources.all_containers(pod)
    )
    return cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(meta["name"], meta["uid"], meta["namespace"], attempt),
        hostname="" if spec.get("hostNetwork") else hostname(pod),
        log_directory=str(log_directory),
        dns_config=resolv,
        port_mappings=_port_mappings(pod),
        labels={
            **(meta.get("labels") or {}),
            POD_NAME: meta["name"],
            POD_NAMESPACE: meta["namespace"],
            POD_UID: meta["uid"],
        },
        annotations=meta.get("annotations") or {},
        linux=cri.LinuxPodSandboxConfig(
            cgroup_parent=resources.cgroup_parent(cgroup_root, pod),
            sysctls={s["name"]: s["value"] for s in context.get("sysctls") or ()},
            security_context=cri.LinuxSandboxSecurityContext(
                namespace_options=namespaces(pod),
                run_as_user=context.get("runAsUser"),
                run_as_group=context.get("runAsGroup"),
                supplemental_groups=_groups(context),
                privileged=privileged,
                seccomp=_seccomp(context.get("seccompProfile")),
            ),
        ),
    )


def _groups(context: Object) -> tuple[int, ...]:
    groups = list(context.get("supplementalGroups") or ())
    if context.get("fsGroup") is not None:
        groups.append(context["fsGroup"])
    return tuple(dict.fromkeys(groups))


def security(
    pod: Object, container: Object, *, image_user: tuple[int | None, str]
) -> cri.LinuxContainerSecurityContext:
    """The container's security context over the pod's. Raises ConfigError when runAsNonRoot cannot be kept."""
    outer = pod["spec"].get("securityContext") or {}
    inner = container.get("securityContext") or {}

    def either(name: str) -> Any:
        return inner[name] if inner.get(name) is not None else outer.get(name)

    user = either("runAsUser")
    if either("runAsNonRoot"):
        uid, username = image_user
        effective = user if user is not None else uid
        if effective == 0:
            where = (
                "container's runAsUser breaks non-root policy"
                if user == 0
                else "container has runAsNonRoot and image will run as root"
            )
            raise ConfigError(f"{where} (pod: {pod['metadata']['name']!r}, container: {container['name']})")
        if effective is None and username:
            raise ConfigError(
                f"container has runAsNonRoot and image has non-numeric user ({username}), cannot verify user is non-root "
                f"(pod: {pod['metadata']['name']!r}, container: {container['name']})"
            )
    capabilities = inner.get("capabilities") or {}
    unmasked = inner.get("procMount") == "Unmasked"
    privileged = bool(inner.get("privileged"))
    return cri.LinuxContainerSecurityContext(
        capabilities=cri.Capability(
            tuple(capabilities.get("add") or ()), tuple(capabilities.get("drop") or ())
        ),
        privileged=privileged,
        namespace_options=namespaces(pod),
        run_as_user=user,
        run_as_group=either("runAsGroup"),
        readonly_rootfs=bool(inner.get("readOnlyRootFilesystem")),
        supplemental_groups=_groups(outer),
        no_new_privs=inner.get("allowPrivilegeEscalation") is False,
        masked_paths=() if unmasked or privileged else None,
        readonly_paths=() if unmasked or privileged else None,
        seccomp=_seccomp(either("seccompProfile")) or (None if privileged else cri.SecurityProfile()),
    )


def container(
    pod: Object,
    spec: Object,
    *,
    attempt: int,
    image_ref: str,
    image_user: tuple[int | None, str],
    environment: Mapping[str, str],
    mounts: Sequence[cri.Mount],
    node_memory: int,
) -> cri.ContainerConfig:
    """What a container is made from. Raises ConfigError."""
    meta = pod["metadata"]
    name = spec["name"]
    grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
    return cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name, attempt),
        image=cri.ImageSpec(image_ref, user_specified_image=spec.get("image", "")),
        command=tuple(expand(word, environment) for word in spec.get("command") or ()),
        args=tuple(expand(word, environment) for word in spec.get("args") or ()),
        working_dir=spec.get("workingDir") or "",
        envs=tuple(cri.KeyValue(key, text) for key, text in environment.items()),
        mounts=tuple(mounts),
        labels={
            POD_NAME: meta["name"],
            POD_NAMESPACE: meta["namespace"],
            POD_UID: meta["uid"],
            CONTAINER_NAME: name,
        },
        annotations={
            HASH: spec_hash(spec),
            RESTART_COUNT: str(attempt),
            GRACE: str(grace),
            MESSAGE_PATH: spec.get("terminationMessagePath") or "/dev/termination-log",
        },
        log_path=f"{name}/{attempt}.log",
        stdin=bool(spec.get("stdin")),
        stdin_once=bool(spec.get("stdinOnce")),
        tty=bool(spec.get("tty")),
        linux=cri.LinuxContainerConfig(
            resources=resources.container_resources(pod, spec, node_memory),
            security_context=security(pod, spec, image_user=image_user),
        ),
        stop_signal=str((spec.get("lifecycle") or {}).get("stopSignal") or ""),
    )
