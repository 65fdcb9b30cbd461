"""Filters: what a reader may narrow the modules down by. A small script does it; without one every module is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.core.module import Status
from monitor.pages import words
from monitor.pages.lens import Lens

Choice = tuple[str, str]  # what stands in the address, and its word

ORDER = (Status.DOWN, Status.DEGRADED, Status.UNKNOWN, Status.UP)


@dataclass(frozen=True, slots=True)
class Filters:
    """What there is to choose from. With a place, a status is what that place sees."""

    groups: tuple[Choice, ...]
    statuses: tuple[Choice, ...]
    places: tuple[Choice, ...]


def filters(lens: Lens) -> Filters:
    """The choices in one language."""
    platform = lens.facts.platform
    return Filters(
        tuple((group.id, lens.text(group.name)) for group in platform.groups),
        tuple((status.value, lens.mark(words.MODULE[status]).word) for status in ORDER),
        tuple((place, lens.place(place)) for place in platform.locations),
    )


def groups_of(lens: Lens, module: str) -> str:
    """Ids of the groups with a component that a module is part of, parted by spaces."""
    return " ".join(lens.facts.platform.groups_of(module))


def seen(locations: Mapping[str, Status]) -> str:
    """What each place sees: `PLACE:STATUS`, parted by spaces."""
    return " ".join(f"{place}:{status.value}" for place, status in locations.items())
