"""The demo's story: which faults come when, from one small failure to a gateway that takes everything with it.

Pure data and arithmetic. `tell` is the one coroutine; it only sleeps and hands the changes on.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Scene:
    """One fault of the story. `start` counts seconds from the first page, `duration` seconds from the start."""

    start: float
    module: str
    fault: str
    duration: float
    options: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""

    @property
    def end(self) -> float:
        """When the fault is over."""
        return self.start + self.duration


STORY = (
    Scene(1, "file-system", "http_503", 75, says="Images fail; nothing that is measured depends on them."),
    Scene(130, "logistics", "http_503", 75, says="Checkout names Logistics in its own error code."),
    Scene(255, "search", "slow", 60, {"delay": 3.0, "ramp": 15}, says="Search answers, but late."),
    Scene(345, "rates-and-benefits", "http_429", 55, says="Promotions throttle Checkout, which says so."),
    Scene(425, "shared:store", "certificate_expired", 40, says="One certificate, several modules behind it."),
    Scene(490, "checkout", "version_change", 10, says="A deploy: only a header changes."),
    Scene(500, "checkout", "http_500", 45, {"ratio": 0.8}, says="The new version fails until it is rolled back."),
    Scene(560, "shared:gateway", "http_503", 30, says="The gateway falls and takes all but the edge with it."),
)

LENGTH = 600.0  # seconds; then it begins again, a little after the gateway has come back


@dataclass(frozen=True, slots=True)
class Change:
    """What is switched at a moment of the story: a fault on, or, with `fault` None, whatever there is off."""

    at: float
    module: str
    fault: str | None
    options: Mapping[str, Any] = field(default_factory=dict)


def changes(story: tuple[Scene, ...] = STORY) -> tuple[Change, ...]:
    """One telling, in order. A fault that another one of the same module follows at once is replaced, not ended."""
    begun = {(scene.module, scene.start) for scene in story}
    told = [Change(scene.start, scene.module, scene.fault, scene.options) for scene in story]
    told += [Change(scene.end, scene.module, None) for scene in story if (scene.module, scene.end) not in begun]
    return tuple(sorted(told, key=lambda change: (change.at, change.fault is not None)))


async def tell(
    strike: Callable[..., object],
    clear: Callable[[str], object],
    speed: float = 1.0,
) -> None:
    """Tells the story over and over, from now on: `strike(module, fault, **options)` and `clear(module)` at its times.

    `speed` 10 plays it ten times as fast; the faults themselves are as slow as ever, except their ramp.
    """
    loop = asyncio.get_running_loop()
    begin = loop.time()
    while True:
        for change in changes():
            await asyncio.sleep(max(0.0, begin + change.at / speed - loop.time()))
            if change.fault is None:
                clear(change.module)
            else:
                options = dict(change.options)
                if "ramp" in options:
                    options["ramp"] = options["ramp"] / speed
                strike(change.module, change.fault, **options)
        begin += LENGTH / speed
