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
from sampan.node.agent import ending, observing, plan, starting, status, translate
from sampan.node.agent.context import Context
from sampan.node.agent.images import Held
from sampan.node.agent.plan import Look, Waiting
from sampan.node.agent.preparing import Preparation
from sampan.node.agent.reporter import Reporter
from sampan.node.agent.volumes import volumes
from sampan.node.agent.watching import Messages, Watches
from sampan.spec import cri

log = logging.getLogger(__name__)

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
        self._watches = Watches(context, self.wake)
        self._messages = Messages(context)
        self._preparation = Preparation(context)
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
        self.look = await observing.observe(context.runtime, self.uid)
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
            self._watches.stop()
            self.look = await observing.observe(context.runtime, self.uid)
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
            self.look = await observing.observe(context.runtime, self.uid)
            wanted = self._plan()
        try:
            around, self.look = await self._preparation.prepare(pod, self.look, wanted.create)
            if wanted.create is not None:
                wanted = self._plan()
        except Held as held:
            self._report({})
            return held.wake_after
        for item in wanted.start:
            wake = _sooner(wake, await self._start(item, around))
        if wanted.start:
            self.look = await observing.observe(context.runtime, self.uid)
            await observing.sweep(context.runtime, self.uid, self.look)
        self._watches.update(pod, self.look, self._pod_ip)
        self._report(dict(wanted.waiting))
        wake = _sooner(wake, context.tokens.renew_after(pod))
        return _sooner(wake, self._deadline_after())

    def _plan(self) -> plan.Plan:
        return plan.compute(
            self.pod, self.look, self._watches.probed, self._delays.get, self._context.clock.now()
        )

    @property
    def _pod_ip(self) -> str:
        ips = self._ips
        return ips[0] if ips else ""

    @property
    def _ips(self) -> tuple[str, ...]:
        host = bool(self.pod["spec"].get("hostNetwork"))
        return status.pod_ips(self.look, self._context.config.addresses, host_network=host)

    # -- containers

    async def _start(self, item: plan.Start, around: starting.Surroundings) -> float | None:
        """Starts one container; seconds until the next try when it is held back."""
        spec = translate.container_spec(self.pod, item.name)
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

    async def _kill(self, kill: plan.Kill) -> None:
        found = next((s for s in self.look.containers[kill.name] if s.id == kill.id), None)
        self._watches.drop(kill.id)
        if found is not None:
            await ending.container(
                self._context,
                self.pod,
                found,
                grace=_own_grace(self.pod),
                pod_ip=self._pod_ip,
                message=kill.message,
            )

    # -- reporting

    def _report(self, waiting: dict[str, Waiting]) -> None:
        waiting.update(self._held)
        view = status.View(
            now=datetime.fromtimestamp(self._context.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            host_ips=self._context.config.addresses,
            waiting=waiting,
            ready=self._watches.ready,
            started=self._watches.started,
            messages=self._messages.of(self.pod, self.look),
            failed=self._failed,
        )
        self._reporter.offer(status.compute(self.pod, self.look, view))

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
                self.look = await observing.observe(context.runtime, self.uid)
                await self._end_containers()
                break
            except cri.Error as error:
                delay = backoff.next()
                log.warning("ending pod %s: %s, tries again in %.1f s", self.name, error.message, delay)
                await context.clock.sleep(delay)
        self._watches.stop()
        if not self._removed:
            self.look = await observing.observe(context.runtime, self.uid)
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
            work = asyncio.get_running_loop().create_task(
                ending.everything(self._context, self.pod, self.look, grace=grace, pod_ip=self._pod_ip)
            )
            hurry = asyncio.get_running_loop().create_task(self._hurry.wait())
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
        gone = asyncio.get_running_loop().create_task(self._hurry.wait())
        sent = asyncio.get_running_loop().create_task(self._reporter.settled())
        await asyncio.wait((gone, sent), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        sent.cancel()

    async def _clean(self) -> None:
        context = self._context
        await observing.remove(context.runtime, self.uid)
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
