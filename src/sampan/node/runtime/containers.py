"""Containers: their files and root, their OCI bundle, how they start, end and go."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal as signals
from pathlib import Path

import orjson

from sampan.base.linux import mounts, syscalls
from sampan.node.runtime import machine, oci, sandboxes, state, users
from sampan.node.runtime.books import Books
from sampan.node.runtime.image.store import Stored
from sampan.node.runtime.oci import Json, Place
from sampan.node.runtime.state import Container, Exit, Sandbox
from sampan.spec import cri

# containerd's code for a container that could not be started, and for one whose end nobody saw.
START_ERROR = 128
UNKNOWN_EXIT = 255
_PASSWD_MAX = 1 << 20
_KILL_AGAIN = 5.0


def find_image(books: Books, image: cri.ImageSpec) -> Stored:
    try:
        stored = books.store.find(image.image)
    except ValueError as error:
        raise cri.Error("InvalidArgument", str(error)) from error
    if stored is None:
        raise cri.Error("NotFound", f"image {image.image!r} is not present")
    return stored


# -- create


def prepare(books: Books, container: Container, sandbox: Sandbox, stored: Stored) -> Container:
    """Root, bundle and FIFOs; blocks for a few milliseconds. On failure nothing is left."""
    try:
        return _prepare(books, container, sandbox, stored)
    except BaseException:
        erase(books, container)
        raise


def _prepare(books: Books, container: Container, sandbox: Sandbox, stored: Stored) -> Container:
    config, security = container.config, container.config.linux.security_context
    data, run = books.config.container_dir(container.id), books.config.container_run(container.id)
    for folder in (data, data / "upper", data / "work", run, run / "rootfs"):
        folder.mkdir()
    # The root's own mode, which an overlay takes from the upper folder.
    (data / "upper").chmod(0o755)
    rootfs = str(run / "rootfs")
    _mount_root(list(stored.lower), rootfs, data)
    user = _user(config, stored.config.user, rootfs)
    made = oci.oci_config(
        config,
        stored.config,
        user,
        place(books, container, sandbox, stored),
        books.facts,
        mounts=_mounts(books, config),
        devices=_devices(config),
        localhost_seccomp=_localhost_seccomp(security),
    )
    _make_folder(rootfs, made["process"]["cwd"], user)
    if books.crun and "seccomp" in made["linux"] and not books.filters.annotate(made):
        books.uncompiled.add(container.id)
    (run / "config.json").write_bytes(orjson.dumps(made))
    (run / "process.json").write_bytes(orjson.dumps(made["process"]))
    fifos = (["stdin"] if config.stdin and not config.tty else []) + (
        [] if config.tty else ["stdout", "stderr"]
    )
    for name in fifos:
        os.mkfifo(run / name, 0o600)
    return container._replace(user=cri.LinuxContainerUser(user.uid, user.gid, user.groups))


def _mount_root(lower: list[str], rootfs: str, data: Path) -> None:
    """No container outlives a crash of the machine, so its writable layer need not be synced either."""
    upper, work = str(data / "upper"), str(data / "work")
    try:
        mounts.overlay(lower, rootfs, upper=upper, work=work, device="sampan", volatile=True)
    except OSError as error:
        if error.errno != errno.EINVAL:  # before Linux 5.10
            raise
        mounts.overlay(lower, rootfs, upper=upper, work=work, device="sampan")


def place(books: Books, container: Container, sandbox: Sandbox, stored: Stored) -> Place:
    config = books.config
    folder = config.sandbox_run(sandbox.id)
    hostname_file = folder / "hostname"
    own = sandboxes.kinds(sandbox.config)
    joined = sandboxes.namespace_paths(config, sandbox)
    pid = _pid_namespace(books, container, sandbox)
    if pid is not None:
        joined["pid"] = pid
    return Place(
        rootfs=str(config.container_run(container.id) / "rootfs"),
        cgroup=container.cgroup,
        namespaces=joined,
        shm=str(folder / "shm"),
        resolv_conf=str(folder / "resolv.conf"),
        hostname_file=next(
            (str(path) for path in (hostname_file, Path("/etc/hostname")) if path.exists()), ""
        ),
        hostname=sandbox.config.hostname if "uts" in own else os.uname().nodename,
        layers=tuple(dict(mount) for mount in stored.mounts),
    )


def _pid_namespace(books: Books, container: Container, sandbox: Sandbox) -> str | None:
    """ "" for a new one, a path to join, None for the host's."""
    options = container.config.linux.security_context.namespace_options
    if options.pid == cri.NamespaceMode.NODE:
        return None
    if options.pid == cri.NamespaceMode.TARGET:
        target = books.container(options.target_id)
        if target.sandbox_id != sandbox.id or target.stage != "running":
            raise cri.Error(
                "FailedPrecondition", f"target container {options.target_id!r} does not run in this pod"
            )
        return f"/proc/{target.pid}/ns/pid"
    if options.pid == cri.NamespaceMode.POD and sandbox.pause:
        return f"/proc/{books.containers[sandbox.pause].pid}/ns/pid"
    return ""


def _user(config: cri.ContainerConfig, image_user: str, rootfs: str) -> users.User:
    security = config.linux.security_context
    if security.run_as_user is not None:
        wanted = str(security.run_as_user)
    elif security.run_as_username:
        wanted = security.run_as_username
    else:
        wanted = image_user
    try:
        return users.resolve(
            wanted,
            read_inside(rootfs, "etc/passwd"),
            read_inside(rootfs, "etc/group"),
            run_as_group=security.run_as_group,
            supplemental=security.supplemental_groups,
            merge=security.supplemental_groups_policy == cri.SupplementalGroupsPolicy.Merge,
        )
    except users.UnknownUser as error:
        raise cri.Error("InvalidArgument", str(error)) from error


def read_inside(rootfs: str, path: str) -> str:
    """A small file of a container's root, with links resolved inside it; "" when there is none."""
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fd = syscalls.openat2(root, path, os.O_RDONLY | os.O_NONBLOCK, syscalls.RESOLVE_IN_ROOT)
    except OSError:
        return ""
    finally:
        os.close(root)
    with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor
        return file.read(_PASSWD_MAX).decode("utf-8", "replace")


def _make_folder(rootfs: str, path: str, user: users.User) -> None:
    """The working directory is made where the image lacks it, as every runtime does."""
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    above = ""
    try:
        for part in [part for part in path.split("/") if part not in ("", ".", "..")]:
            flags = os.O_PATH | os.O_DIRECTORY
            fd = syscalls.openat2(root, above or ".", flags, syscalls.RESOLVE_IN_ROOT)
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=fd)
            os.close(fd)
            above = f"{above}/{part}"
    except OSError:
        return  # a link out of reach or a file: the OCI runtime says so when it starts
    finally:
        os.close(root)


def _mounts(books: Books, config: cri.ContainerConfig) -> list[Json]:
    found = []
    for mount in config.mounts:
        if mount.image is not None:
            found.append(_image_mount(books, mount))
            continue
        source = os.path.realpath(mount.host_path)
        if not Path(source).exists():
            # As containerd does; the node agent has made what it wants to be of a certain type.
            Path(source).mkdir(parents=True, exist_ok=True)
        _check_propagation(mount, source)
        found.append(oci.bind_mount(mount._replace(host_path=source)))
    return found


def _image_mount(books: Books, mount: cri.Mount) -> Json:
    if mount.image is None:
        raise cri.Error("Internal", "mount has no image")
    stored = find_image(books, mount.image)
    # An overlay of one layer needs a second folder below it.
    empty = books.config.run / "empty"
    empty.mkdir(exist_ok=True)
    lower = ":".join([*stored.lower, str(empty)])
    if mount.image_sub_path:
        raise cri.Error(
            "Unimplemented", f"image volume with sub path {mount.image_sub_path!r}: expected none"
        )
    return {
        "destination": mount.container_path,
        "type": "overlay",
        "source": "sampan",
        "options": [f"lowerdir={lower}", "ro", "nosuid", "nodev"],
    }


def _check_propagation(mount: cri.Mount, source: str) -> None:
    """Bidirectional needs a shared mount below it, else nothing would travel and nobody would know."""
    if mount.propagation != cri.MountPropagation.PROPAGATION_BIDIRECTIONAL:
        return
    entries = [e for e in mounts.table() if (source + "/").startswith(e.target.rstrip("/") + "/")]
    last = max(entries, key=lambda entry: len(entry.target))
    if not any(option.startswith("shared:") for option in last.propagation):
        raise cri.Error(
            "FailedPrecondition",
            f"mount {mount.container_path!r} is bidirectional: {last.target!r} is not a shared mount"
            f" (mount --make-shared {last.target})",
        )


def _devices(config: cri.ContainerConfig) -> tuple[oci.HostDevice, ...]:
    if config.linux.security_context.privileged:
        return tuple(machine.all_devices())
    return tuple(
        found
        for wanted in config.devices
        for found in machine.device(wanted.host_path, wanted.container_path, wanted.permissions)
    )


def _localhost_seccomp(security: cri.LinuxContainerSecurityContext) -> Json | None:
    wanted = security.seccomp
    if wanted is None or wanted.profile_type != cri.ProfileType.Localhost or security.privileged:
        return None
    try:
        found: Json = orjson.loads(Path(wanted.localhost_ref).read_bytes())
    except (OSError, ValueError) as error:
        raise cri.Error("InvalidArgument", f"seccomp profile {wanted.localhost_ref!r}: {error}") from error
    return found


def rewrite_resources(books: Books, container: Container, wanted: cri.LinuxContainerResources) -> None:
    """Of a container that has not started: into its bundle."""
    path = books.config.container_run(container.id) / "config.json"
    bundle = orjson.loads(path.read_bytes())
    devices = bundle["linux"]["resources"]["devices"]
    bundle["linux"]["resources"] = {**oci.resources(wanted), "devices": devices}
    path.write_bytes(orjson.dumps(bundle))


# -- start and end


def base_argv(books: Books, log: Path) -> list[str]:
    argv = [
        str(books.oci),
        "--root",
        str(books.config.run / "oci"),
        "--log",
        str(log),
        "--log-format",
        "json",
    ]
    if books.crun:
        argv += ["--cgroup-manager", "cgroupfs"]
    return argv


async def start(books: Books, container: Container) -> None:
    """Runs the OCI runtime once. Raises cri.Error, and the container has then exited with StartError."""
    run = books.config.container_run(container.id)
    console = books.config.run / "tmp" / f"{container.id[:12]}.tty" if container.config.tty else None
    argv = [*base_argv(books, run / "oci.log"), "run", "--detach"]
    argv += ["--bundle", str(run), "--pid-file", str(run / "pid")]
    if console is not None:
        argv += ["--console-socket", str(console)]
    has_stdin = container.config.stdin and console is None
    try:
        answer = await books.link.request(
            "run",
            cid=container.id,
            argv=[*argv, container.id],
            pid_file=str(run / "pid"),
            run_log=str(run / "oci.log"),
            console=str(console or ""),
            stdin=str(run / "stdin") if has_stdin else "",
            stdin_once=container.config.stdin_once,
            stdout="" if console else str(run / "stdout"),
            stderr="" if console else str(run / "stderr"),
            log=container.log_path,
            exit=str(books.config.container_dir(container.id) / "exit"),
            oom=books.cgroups.oom_file(container.cgroup),
        )
    except cri.Error as error:
        message = f"failed to start container {container.config.metadata.name!r}: {error.message}"
        failed = Exit(START_ERROR, at=books.clock())
        books.put_container(container._replace(stage="exited", exit=failed, error=message))
        await books.in_thread(release, books, container)
        if error.code != "Unknown":
            raise
        raise cri.Error("Unknown", message) from error
    finally:
        if console is not None:
            console.unlink(missing_ok=True)
    if container.id in books.uncompiled:
        books.uncompiled.discard(container.id)
        await books.in_thread(_learn_filter, books, container)
    # It may have ended before its answer reached us; then its state is newer than ours.
    now = books.containers[container.id]
    started = now._replace(pid=answer["pid"], started_at=answer["at"])
    books.put_container(started if now.stage == "exited" else started._replace(stage="running"))


def _learn_filter(books: Books, container: Container) -> None:
    try:
        config = orjson.loads((books.config.container_run(container.id) / "config.json").read_bytes())
    except OSError:
        return  # ended already
    books.filters.learn(config, books.config.run / "oci" / container.id / "seccomp.bpf")


def ended(books: Books, container: Container, exited: Exit) -> Container:
    """Takes an exit into the books. The container's cgroup, root and FIFOs are let go of in the background."""
    if container.stage == "exited":
        return container
    container = container._replace(stage="exited", exit=exited)
    books.put_container(container)
    future = books.exit_of(container.id)
    if not future.done():
        future.set_result(None)
    books.cleanups[container.id] = asyncio.get_running_loop().create_task(
        _clean_up(books, container), name=f"runtime: clean up {container.id[:12]}"
    )
    return container


async def _clean_up(books: Books, container: Container) -> None:
    try:
        await books.in_thread(release, books, container)
        with contextlib.suppress(cri.Error):
            await books.link.request("forget", cid=container.id)
    finally:
        books.cleanups.pop(container.id, None)


def release(books: Books, container: Container) -> None:
    """Lets go of everything but the writable layer and the state. What is gone already is fine."""
    if not books.cgroups.remove(container.cgroup):
        # Processes that joined a shared pid namespace outlive the container's first one.
        books.cgroups.kill(container.cgroup)
        books.cgroups.remove(container.cgroup)
    run = books.config.container_run(container.id)
    mounts.unmount(str(run / "rootfs"))
    shutil.rmtree(books.config.run / "oci" / container.id, ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)


def erase(books: Books, container: Container) -> None:
    release(books, container)
    # The overlay's work folder holds one with mode 0, which root may remove all the same.
    shutil.rmtree(books.config.container_dir(container.id), ignore_errors=True)
    books.config.container_file(container.id).unlink(missing_ok=True)


async def kill(books: Books, container: Container, signal: int) -> None:
    await books.link.request("signal", pid=container.pid, signal=signal)


async def stop(books: Books, container: Container, timeout: float) -> None:
    """Returns when it has exited. Its stop signal first if there is time for it, then SIGKILL."""
    exited = books.exit_of(container.id)
    if timeout > 0:
        await kill(books, container, signal_number(container.stop_signal))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await asyncio.shield(exited)
    while not exited.done():
        await kill(books, container, signals.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILL_AGAIN):
                await asyncio.shield(exited)


def signal_number(text: str) -> int:
    """SIGTERM, TERM, 15 or SIGRTMIN+3. Raises cri.Error for anything else; "" is SIGTERM."""
    if not text:
        return signals.SIGTERM
    if text.isdigit():
        return int(text)
    name, plus, offset = text.upper().partition("+")
    name = name if name.startswith("SIG") else "SIG" + name
    if name in signals.Signals.__members__ and (not plus or offset.isdigit()):
        return signals.Signals[name] + int(offset or 0)
    raise cri.Error("InvalidArgument", f"stop signal {text!r} is not known: expected a name such as SIGTERM")


# -- views


def status(container: Container) -> cri.ContainerStatus:
    exited = container.exit
    reason = message = ""
    if exited is not None:
        if container.error:
            reason, message = "StartError", container.error
        elif not exited.known:
            reason, message = "ContainerStatusUnknown", "the container ended while nobody watched it"
        elif exited.oom:
            reason = "OOMKilled"
        else:
            reason = "Completed" if exited.code == 0 else "Error"
    config = container.config
    return cri.ContainerStatus(
        id=container.id,
        metadata=config.metadata,
        state=container.state,
        created_at=container.created_at,
        started_at=container.started_at,
        finished_at=exited.at if exited else 0,
        exit_code=exited.code if exited else 0,
        image=config.image,
        image_ref=container.image_ref,
        reason=reason,
        message=message,
        labels=config.labels,
        annotations=config.annotations,
        mounts=config.mounts,
        log_path=container.log_path,
        resources=container.resources or config.linux.resources,
        image_id=container.image_id,
        user=container.user,
        stop_signal=container.stop_signal,
    )


def listed(container: Container) -> cri.Container:
    config = container.config
    return cri.Container(
        id=container.id,
        pod_sandbox_id=container.sandbox_id,
        metadata=config.metadata,
        image=config.image,
        image_ref=container.image_ref,
        state=container.state,
        created_at=container.created_at,
        labels=config.labels,
        annotations=config.annotations,
        image_id=container.image_id,
    )


def recovered_exit(books: Books, container: Container) -> Exit:
    """How a container ended that nobody told us about: its exit file, or unknown."""
    found = state.load_exit(books.config.container_dir(container.id) / "exit")
    return found or Exit(UNKNOWN_EXIT, at=books.clock(), known=False)
