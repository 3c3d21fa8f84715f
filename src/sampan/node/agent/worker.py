"""One pod: a task that brings what runs in line with what the API says, until the pod is gone.

Each turn looks at the runtime, asks `plan`, carries it out and reports. It is woken by changes of the pod, events of the
runtime, probes, config maps and secrets, and by time; a turn may be repeated at any point (level based).
Order and edge cases: pkg/kubelet/pod_workers.go, kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio import Backoff
from sampan.node.agent import ending, plan, probes, references, starting, status, tokens, translate
from sampan.node.agent.context import Context
from sampan.node.agent.environment import ConfigError, field, resource_field
from sampan.node.agent.images import Held
from sampan.node.agent.logs import last_lines
from sampan.node.agent.plan import Look, Probed, Waiting
from sampan.node.agent.reporter import Reporter
from sampan.node.agent.volumes import payload, volumes
from sampan.spec import cri

log = logging.getLogger(__name__)

MESSAGE_LIMIT = 4096
RETRY_SECONDS = 2.0
EARLY_REPORT_SECONDS = 0.3

Object = Mapping[str, Any]
T = TypeVar("T")


class Worker:
    """`run` is the task. `update` gives the newest pod, `remove` says that the API has it no more, `wake` asks for a turn."""

    def __init__(self, context: Context, pod: Object) -> None:
        self._context = context
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self._wake = asyncio.Event()
        self._wake.set()
        self._removed = False
        self._hurry = asyncio.Event()
        self._to_end = asyncio.Event()
        self._delays: dict[str, plan.Delay] = {}
        self._held: dict[str, Waiting] = {}
        self._watched: dict[str, probes.Watched] = {}
        self._messages: dict[str, str] = {}
        self._placed: dict[str, volumes.Placed] = {}
        self._placed_for: object = None
        self._failed: tuple[str, str] | None = None
        self._reporter = Reporter(context.client, pod, context.clock)
        self._reporting = context.tasks.spawn(f"status/{self.uid}", self._reporter.run())
        self.look = Look()

    # -- from outside

    def update(self, pod: Object) -> None:
        before = _grace(self.pod) if self._ending else None
        self.pod = pod
        if before is not None and _grace(pod) < before:
            self._hurry.set()
        self.wake()

    def remove(self) -> None:
        self._removed = True
        self._hurry.set()
        self.wake()

    def wake(self) -> None:
        if self._ending:
            self._to_end.set()
        self._wake.set()

    @property
    def _ending(self) -> bool:
        return self._removed or bool(self.pod["metadata"].get("deletionTimestamp"))

    @property
    def name(self) -> str:
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"

    # -- the task

    async def run(self) -> None:
        backoff = Backoff(first=0.2, cap=10.0)
        timer: float | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timer)
            self._wake.clear()
            try:
                if self._ending:
                    await self._end()
                    return
                timer = await self._turn()
                backoff.reset()
            except (cri.Error, ApiError, OSError, TimeoutError) as error:
                timer = backoff.next()
                log.warning(
                    "pod %s: %s, tries again in %.1f s", self.name, error or type(error).__name__, timer
                )

    async def _turn(self) -> float | None:
        """One pass; seconds until the next without a cause, None to wait for one."""
        context, pod = self._context, self.pod
        phase = (pod.get("status") or {}).get("phase")
        self.look = await self._inspect()
        if phase in ("Succeeded", "Failed") and not (self.look.sandbox and self.look.ready):
            return None
        if self._overdue():
            self._failed = (
                "DeadlineExceeded",
                "Pod was active on the node longer than the specified deadline",
            )
        wanted = self._plan()
        if wanted.stop or self._failed:
            await ending.everything(context, pod, self.look, grace=_own_grace(pod), pod_ip=self._pod_ip)
            self._stop_probes()
            self.look = await self._inspect()
            self._report({})
            return None
        self._held = {}
        # A pod that starts at once is reported once; one that takes longer is shown as it waits.
        early = asyncio.get_running_loop().call_later(EARLY_REPORT_SECONDS, self._report, {})
        try:
            return await self._carry_out(wanted)
        finally:
            early.cancel()

    async def _carry_out(self, wanted: plan.Plan) -> float | None:
        context, pod = self._context, self.pod
        wake = wanted.wake_after
        for kill in wanted.kill:
            await self._kill(kill)
        if wanted.kill:
            self.look = await self._inspect()
            wanted = self._plan()
        try:
            around = await self._surroundings(wanted)
            if wanted.create is not None:
                wanted = self._plan()
        except Held as held:
            self._report({})
            return held.wake_after
        for item in wanted.start:
            wake = _sooner(wake, await self._start(item, around))
        if wanted.start:
            self.look = await self._inspect()
            await self._sweep()
        self._watch()
        self._report(dict(wanted.waiting))
        wake = _sooner(wake, context.tokens.renew_after(pod))
        return _sooner(wake, self._deadline_after())

    def _plan(self) -> plan.Plan:
        failed = {identity: w.failed for identity, w in self._watched.items() if w.failed}
        started = frozenset(identity for identity, w in self._watched.items() if w.started)
        return plan.compute(
            self.pod, self.look, Probed(failed, started), self._delays.get, self._context.clock.now()
        )

    # -- looking

    async def _inspect(self) -> Look:
        runtime = self._context.runtime
        chosen = {translate.POD_UID: self.uid}
        sandboxes = await runtime.list_pod_sandbox(cri.PodSandboxFilter(label_selector=chosen))
        newest = max(sandboxes, key=lambda s: (s.metadata.attempt, s.created_at), default=None)
        sandbox = await runtime.pod_sandbox_status(newest.id) if newest else None
        found: dict[str, list[cri.ContainerStatus]] = {}
        for container in await runtime.list_containers(cri.ContainerFilter(label_selector=chosen)):
            try:
                known = await runtime.container_status(container.id)
            except cri.Error as error:
                if error.code != "NotFound":
                    raise
                continue
            found.setdefault(container.metadata.name, []).append(known)
        for history in found.values():
            history.sort(key=lambda s: (s.metadata.attempt, s.created_at), reverse=True)
        return Look(sandbox, {name: tuple(history) for name, history in found.items()})

    @property
    def _pod_ip(self) -> str:
        ips = self._ips
        return ips[0] if ips else ""

    @property
    def _ips(self) -> tuple[str, ...]:
        host = bool(self.pod["spec"].get("hostNetwork"))
        return status.pod_ips(self.look, self._context.config.addresses, host_network=host)

    # -- what containers need

    async def _surroundings(self, wanted: plan.Plan) -> starting.Surroundings:
        """Volumes, sandbox and data, made or refreshed. Raises Held."""
        context, pod = self._context, self.pod
        refs = references.of_pod(pod)
        context.references.hold(self.uid, refs)
        objects = {(ref.kind, ref.name): await context.references.get(ref) for ref in sorted(refs)}
        folder = context.config.pod_dir(self.uid)
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        data = {pair: references.decoded(obj) for pair, obj in objects.items()}
        sandbox = self._sandbox_config(wanted)
        if wanted.create is not None:
            await self._place(objects, data, before_network=True)
            await self._create_sandbox(sandbox)
        await self._place(objects, data, before_network=False)
        hosts = starting.hosts_file(
            pod, self._ips, translate.domain_name(pod, context.config.cluster_domain), _own_hosts()
        )
        target = folder / "etc-hosts"
        if not target.exists() or target.read_text() != hosts:
            target.write_text(hosts)
            target.chmod(0o644)
        if self.look.sandbox is None:
            raise Held(Waiting("ContainerCreating", ""), RETRY_SECONDS)
        secrets = [objects.get(("Secret", s["name"])) for s in pod["spec"].get("imagePullSecrets") or ()]
        return starting.Surroundings(
            self.look.sandbox.id, sandbox, self._ips, self._placed, data, tuple(s for s in secrets if s)
        )

    def _sandbox_config(self, wanted: plan.Plan) -> cri.PodSandboxConfig:
        config, meta = self._context.config, self.pod["metadata"]
        known = self.look.sandbox
        attempt = wanted.create if wanted.create is not None else (known.metadata.attempt if known else 0)
        return translate.sandbox(
            self.pod,
            attempt=attempt,
            log_directory=config.log_dir(meta["namespace"], meta["name"], self.uid),
            cgroup_root=config.cgroup_root,
            resolv=translate.dns(
                self.pod,
                cluster_dns=config.cluster_dns,
                domain=config.cluster_domain,
                host=self._context.resolv,
            ),
        )

    async def _create_sandbox(self, config: cri.PodSandboxConfig) -> None:
        context = self._context
        if self.look.sandbox is not None:
            await context.runtime.stop_pod_sandbox(self.look.sandbox.id)
        try:
            await context.runtime.run_pod_sandbox(config)
        except cri.Error as error:
            if error.code != "AlreadyExists":
                context.event(
                    self.pod,
                    "Warning",
                    "FailedCreatePodSandBox",
                    f"Failed to create pod sandbox: {error.message}",
                )
                raise Held(Waiting("ContainerCreating", ""), RETRY_SECONDS) from error
        self.look = await self._inspect()

    async def _place(
        self,
        objects: Mapping[tuple[str, str], Object | None],
        data: Mapping[tuple[str, str], Mapping[str, bytes] | None],
        *,
        before_network: bool,
    ) -> None:
        """Puts volumes in place. Those that show the pod's address are written again once there is one."""
        context, pod = self._context, self.pod
        if before_network and _uses_pod_ip(pod):
            return
        given = await context.tokens.gather(pod)
        versions = tuple(
            (pair, (obj or {}).get("metadata", {}).get("resourceVersion"))
            for pair, obj in sorted(objects.items())
        )
        meta = pod["metadata"]
        stand = (
            versions,
            given,
            meta.get("labels"),
            meta.get("annotations"),
            self._ips if _uses_pod_ip(pod) else (),
        )
        if stand == self._placed_for:
            return
        inputs = payload.Inputs(
            data=lambda kind, name: data.get((kind, name)),
            field=lambda path: field(pod, path, pod_ips=self._ips, host_ips=context.config.addresses),
            resource=lambda ref: resource_field(
                pod, {}, ref, {"cpu": context.machine.cpus * 1000, "memory": context.machine.memory}
            ),
            token=lambda source: given[tokens.key(pod, source)].encode(),
        )
        folder = context.config.pod_dir(self.uid)
        try:
            self._placed = await volumes.place(pod, folder, inputs, self._claim, stamp=context.stamp())
        except (ConfigError, OSError) as error:
            context.event(pod, "Warning", "FailedMount", str(error))
            raise Held(Waiting("ContainerCreating", ""), RETRY_SECONDS) from error
        self._placed_for = stand

    async def _claim(self, name: str) -> Object:
        client, namespace = self._context.client, self.pod["metadata"]["namespace"]
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

    # -- containers

    async def _start(self, item: plan.Start, around: starting.Surroundings) -> float | None:
        """Starts one container; seconds until the next try when it is held back."""
        spec = self._spec_of(item.name)
        context, pod = self._context, self.pod

        def event(kind: str, reason: str, message: str) -> None:
            context.event(pod, kind, reason, message)

        attempt = self._attempt(item)
        try:
            image = await self._unless_ending(
                context.puller.ensure(self.uid, spec, around.pull_secrets, event)
            )
            await starting.start(context, pod, spec, attempt, around, image)
        except Held as held:
            self._held[item.name] = held.waiting
            if held.waiting.reason == "RunContainerError":
                self._lengthen(item.name)
            return held.wake_after
        if item.attempt:
            self._lengthen(item.name)
        return None

    def _attempt(self, item: plan.Start) -> int:
        """The number of this start; it goes on from what the API says when the runtime has forgotten (a reboot)."""
        if self.look.newest(item.name) is not None:
            return item.attempt
        known = self.pod.get("status") or {}
        for group in ("containerStatuses", "initContainerStatuses"):
            for shown in known.get(group) or ():
                if shown["name"] == item.name and shown.get("containerID"):
                    return int(shown.get("restartCount") or 0) + 1
        return item.attempt

    def _lengthen(self, name: str) -> None:
        """One more start of this container: the next one waits longer."""
        self._delays[name] = plan.next_delay(self._delays.get(name), self._context.clock.now())

    async def _unless_ending(self, work: Coroutine[Any, Any, T]) -> T:
        """What may take minutes (a pull) is given up when the pod is to end. Raises Held then."""
        task = asyncio.get_running_loop().create_task(work, name=f"pull/{self.uid}")
        stop = asyncio.get_running_loop().create_task(self._to_end.wait(), name=f"end/{self.uid}")
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Held(Waiting("ContainerCreating", ""))
            return task.result()
        finally:
            for one in (task, stop):
                one.cancel()

    def _spec_of(self, name: str) -> Object:
        spec = self.pod["spec"]
        for group in ("containers", "initContainers", "ephemeralContainers"):
            for container in spec.get(group) or ():
                if container["name"] == name:
                    found: Object = container
                    return found
        raise KeyError(name)

    async def _kill(self, kill: plan.Kill) -> None:
        found = next((s for s in self.look.containers[kill.name] if s.id == kill.id), None)
        if watched := self._watched.pop(kill.id, None):
            watched.stop()
        if found is not None:
            await ending.container(
                self._context,
                self.pod,
                found,
                grace=_own_grace(self.pod),
                pod_ip=self._pod_ip,
                message=kill.message,
            )

    async def _sweep(self) -> None:
        """Keeps the last two of each container (logs --previous), and the sandboxes that these lie in."""
        runtime = self._context.runtime
        for history in self.look.containers.values():
            for old in history[2:]:
                self._messages.pop(old.id, None)
                await runtime.remove_container(old.id)
        kept = {
            container.pod_sandbox_id
            for container in await runtime.list_containers(
                cri.ContainerFilter(label_selector={translate.POD_UID: self.uid})
            )
        }
        newest = self.look.sandbox.id if self.look.sandbox else ""
        chosen = cri.PodSandboxFilter(label_selector={translate.POD_UID: self.uid})
        for sandbox in await runtime.list_pod_sandbox(chosen):
            if sandbox.id != newest and sandbox.id not in kept:
                await runtime.remove_pod_sandbox(sandbox.id)

    # -- probes

    def _watch(self) -> None:
        """Probes for what runs; what ran and does no more is watched no more."""
        alive: set[str] = set()
        shown = {
            s.get("containerID", "").removeprefix(status.ID_SCHEME): s
            for group in ("containerStatuses", "initContainerStatuses")
            for s in (self.pod.get("status") or {}).get(group) or ()
        }
        for name, history in self.look.containers.items():
            newest = history[0]
            if newest.state != cri.ContainerState.CONTAINER_RUNNING:
                continue
            alive.add(newest.id)
            if newest.id in self._watched:
                continue
            spec = self._spec_of(name)
            watched = self._watched[newest.id] = probes.Watched(
                spec,
                probes.Target(newest.id, self._pod_ip, probes.named_ports(spec)),
                self._context.prober.probe,
                clock=self._context.clock,
                tasks=self._context.tasks,
                changed=self.wake,
                event=lambda kind, reason, message: self._context.event(self.pod, kind, reason, message),
            )
            if before := shown.get(
                newest.id
            ):  # the agent came back: what was ready stays so until a probe says no
                watched.resume(started=bool(before.get("started")), ready=bool(before.get("ready")))
        for identity in [identity for identity in self._watched if identity not in alive]:
            self._watched.pop(identity).stop()

    def _stop_probes(self) -> None:
        for watched in self._watched.values():
            watched.stop()
        self._watched.clear()

    # -- reporting

    def _report(self, waiting: dict[str, Waiting]) -> None:
        waiting.update(self._held)
        self._read_messages()
        view = status.View(
            now=datetime.fromtimestamp(self._context.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            host_ips=self._context.config.addresses,
            waiting=waiting,
            ready=frozenset(identity for identity, w in self._watched.items() if w.ready),
            started=frozenset(identity for identity, w in self._watched.items() if w.started),
            messages=self._messages,
            failed=self._failed,
        )
        self._reporter.offer(status.compute(self.pod, self.look, view))

    def _read_messages(self) -> None:
        """Termination messages of containers that have ended, read once each."""
        for name, history in self.look.containers.items():
            for ended in history[:2]:
                if ended.state != cri.ContainerState.CONTAINER_EXITED or ended.id in self._messages:
                    continue
                spec = self._spec_of(name)
                path = starting.message_file(self._context, self.pod, name, ended.metadata.attempt)
                text = ""
                with contextlib.suppress(OSError), path.open("rb") as file:
                    text = file.read(MESSAGE_LIMIT).decode(errors="replace")
                if (
                    not text
                    and ended.exit_code
                    and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
                ):
                    text = last_lines(self._log_path(name, ended.metadata.attempt))
                self._messages[ended.id] = text

    def _log_path(self, name: str, attempt: int) -> Any:
        meta = self.pod["metadata"]
        return (
            self._context.config.log_dir(meta["namespace"], meta["name"], self.uid) / name / f"{attempt}.log"
        )

    # -- time

    def _deadline_after(self) -> float | None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        began = (self.pod.get("status") or {}).get("startTime")
        if seconds is None or not began:
            return None
        start = datetime.fromisoformat(began.replace("Z", "+00:00")).timestamp()
        return max(0.0, start + float(seconds) - self._context.clock.now())

    def _overdue(self) -> bool:
        return self._deadline_after() == 0.0

    # -- the end

    async def _end(self) -> None:
        """Ends what runs within its grace, reports it, and lets the API forget the pod. Repeats what fails."""
        context = self._context
        backoff = Backoff(first=0.2, cap=10.0)
        while True:
            try:
                self.look = await self._inspect()
                await self._end_containers()
                break
            except cri.Error as error:
                delay = backoff.next()
                log.warning("ending pod %s: %s, tries again in %.1f s", self.name, error.message, delay)
                await context.clock.sleep(delay)
        self._stop_probes()
        if not self._removed:
            self.look = await self._inspect()
            self._report({})
            await self._settled()
        await self._clean()
        if not self._removed and not self._reporter.gone:
            await self._forget()
        self._reporting.cancel()

    async def _end_containers(self) -> None:
        """As `ending.everything`; when the grace is cut short meanwhile, again with the shorter one."""
        while True:
            self._hurry.clear()
            grace = 1.0 if self._removed else _grace(self.pod)
            work = asyncio.ensure_future(  # noqa: TID251 (awaited here, never left alone)
                ending.everything(self._context, self.pod, self.look, grace=grace, pod_ip=self._pod_ip)
            )
            hurry = asyncio.ensure_future(self._hurry.wait())  # noqa: TID251
            try:
                await asyncio.wait((work, hurry), return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
                    return
            finally:
                hurry.cancel()
                if not work.done():
                    work.cancel()
                    with contextlib.suppress(asyncio.CancelledError, cri.Error):
                        await work

    async def _settled(self) -> None:
        gone = asyncio.ensure_future(self._hurry.wait())  # noqa: TID251
        sent = asyncio.ensure_future(self._reporter.settled())  # noqa: TID251
        await asyncio.wait((gone, sent), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        sent.cancel()

    async def _clean(self) -> None:
        context = self._context
        chosen = {translate.POD_UID: self.uid}
        for sandbox in await context.runtime.list_pod_sandbox(cri.PodSandboxFilter(label_selector=chosen)):
            await context.runtime.remove_pod_sandbox(sandbox.id)
        context.references.hold(self.uid, frozenset())
        context.tokens.forget(self.uid)
        context.puller.forget(self.uid)
        volumes.remove(context.config.pod_dir(self.uid))
        meta = self.pod["metadata"]
        volumes.remove(context.config.log_dir(meta["namespace"], meta["name"], self.uid))

    async def _forget(self) -> None:
        """The last word: the API removes the pod, if it is still the same one."""
        meta = self.pod["metadata"]
        backoff = Backoff(first=0.1, cap=10.0)
        while not self._removed:
            try:
                await self._context.client.delete(
                    kinds.of("v1", "Pod"),
                    meta["name"],
                    meta["namespace"],
                    grace_period=0,
                    preconditions={"uid": self.uid},
                )
                return
            except ApiError as error:
                if error.code in (404, 409):
                    return
                delay = backoff.next()
                log.warning(
                    "removing pod %s from the API: %s, tries again in %.1f s", self.name, error, delay
                )
                await self._context.clock.sleep(delay)


def _grace(pod: Object) -> float:
    """Seconds for a pod that is being deleted."""
    given = pod["metadata"].get("deletionGracePeriodSeconds")
    return float(given) if given is not None else _own_grace(pod)


def _own_grace(pod: Object) -> float:
    given = pod["spec"].get("terminationGracePeriodSeconds")
    return 30.0 if given is None else float(given)


def _sooner(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _uses_pod_ip(pod: Object) -> bool:
    """Whether a volume shows the pod's address, so that it can be written only after the network is there."""
    for volume in pod["spec"].get("volumes") or ():
        items = list((volume.get("downwardAPI") or {}).get("items") or ())
        for source in (volume.get("projected") or {}).get("sources") or ():
            items += (source.get("downwardAPI") or {}).get("items") or ()
        if any("IP" in (item.get("fieldRef") or {}).get("fieldPath", "") for item in items):
            return True
    return False


def _own_hosts() -> str:
    from pathlib import Path

    try:
        return Path("/etc/hosts").read_text()
    except OSError:
        return "127.0.0.1\tlocalhost\n"
