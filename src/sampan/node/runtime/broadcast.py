"""Events to several listeners, each with a bounded queue of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sampan.spec import cri

_QUEUE = 4096


class Broadcast:
    def __init__(self, size: int = _QUEUE) -> None:
        self._size = size
        self._queues: set[asyncio.Queue[cri.ContainerEventResponse | None]] = set()

    @property
    def heard(self) -> bool:
        return bool(self._queues)

    def send(self, event: cri.ContainerEventResponse) -> None:
        for queue in list(self._queues):
            if queue.full():
                # It has to list again anyway, so what it has not read is of no use to it.
                self._queues.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    def listen(self) -> AsyncIterator[cri.ContainerEventResponse]:
        """Listens from this call on, not from the first iteration."""
        queue: asyncio.Queue[cri.ContainerEventResponse | None] = asyncio.Queue(self._size)
        self._queues.add(queue)
        return self._read(queue)

    async def _read(
        self, queue: asyncio.Queue[cri.ContainerEventResponse | None]
    ) -> AsyncIterator[cri.ContainerEventResponse]:
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)
        raise cri.Error("ResourceExhausted", f"listener fell {self._size} events behind: list again")
