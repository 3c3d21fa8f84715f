"""Starting a container: image, environment, mounts, create, start, postStart hook.

Rules: pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer), kubelet_pods.go (makeMounts, hosts file).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sampan.node.agent import ending, environment, probes, translate
from sampan.node.agent.context import Context
from sampan.node.agent.environment import ConfigError
from sampan.node.agent.images import Held, Image
from sampan.node.agent.plan import Waiting
from sampan.node.agent.volumes import volumes
from sampan.spec import cri

Object = Mapping[str, Any]


class Surroundings(NamedTuple):
    """What a pod has when its containers start. `data` holds its config maps and secrets by (kind, name)."""

    sandbox_id: str
    sandbox: cri.PodSandboxConfig
    pod_ips: tuple[str, ...]
    placed: Mapping[str, volumes.Placed]
    data: Mapping[tuple[str, str], Mapping[str, bytes] | None]
    pull_secrets: tuple[Object, ...]


def hosts_file(pod: Object, ips: Iterable[str], domain: str, own: str) -> str:
    """/etc/hosts of a pod's containers; `own` is the node's file, used with hostNetwork."""
    lines = []
    if pod["spec"].get("hostNetwork"):
        lines.append("# Kubernetes-managed hosts file (host network).\n" + own.rstrip("\n"))
    else:
        lines.append(
            "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
            "fe00::\tip6-localnet\nfe00::\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters"
        )
        host = translate.hostname(pod)
        names = f"{host}.{domain}\t{host}" if domain else host
        lines += [f"{ip}\t{names}" for ip in ips]
    if aliases := pod["spec"].get("hostAliases"):
        lines.append("\n# Entries added by HostAliases.")
        lines += ["\t".join((alias["ip"], *(alias.get("hostnames") or ()))) for alias in aliases]
    return "\n".join(lines) + "\n"


def message_file(context: Context, pod: Object, name: str, attempt: int) -> Path:
    """The node's side of a container's termination log."""
    return context.config.pod_dir(pod["metadata"]["uid"]) / "containers" / name / f"{attempt}.message"


def _mounts(
    context: Context, pod: Object, spec: Object, around: Surroundings, known: Mapping[str, str], attempt: int
) -> list[cri.Mount]:
    mounts = volumes.container_mounts(spec, around.placed, lambda text: environment.expand(text, known))
    taken = {mount.container_path.rstrip("/") for mount in mounts}
    folder = context.config.pod_dir(pod["metadata"]["uid"])
    if "/etc/hosts" not in taken:
        mounts.append(cri.Mount("/etc/hosts", str(folder / "etc-hosts")))
    message = message_file(context, pod, spec["name"], attempt)
    message.parent.mkdir(parents=True, exist_ok=True)
    message.touch(mode=0o666)
    message.chmod(0o666)
    mounts.append(cri.Mount(spec.get("terminationMessagePath") or "/dev/termination-log", str(message)))
    return mounts


def _environment(context: Context, pod: Object, spec: Object, around: Surroundings) -> dict[str, str]:
    def fetch(kind: str, name: str) -> Mapping[str, str] | None:
        data = around.data.get((kind, name))
        return None if data is None else {key: raw.decode(errors="replace") for key, raw in data.items()}

    services = list(context.services())
    master = next(
        (
            s
            for s in services
            if (s["metadata"]["namespace"], s["metadata"]["name"]) == ("default", "kubernetes")
        ),
        None,
    )
    links = environment.service_links(
        services,
        pod["metadata"]["namespace"],
        enabled=pod["spec"].get("enableServiceLinks") is not False,
        master=master,
    )
    sources = environment.Sources(
        fetch,
        links,
        pod_ips=around.pod_ips,
        host_ips=context.config.addresses,
        allocatable={"cpu": context.machine.cpus * 1000, "memory": context.machine.memory},
    )
    return environment.build(pod, spec, sources)


async def start(
    context: Context, pod: Object, spec: Object, attempt: int, around: Surroundings, image: Image
) -> str:
    """Makes and starts the container from an image that is present; returns its id. Raises Held."""

    def event(kind: str, reason: str, message: str) -> None:
        context.event(pod, kind, reason, message)

    try:
        if pod["spec"].get("hostUsers") is False:
            raise ConfigError("hostUsers false (user namespaces) is not supported by this node")
        probes.check_supported(spec)
        known = _environment(context, pod, spec, around)
        config = translate.container(
            pod,
            spec,
            attempt=attempt,
            image_ref=image.ref,
            image_user=image.user,
            environment=known,
            mounts=_mounts(context, pod, spec, around, known, attempt),
            node_memory=context.machine.memory,
        )
    except (ConfigError, OSError) as error:
        event("Warning", "Failed", f"Error: {error}")
        raise Held(Waiting("CreateContainerConfigError", str(error)), 10.0) from error
    (Path(around.sandbox.log_directory) / spec["name"]).mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        identity = await context.runtime.create_container(around.sandbox_id, config, around.sandbox)
    except cri.Error as error:
        event("Warning", "Failed", f"Error: {error.message}")
        raise Held(Waiting("CreateContainerError", error.message), 10.0) from error
    event("Normal", "Created", "Container created")
    try:
        await context.runtime.start_container(identity)
    except cri.Error as error:
        event("Warning", "Failed", f"Error: {error.message}")
        raise Held(Waiting("RunContainerError", error.message), 10.0) from error
    event("Normal", "Started", "Container started")
    await _post_start(context, pod, spec, identity, around)
    return identity


async def _post_start(
    context: Context, pod: Object, spec: Object, identity: str, around: Surroundings
) -> None:
    action = (spec.get("lifecycle") or {}).get("postStart")
    if not action:
        return
    target = probes.Target(identity, around.pod_ips[0] if around.pod_ips else "", probes.named_ports(spec))
    try:
        await ending.hook(context, action, target)
    except (ending.HookError, ConfigError, OSError, cri.Error) as error:
        context.event(pod, "Warning", "FailedPostStartHook", f"PostStartHook failed: {error}")
        await context.runtime.stop_container(
            identity, float(pod["spec"].get("terminationGracePeriodSeconds") or 30)
        )
