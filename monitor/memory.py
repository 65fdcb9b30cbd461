"""Memory: what a process that runs for months does so that it holds no more than it needs."""

import asyncio
import ctypes
import gc
from contextlib import suppress

MANY = 500_000  # objects that Python looks through for garbage in a third of a second, in which nothing else goes on
ARENAS = 2  # heaps of the C library; it makes eight for each processor, and what was freed in one helps no other
YOUNG = 20_000  # objects more than there were, at which garbage is looked for: runs that wait to be stored are as many
_M_ARENA_MAX = -8
_c = ctypes.CDLL(None)


def few_arenas() -> None:
    """From now on threads share their heaps. Other C libraries than GNU's have no such thing, and need none."""
    with suppress(AttributeError):
        _c.mallopt(_M_ARENA_MAX, ARENAS)


def loaded() -> None:
    """What is there before anything begins stays: to look through all code again takes a tenth of a second."""
    gc.collect()
    gc.freeze()


async def settled(whole: asyncio.Event) -> None:
    """What is there once all is made stays: no later collection looks at it while probes wait."""
    await whole.wait()
    tidy()
    _keep()


def tidy() -> None:
    """Looks through everything that came since; not through very much, which stays as it is."""
    if not overlooked():
        gc.collect()
    give_back()


def overlooked() -> bool:
    """Whether very much has come since, as of ten thousand modules: from now on no collection looks at it."""
    if len(gc.get_objects(generation=2)) <= MANY:
        return False
    _keep()
    return True


def _keep() -> None:
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 1000)  # nor does one look at all that came since; `tidy` does


def give_back() -> None:
    """What was freed is the system's again, some milliseconds; not with other C libraries than GNU's."""
    with suppress(AttributeError):
        _c.malloc_trim(0)
