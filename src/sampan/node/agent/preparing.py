"""What a pod's containers need before they start: config maps and secrets, tokens, volumes, the sandbox, /etc/hosts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.node.agent import observing, references, starting, status, tokens, translate
from sampan.node.agent.context import Context
from sampan.node.agent.environment import ConfigError, field, resource_field
from sampan.node.agent.images import Held
from sampan.node.agent.plan import Look, Waiting
from sampan.node.agent.volumes import payload, volumes
from sampan.spec import cri

RETRY_SECONDS = 2.0
CREATING = Waiting("ContainerCreating", "")

Object = Mapping[str, Any]
Objects = Mapping[tuple[str, str], Object | None]


class Prepared(NamedTuple):
    """The surroundings of the containers, and what the runtime has now."""

    around: starting.Surroundings
    look: Look


class Preparation:
    """For one pod; remembers what its volumes were made from, so that nothing is written twice."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._placed: dict[str, volumes.Placed] = {}
        self._placed_for: object = None

    async def prepare(self, pod: Object, look: Look, create: int | None) -> Prepared:
        """Makes or refreshes everything; `create` is the attempt of a new sandbox. Raises Held, cri.Error, ApiError."""
        context, uid = self._context, pod["metadata"]["uid"]
        refs = references.of_pod(pod)
        context.references.hold(uid, refs)
        objects = {(ref.kind, ref.name): await context.references.get(ref) for ref in sorted(refs)}
        folder = context.config.pod_dir(uid)
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        sandbox = self._sandbox_config(pod, look, create)
        if create is not None:
            if not _shows_address(pod):  # else they can be written only when there is one
                await self._place(pod, objects, ())
            look = await self._create_sandbox(pod, look, sandbox)
        if look.sandbox is None:
            raise Held(CREATING, RETRY_SECONDS)
        host_network = bool(pod["spec"].get("hostNetwork"))
        ips = status.pod_ips(look, context.config.addresses, host_network=host_network)
        await self._place(pod, objects, ips)
        self._write_hosts(pod, folder / "etc-hosts", ips)
        secrets = [objects.get(("Secret", s["name"])) for s in pod["spec"].get("imagePullSecrets") or ()]
        data = {pair: references.decoded(obj) for pair, obj in objects.items()}
        around = starting.Surroundings(
            look.sandbox.id, sandbox, ips, self._placed, data, tuple(s for s in secrets if s)
        )
        return Prepared(around, look)

    # -- the sandbox

    def _sandbox_config(self, pod: Object, look: Look, create: int | None) -> cri.PodSandboxConfig:
        config, meta = self._context.config, pod["metadata"]
        attempt = look.sandbox.metadata.attempt if create is None and look.sandbox else (create or 0)
        return translate.sandbox(
            pod,
            attempt=attempt,
            log_directory=config.log_dir(meta["namespace"], meta["name"], meta["uid"]),
            cgroup_root=config.cgroup_root,
            resolv=translate.dns(
                pod, cluster_dns=config.cluster_dns, domain=config.cluster_domain, host=self._context.resolv
            ),
        )

    async def _create_sandbox(self, pod: Object, look: Look, config: cri.PodSandboxConfig) -> Look:
        context = self._context
        if look.sandbox is not None:
            await context.runtime.stop_pod_sandbox(look.sandbox.id)
        try:
            await context.runtime.run_pod_sandbox(config)
        except cri.Error as error:
            if error.code != "AlreadyExists":
                message = f"Failed to create pod sandbox: {error.message}"
                context.event(pod, "Warning", "FailedCreatePodSandBox", message)
                raise Held(CREATING, RETRY_SECONDS) from error
        return await observing.observe(context.runtime, pod["metadata"]["uid"])

    def _write_hosts(self, pod: Object, target: Path, ips: tuple[str, ...]) -> None:
        domain = translate.domain_name(pod, self._context.config.cluster_domain)
        text = starting.hosts_file(pod, ips, domain, _own_hosts())
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
            target.chmod(0o644)

    # -- volumes

    async def _place(self, pod: Object, objects: Objects, ips: tuple[str, ...]) -> None:
        """Puts volumes in place when what they are made from has changed. Raises Held."""
        context, meta = self._context, pod["metadata"]
        given = await context.tokens.gather(pod)
        versions = tuple(
            (pair, (obj or {}).get("metadata", {}).get("resourceVersion"))
            for pair, obj in sorted(objects.items())
        )
        shown = ips if _shows_address(pod) else ()
        stand = (versions, given, meta.get("labels"), meta.get("annotations"), shown)
        if stand == self._placed_for:
            return
        machine = context.machine
        whole = {"cpu": machine.cpus * 1000, "memory": machine.memory}
        inputs = payload.Inputs(
            data=lambda kind, name: references.decoded(objects.get((kind, name))),
            field=lambda path: field(pod, path, pod_ips=ips, host_ips=context.config.addresses),
            resource=lambda ref: resource_field(pod, {}, ref, whole),
            token=lambda source: given[tokens.key(pod, source)].encode(),
        )

        async def claim(name: str) -> Object:
            return await self._claim(meta["namespace"], name)

        folder = context.config.pod_dir(meta["uid"])
        try:
            self._placed = await volumes.place(pod, folder, inputs, claim, stamp=context.stamp())
        except (ConfigError, OSError) as error:
            context.event(pod, "Warning", "FailedMount", str(error))
            raise Held(CREATING, RETRY_SECONDS) from error
        self._placed_for = stand

    async def _claim(self, namespace: str, name: str) -> Object:
        """The volume that a claim is bound to. Raises Missing while there is none."""
        client = self._context.client
        try:
            claim = await client.get(kinds.of("v1", "PersistentVolumeClaim"), name, namespace)
            bound = (claim.get("spec") or {}).get("volumeName")
            if not bound or (claim.get("status") or {}).get("phase") != "Bound":
                raise payload.Missing(f'persistentvolumeclaim "{name}" is not bound')
            return await client.get(kinds.of("v1", "PersistentVolume"), bound)
        except ApiError as error:
            if error.code != 404:
                raise
            raise payload.Missing(error.message) from error


def _shows_address(pod: Object) -> bool:
    """Whether a volume shows the pod's address."""
    for volume in pod["spec"].get("volumes") or ():
        items = list((volume.get("downwardAPI") or {}).get("items") or ())
        for source in (volume.get("projected") or {}).get("sources") or ():
            items += (source.get("downwardAPI") or {}).get("items") or ()
        if any("IP" in (item.get("fieldRef") or {}).get("fieldPath", "") for item in items):
            return True
    return False


def _own_hosts() -> str:
    try:
        return Path("/etc/hosts").read_text()
    except OSError:
        return "127.0.0.1\tlocalhost\n"
