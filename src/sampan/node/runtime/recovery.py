"""After a restart of the node agent, of the monitor or of the machine: what is still true?"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sampan.node.runtime import containers, sandboxes, state
from sampan.node.runtime.books import Books
from sampan.node.runtime.state import Container, Exit
from sampan.spec import cni, cri

_log = logging.getLogger(__name__)

Exited = Callable[[Container, Exit], None]


async def load(books: Books, exited: Exited) -> None:
    """Reads the state files and brings them into line with what runs."""
    for sandbox in await books.in_thread(state.load_sandboxes, books.config):
        if sandbox.boot != books.boot:
            sandbox = sandbox._replace(state=cri.PodSandboxState.SANDBOX_NOTREADY)
        books.put_sandbox(sandbox)
    for container in await books.in_thread(state.load_containers, books.config):
        books.containers[container.id] = container
        if container.stage == "exited":
            books.exit_of(container.id).set_result(None)
    await resync(books, exited)
    await _half_made(books)
    if books.network is not None:
        attached = {(s.id, "eth0") for s in books.sandboxes.values() if s.attached}
        try:
            await books.network.gc(frozenset(attached))
        except cni.CniError as error:
            _log.warning("the network did not collect its leftovers, going on without: %s", error)


async def resync(books: Books, exited: Exited) -> None:
    """Asks the monitor about every container that has not ended as far as we know."""
    for container in list(books.containers.values()):
        if container.stage == "exited":
            continue
        if container.boot != books.boot:
            exited(container, containers.recovered_exit(books, container))
            continue
        try:
            answer = await books.link.request("state", cid=container.id)
        except cri.Error as error:
            _log.warning("the monitor went away again, coming back later: %s", error)
            return
        if answer["exited"] is not None:
            exited(container, Exit(**answer["exited"]))
        elif answer["pid"] and container.stage == "created":
            # We ended between its start and the note of it.
            books.put_container(
                container._replace(stage="running", pid=answer["pid"], started_at=books.clock())
            )
        elif not answer["pid"] and container.stage == "running":
            exited(container, containers.recovered_exit(books, container))


async def _half_made(books: Books) -> None:
    """Sandboxes and containers whose making was cut off by our end have no use to anybody."""
    for container in list(books.containers.values()):
        rootless = not (books.config.container_run(container.id) / "process.json").exists()
        if container.sandbox_id not in books.sandboxes or (container.stage == "created" and rootless):
            await books.in_thread(containers.erase, books, container)
            books.containers.pop(container.id, None)
    for sandbox in list(books.sandboxes.values()):
        unfinished = sandbox.state == cri.PodSandboxState.SANDBOX_NOTREADY and sandbox.attached
        if unfinished and not books.members(sandbox.id):
            try:
                await sandboxes.stop(books, sandbox)
            except cri.Error as error:
                _log.warning("sandbox %s keeps its network for now: %s", sandbox.name, error)
