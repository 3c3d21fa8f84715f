"""Small tools around asyncio: supervised named tasks, clocks that tests can drive, back-off.

`tasks` owns background work, `clock` tells and passes time, `backoff` spaces retries.
What may not be here: anything that knows what the tasks do.
"""

from sampan.base.aio.backoff import Backoff
from sampan.base.aio.clock import Clock, SystemClock, VirtualClock
from sampan.base.aio.tasks import Tasks

__all__ = ["Backoff", "Clock", "SystemClock", "Tasks", "VirtualClock"]
