"""What to do next for a pod. Pure: a stateless function of the pod, what the runtime has, and the probes.

Rules: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions), kuberuntime_container.go (sidecars),
pkg/kubelet/container/helpers.go (ShouldContainerBeRestarted), client-go util/flowcontrol/backoff.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sampan.node.agent.translate import HASH, spec_hash
from sampan.spec import cri

BACKOFF_FIRST = 10.0
BACKOFF_LAST = 300.0
BACKOFF_FORGET = 600.0
"""Seconds of quiet after which a container's back-off starts over."""

Object = Mapping[str, Any]


class Look(NamedTuple):
    """What the runtime has for a pod: its newest sandbox, and its containers by name, newest first."""

    sandbox: cri.PodSandboxStatus | None = None
    containers: Mapping[str, tuple[cri.ContainerStatus, ...]] = {}

    def newest(self, name: str) -> cri.ContainerStatus | None:
        found = self.containers.get(name)
        return found[0] if found else None

    @property
    def ready(self) -> bool:
        return self.sandbox is not None and self.sandbox.state == cri.PodSandboxState.SANDBOX_READY


class Probed(NamedTuple):
    """What the probes say: container id -> why it has to be restarted; ids that have started (startup probe passed)."""

    failed: Mapping[str, str] = {}
    started: frozenset[str] = frozenset()


class Delay(NamedTuple):
    """A container's back-off: the pause in force, and when it was last made longer."""

    seconds: float
    since: float


class Start(NamedTuple):
    name: str
    attempt: int


class Kill(NamedTuple):
    """`reason` is the event's, such as Unhealthy or Killing."""

    name: str
    id: str
    message: str


class Waiting(NamedTuple):
    reason: str
    message: str


class Plan(NamedTuple):
    """`stop` ends the whole pod (its containers are done); `create` is the attempt of a new sandbox, None to keep it.

    `waiting` names containers that are held back and why; `wake_after` is when the plan may look different by time alone.
    """

    stop: bool = False
    create: int | None = None
    start: tuple[Start, ...] = ()
    kill: tuple[Kill, ...] = ()
    waiting: Mapping[str, Waiting] = {}
    wake_after: float | None = None


def next_delay(delay: Delay | None, now: float) -> Delay:
    """The back-off after one more restart at `now`."""
    if delay is None or now - delay.since > BACKOFF_FORGET:
        return Delay(BACKOFF_FIRST, now)
    return Delay(min(delay.seconds * 2, BACKOFF_LAST), now)


def is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def should_restart(policy: str, status: cri.ContainerStatus | None) -> bool:
    """Whether a regular container that does not run is to be (re)started under the pod's restart policy."""
    if status is None or status.state == cri.ContainerState.CONTAINER_CREATED:
        return True
    if status.state == cri.ContainerState.CONTAINER_RUNNING:
        return False
    if policy == "Never":
        return status.state == cri.ContainerState.CONTAINER_UNKNOWN
    return policy == "Always" or status.exit_code != 0 or status.state == cri.ContainerState.CONTAINER_UNKNOWN


class _Planner:
    def __init__(
        self, pod: Object, look: Look, probed: Probed, delay: Callable[[str], Delay | None], now: float
    ) -> None:
        self.pod = pod
        self.spec = pod["spec"]
        self.policy = self.spec.get("restartPolicy", "Always")
        self.look = look
        self.probed = probed
        self.delay = delay
        self.now = now
        self.start: list[Start] = []
        self.kill: list[Kill] = []
        self.waiting: dict[str, Waiting] = {}
        self.wake: float | None = None

    def plan(self) -> Plan:
        if not self.look.ready:
            return self._anew()
        initialized, failed = self._init()
        if failed:
            return Plan(stop=True)
        if initialized:
            self._regular()
        else:
            self._check_running(self.spec.get("containers") or ())
        self._ephemeral()
        if initialized and self._all_done():
            return Plan(stop=True)
        return Plan(
            start=tuple(self.start),
            kill=tuple(self.kill),
            waiting=self.waiting,
            wake_after=self.wake,
        )

    def _anew(self) -> Plan:
        """There is no usable sandbox: everything that is to run starts again in a new one."""
        known = self.look.sandbox
        if known is not None:
            again = [
                c
                for c in self.spec.get("containers") or ()
                if should_restart(self.policy, self._ended(c["name"]))
            ]
            if (self.policy == "Never" and self.look.containers) or not again:
                return Plan(stop=True)
        return Plan(create=known.metadata.attempt + 1 if known else 0)

    def _ended(self, name: str) -> cri.ContainerStatus | None:
        """A container of a sandbox that is gone does not run, whatever its last known state was."""
        status = self.look.newest(name)
        if status is not None and status.state == cri.ContainerState.CONTAINER_RUNNING:
            return status._replace(state=cri.ContainerState.CONTAINER_UNKNOWN)
        return status

    def _init(self) -> tuple[bool, bool]:
        """Walks the init containers in order: (all done, the pod has failed)."""
        begun = any(self.look.newest(c["name"]) for c in self.spec.get("containers") or ())
        for container in self.spec.get("initContainers") or ():
            status = self.look.newest(container["name"])
            if is_sidecar(container):
                self._keep(container, status, policy="Always")
                if not begun and (status is None or status.id not in self.probed.started):
                    return False, False
                continue
            if begun:
                continue
            if status is not None and status.state == cri.ContainerState.CONTAINER_EXITED:
                if status.exit_code == 0:
                    continue
                if self.policy == "Never":
                    return False, True
            policy = "OnFailure" if self.policy != "Never" else "Never"
            self._keep(container, status, policy=policy)
            return False, False
        return True, False

    def _regular(self) -> None:
        for container in self.spec.get("containers") or ():
            self._keep(container, self.look.newest(container["name"]), policy=self.policy)

    def _keep(self, container: Object, status: cri.ContainerStatus | None, *, policy: str) -> None:
        """Keeps one container as it should be: starts it, holds it back, or kills it to start it anew."""
        if status is not None and status.state == cri.ContainerState.CONTAINER_RUNNING:
            self._check(container, status)
        elif should_restart(policy, status):
            self._start_or_wait(container["name"], status)

    def _check_running(self, containers: tuple[Object, ...]) -> None:
        for container in containers:
            status = self.look.newest(container["name"])
            if status is not None and status.state == cri.ContainerState.CONTAINER_RUNNING:
                self._check(container, status)

    def _check(self, container: Object, status: cri.ContainerStatus) -> None:
        name = container["name"]
        if status.annotations.get(HASH, "") not in ("", spec_hash(container)):
            self.kill.append(Kill(name, status.id, f"Container {name} definition changed, will be restarted"))
        elif why := self.probed.failed.get(status.id):
            self.kill.append(Kill(name, status.id, f"Container {name} failed {why} probe, will be restarted"))

    def _start_or_wait(self, name: str, status: cri.ContainerStatus | None) -> None:
        if status is None:
            self.start.append(Start(name, 0))
            return
        delay = self.delay(name)
        # One that was made but never started (it could not be, or the agent was killed in between) is replaced as well.
        finished = (status.finished_at or status.created_at) / 1e9
        if (
            delay is not None
            and self.now - delay.since <= BACKOFF_FORGET
            and self.now - finished < delay.seconds
        ):
            left = delay.seconds - (self.now - finished)
            meta = self.pod["metadata"]
            self.waiting[name] = Waiting(
                "CrashLoopBackOff",
                f"back-off {_go_seconds(delay.seconds)} restarting failed container={name} "
                f"pod={meta['name']}_{meta['namespace']}({meta['uid']})",
            )
            self.wake = left if self.wake is None else min(self.wake, left)
            return
        self.start.append(Start(name, status.metadata.attempt + 1))

    def _ephemeral(self) -> None:
        for container in self.spec.get("ephemeralContainers") or ():
            if self.look.newest(container["name"]) is None:
                self.start.append(Start(container["name"], 0))

    def _all_done(self) -> bool:
        for container in self.spec.get("containers") or ():
            status = self.look.newest(container["name"])
            if status is None or status.state != cri.ContainerState.CONTAINER_EXITED:
                return False
            if should_restart(self.policy, status):
                return False
        return True


def _go_seconds(seconds: float) -> str:
    """10 -> 10s, 80 -> 1m20s, 300 -> 5m0s: Go's time.Duration."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def compute(
    pod: Object, look: Look, probed: Probed, delay: Callable[[str], Delay | None], now: float
) -> Plan:
    """The next steps. `delay(container name)` tells the back-off in force, `now` is seconds since 1970."""
    return _Planner(pod, look, probed, delay, now).plan()


def order_of_killing(pod: Object, look: Look) -> Iterator[list[cri.ContainerStatus]]:
    """Groups of running containers that are ended together: the regular ones first, then sidecars, last started first."""
    spec = pod["spec"]
    sidecars = [c["name"] for c in spec.get("initContainers") or () if is_sidecar(c)]

    def alive(name: str) -> list[cri.ContainerStatus]:
        states = (cri.ContainerState.CONTAINER_RUNNING, cri.ContainerState.CONTAINER_CREATED)
        return [s for s in look.containers.get(name, ()) if s.state in states]

    first = [s for name in look.containers if name not in sidecars for s in alive(name)]
    if first:
        yield first
    for name in reversed(sidecars):
        if found := alive(name):
            yield found
