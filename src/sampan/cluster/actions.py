"""up, down, delete and status, without any text for the terminal: the command and the tests call these."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, NamedTuple

from sampan.cluster import build, ranges, reservations, settings, supervisor
from sampan.cluster.settings import Settings, SettingsError

START_SECONDS = 60.0
PORTS = range(6443, 6543)
RESERVE_TRIES = 8

Progress = Callable[[list[Mapping[str, Any]]], None]
"""Called with the components' states whenever one changes."""


class ClusterError(Exception):
    """Something that the user can mend: says what, and how."""


class Sick(ClusterError):
    """A component does not come up. `component` is its name, `lines` the end of its log."""

    def __init__(self, component: str, reason: str, lines: list[str]) -> None:
        super().__init__(f"{component} does not come up: {reason}")
        self.component = component
        self.lines = lines


class Wishes(NamedTuple):
    """What the user asked of `up`; None and "" where nothing was said, then what the cluster has or the default holds."""

    name: str = settings.DEFAULT_NAME
    data_dir: str | None = None
    bind: str = ""
    port: int = 0
    pod_cidr: str = ""
    service_cidr: str = ""
    runtime: str = ""
    node_name: str = ""
    disable: tuple[str, ...] | None = None


class Up(NamedTuple):
    """What `up` did: `fresh` is False when the cluster ran already, `replaced` when another build of ours did."""

    settings: Settings
    seconds: float
    fresh: bool
    replaced: bool
    state: Mapping[str, Any]


def control_path(run: Path) -> Path:
    return run / "control.sock"


@contextlib.contextmanager
def exclusive(data: Path) -> Iterator[None]:
    """One `up`, `down` or `delete` at a time on a data folder. Raises ClusterError when another is at work."""
    settings.make_private(data)
    with (data / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterError(
                f"another sampan command is at work on {data}, try again when it is done"
            ) from None
        yield


# -- up


def up(wishes: Wishes, progress: Progress) -> Up:
    """Brings the cluster up, or finds that it is. Raises ClusterError, SettingsError, NoRange."""
    began = time.monotonic()
    data = settings.folder(wishes.name, wishes.data_dir)
    with exclusive(data):
        known = settings.load(data)
        wanted = _settle(wishes, data, known)
        running = supervisor.ask(control_path(wanted.run_path), "status")
        replaced = False
        if running is not None:
            if running["build"] == build.identifier() and wanted == known:
                state = _wait(wanted, progress)
                return Up(wanted, time.monotonic() - began, False, False, state)
            _stop(wanted.run_path)
            replaced = True
        check_machine(wanted)
        wanted, held = _reserve(wishes, wanted, known)
        try:
            sockets = _listen(wanted)
            held += sockets
            settings.save(wanted)
            _spawn(wanted, sockets, held)
        finally:
            for one in held:
                one.close()
        state = _wait(wanted, progress)
        return Up(wanted, time.monotonic() - began, True, replaced, state)


def _settle(wishes: Wishes, data: Path, known: Settings | None) -> Settings:
    """The settings to run with: what was asked, else what the cluster has, else defaults that are free."""
    runtime = wishes.runtime or (known.runtime if known else ("oci" if settings.is_root() else ""))
    if not runtime:
        raise ClusterError(
            "real pods need root: run it with sudo, or use --runtime simulated (no root, pods become Running by the clock)"
        )
    if runtime not in ("oci", "simulated"):
        raise SettingsError(f"--runtime {runtime!r}: expected oci or simulated")
    disabled = wishes.disable if wishes.disable is not None else (known.disabled if known else ())
    for name in disabled:
        if name not in settings.COMPONENTS_OFF:
            raise SettingsError(f"--disable {name!r}: expected one of {', '.join(settings.COMPONENTS_OFF)}")
    pods, services = _ranges(wishes, known)
    bind = wishes.bind or (known.bind if known else "127.0.0.1")
    port = wishes.port or (known.port if known else _free_port(bind))
    name = wishes.name
    node_name = wishes.node_name or (known.node_name if known else socket.gethostname().split(".")[0].lower())
    advertise = bind if runtime == "simulated" else ranges.nth(ranges.node_cidr(pods), 1)
    return Settings(
        name=name,
        data=str(data),
        run=str(settings.run_home() / name),
        bind=bind,
        advertise=advertise,
        port=port,
        pod_cidrs=(pods,),
        service_cidrs=(services,),
        node_name=node_name,
        runtime=runtime,
        disabled=tuple(sorted(set(disabled))),
    )


def _ranges(wishes: Wishes, known: Settings | None) -> tuple[str, str]:
    if known is not None:
        for given, have, flag in (
            (wishes.pod_cidr, known.pod_cidrs[0], "--pod-cidr"),
            (wishes.service_cidr, known.service_cidrs[0], "--service-cidr"),
        ):
            if given and given != have:
                raise SettingsError(
                    f"{flag} {given!r}: the cluster {known.name!r} was made with {have}; "
                    f"delete it first (sampan delete --name {known.name})"
                )
        return known.pod_cidrs[0], known.service_cidrs[0]
    taken = _taken()
    try:
        if wishes.pod_cidr or wishes.service_cidr:
            default_pods, default_services = _or_default(wishes, taken)
            pods = ranges.parse(wishes.pod_cidr or default_pods, "--pod-cidr")
            services = ranges.parse(wishes.service_cidr or default_services, "--service-cidr")
            if pods.overlaps(services):
                raise SettingsError(f"--pod-cidr {str(pods)!r} overlaps --service-cidr {str(services)!r}")
            for asked, flag in ((pods, "--pod-cidr"), (services, "--service-cidr")):
                if other := ranges.overlaps(asked, taken):
                    raise SettingsError(f"{flag} {str(asked)!r}: {other} is in use on this machine")
            return str(pods), str(services)
        return ranges.pick(taken)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    except ranges.NoRange as error:
        raise ClusterError(str(error)) from error


def _or_default(wishes: Wishes, taken: list[IPv4Network]) -> tuple[str, str]:
    given = [
        ranges.parse(text, flag)
        for text, flag in ((wishes.pod_cidr, "--pod-cidr"), (wishes.service_cidr, "--service-cidr"))
        if text
    ]
    return ranges.pick([*taken, *given])


def _taken() -> list[IPv4Network]:
    """Ranges of other clusters, and of the machine's routes (the default route aside)."""
    found = [
        IPv4Network(cidr) for other in settings.known() for cidr in (*other.pod_cidrs, *other.service_cidrs)
    ]
    found += [IPv4Network(cidr) for cidr in reservations.held()]
    try:
        lines = Path("/proc/net/route").read_text().splitlines()[1:]
    except OSError:
        return found
    for line in lines:
        fields = line.split()
        destination = int.from_bytes(bytes.fromhex(fields[1])[::-1], "big")
        mask = int.from_bytes(bytes.fromhex(fields[7])[::-1], "big")
        if mask:
            found.append(IPv4Network((destination, mask.bit_count())))
    return found


def _free_port(bind: str) -> int:
    reserved = {other.port for other in settings.known()}
    for port in PORTS:
        if port in reserved:
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bind, port))
            return port
    raise ClusterError(
        f"no free port for the API between {PORTS.start} and {PORTS.stop - 1}: name one with --api-port"
    )


def check_machine(wanted: Settings) -> None:
    """What has to be there before anything is started. Raises ClusterError."""
    if not wanted.simulated:
        if not settings.is_root():
            raise ClusterError("real pods need root: run it with sudo, or use --runtime simulated")
        if sys.platform != "linux":
            raise ClusterError(f"real pods need Linux, this is {sys.platform}: use --runtime simulated")
        if wanted.on("node") and not (shutil.which("crun") or shutil.which("runc")):
            raise ClusterError(
                "no OCI runtime found: install crun or runc (apt-get install crun), or use --runtime simulated"
            )


def _listen(wanted: Settings) -> list[socket.socket]:
    """The API's listening sockets, opened here so that a port that is taken is told by the command, and handed on open.

    Pods reach the API on the pod bridge's address, which need not be there yet. Raises ClusterError.
    """
    places = [(wanted.bind, False)]
    if not wanted.simulated and wanted.bind not in ("0.0.0.0", "::", wanted.advertise):  # noqa: S104 (compared)
        places.append((wanted.advertise, True))
    opened: list[socket.socket] = []
    for host, anywhere in places:
        try:
            opened.append(supervisor.listen_tcp(host, wanted.port, anywhere=anywhere))
        except OSError as error:
            for one in opened:
                one.close()
            if error.errno == errno.EADDRINUSE:
                why = f"port {wanted.port} is taken by another program: choose one with --api-port"
            else:
                why = f"cannot listen on {host}:{wanted.port}: {error.strerror}"
            raise ClusterError(why) from error
    return opened


def _reserve(
    wishes: Wishes, wanted: Settings, known: Settings | None
) -> tuple[Settings, list[socket.socket]]:
    """Holds the cluster's ranges for as long as it runs; a new cluster whose ranges were taken meanwhile gets others.

    Two clusters with the same ranges would answer each other's packets. Raises ClusterError.
    """
    if wanted.simulated:
        return wanted, []
    for _ in range(RESERVE_TRIES):
        cidrs = (*wanted.pod_cidrs, *wanted.service_cidrs)
        if (held := reservations.hold(cidrs)) is not None:
            return wanted, held
        if known is not None or wishes.pod_cidr or wishes.service_cidr:
            raise ClusterError(f"the ranges {', '.join(cidrs)} are in use by another cluster on this machine")
        wanted = _settle(wishes, wanted.data_path, None)._replace(port=wanted.port)
    raise ClusterError("no free address range: other clusters are being started, try again")


def _spawn(wanted: Settings, sockets: list[socket.socket], held: list[socket.socket]) -> None:
    """Starts the supervisor in a session of its own and waits until its control socket listens.

    `sockets` are the API's; `held` is everything that it keeps open.
    """
    settings.make_private(wanted.run_path)
    log = wanted.data_path / "log"
    log.mkdir(mode=0o700, exist_ok=True)
    reader, writer = os.pipe()
    inherited = [one.fileno() for one in sockets]
    with (log / "supervisor.log").open("a") as output:
        os.fchmod(output.fileno(), 0o600)
        process = subprocess.Popen(
            [sys.executable, "-m", "sampan.cluster.main", wanted.data, str(writer), *map(str, inherited)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writer, *(one.fileno() for one in held)),
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read(1)
    if not said:
        process.wait(timeout=START_SECONDS)
        from sampan.cluster.journal import tail

        raise Sick(
            "supervisor", f"it ended with exit code {process.returncode}", tail(log / "supervisor.log", 8)
        )


def _environment() -> dict[str, str]:
    """What the cluster's processes see of the caller's environment: paths and locale, nothing secret."""
    kept = (
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "HOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    )
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    found = {name: os.environ[name] for name in (*kept, *proxies) if name in os.environ}
    if "PYTHONPATH" in found:  # our processes start elsewhere, relative entries would be lost
        found["PYTHONPATH"] = os.pathsep.join(
            str(Path(p).absolute()) for p in found["PYTHONPATH"].split(os.pathsep)
        )
    return found


def _wait(wanted: Settings, progress: Progress) -> Mapping[str, Any]:
    """Until every component runs. Raises Sick for one that keeps failing."""
    from sampan.cluster.journal import tail

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(START_SECONDS)
    deadline = time.monotonic() + START_SECONDS
    failures: dict[str, int] = {}
    with connection:
        connection.connect(str(control_path(wanted.run_path)))
        connection.sendall(b"watch\n")
        state: Mapping[str, Any] = {}
        with connection.makefile("rb") as reader:
            try:
                for line in reader:
                    state = json.loads(line)
                    progress(state["components"])
                    if all(c["state"] == "running" for c in state["components"]):
                        return state
                    for component in state["components"]:
                        name = component["name"]
                        if component["state"] == "failed":
                            failures[name] = failures.get(name, 0) + 1
                            if failures[name] >= 8 or time.monotonic() > deadline:
                                lines = tail(wanted.data_path / "log" / f"{name}.log", 12)
                                raise Sick(name, component["reason"], lines)
                    if time.monotonic() > deadline:
                        break
            except TimeoutError:
                pass
    late = next((c for c in state.get("components", ()) if c["state"] != "running"), None)
    name = late["name"] if late else "supervisor"
    reason = (late["reason"] if late else "") or f"not running after {START_SECONDS:.0f} s"
    raise Sick(name, reason, tail(wanted.data_path / "log" / f"{name}.log", 12))


# -- status, down, delete


def find(name: str, data_dir: str | None = None) -> Settings:
    """The settings of an existing cluster. Raises ClusterError when there is none."""
    data = settings.folder(name, data_dir)
    found = settings.load(data)
    if found is None:
        raise ClusterError(f"there is no cluster {name!r} ({data} has none): make it with 'sampan up'")
    return found


def status(found: Settings) -> Mapping[str, Any] | None:
    """The supervisor's word, with the container monitor as one more component; None when it does not run."""
    state = supervisor.ask(control_path(found.run_path), "status")
    if state is None:
        return None
    components = list(state["components"])
    for name, pid in _outliving(found).items():
        components.append({"name": name, "pid": pid, "state": "running", "reason": "", "process": name})
    return {**state, "components": components}


def _outliving(found: Settings) -> Mapping[str, int]:
    """The container monitor and its holder, which are not the supervisor's children."""
    if found.simulated or not settings.is_root():
        return {}
    from sampan.cluster import components
    from sampan.node.runtime.processes import processes

    return processes(components.runtime_config(found))


def down(found: Settings) -> bool:
    """Stops our processes and every pod; the data stays. False when nothing ran."""
    with exclusive(found.data_path):
        ran = _stop(found.run_path)
        _clear_node(found)
        return ran


def _stop(run: Path) -> bool:
    """Stops the supervisor and waits for its end; it stops its children first."""
    path = control_path(run)
    state = supervisor.ask(path, "stop")
    if state is None:
        return False
    pid = int(state["pid"])
    deadline = time.monotonic() + supervisor.STOP_SECONDS + 5
    while time.monotonic() < deadline:
        if supervisor.ask(path, "status") is None and not _alive(pid):
            return True
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def _alive(pid: int) -> bool:
    """Whether a process runs. One that has ended and that nobody has waited for yet (slow init) does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it ended just now, or this is no Linux
        return not Path("/proc/self").exists()
    return state not in ("Z", "X")


def _clear_node(found: Settings) -> None:
    """Ends what runs on the node and takes its network away; images and volumes stay."""
    if found.simulated or not settings.is_root():
        return
    from sampan.cluster import components
    from sampan.node import network, proxy, runtime

    asyncio.run(runtime.cleanup(components.runtime_config(found), keep_images=True))
    network.cleanup(components.network_config(found))
    proxy.cleanup(components.proxy_config(found))


def delete(found: Settings) -> None:
    """Takes the cluster away, whatever state it is in."""
    with exclusive(found.data_path):
        _stop(found.run_path)
        _clear_node(found)
        if not found.simulated and settings.is_root():
            from sampan.base.linux import mounts

            mounts.unmount_below(found.data)
        shutil.rmtree(found.run_path, ignore_errors=True)
        shutil.rmtree(found.data_path)
