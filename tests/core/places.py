"""Stories that several places see, each in its own way."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from monitor.core.incident import Incident
from monitor.core.module import Module
from tests.stories.beats import START, Story, module, observation, story

THREE = {"x": "one", "y": "two", "z": "three"}


def seen_from(*names: str, hosts: int = 2, places: tuple[str, ...] = tuple(THREE), needs: str = "") -> list[Module]:
    """Modules that every place asks, on so many hosts in turn; each needs the ones named in `needs`."""
    found = []
    for index, name in enumerate(names):
        made = module(name, *needs.replace(name, ""), places=places)
        probe = replace(made.probes[0], instance=f"https://h{index % hosts}.example.com/")
        found.append(replace(made, probes=(probe,)))
    return found


def world(*modules: Module, locations: Mapping[str, str] = THREE, canaries: int = 0) -> Story:
    """A story on a platform with three places of three failure domains."""
    return story(*modules, locations=locations, canaries=canaries)


def look(told: Story, beats: Mapping[str, str], every: float = 30, start: float = 0) -> Story:
    """Plays outcomes by `place` or `module@place`; a place by itself is what it sees of every module.

    Places look one after another, spread over the interval, and time ticks after every run and at the end of a beat.
    """
    platform = told.board.platform
    places = list(platform.locations)
    length = max(map(len, beats.values()))
    for beat in range(length):
        for turn, place in enumerate(places):
            at = START + timedelta(seconds=start + (beat + turn / len(places)) * every)
            for name, one in platform.modules.items():
                outcomes = beats.get(f"{name}@{place}", beats.get(place, ""))
                outcome = outcomes[beat] if beat < len(outcomes) else " "
                if outcome != " " and place in one.probes[0].locations:
                    told.feed(observation(name, at, outcome, place))
                    told.tick()
        told.now = max(told.now, START + timedelta(seconds=start + (beat + 1) * every - 0.1))
        told.tick()
    return told


def regional(told: Story) -> list[Incident]:
    """The incidents of a place, as last saved."""
    return [one for one in told.incidents if one.cause.scope == "location"]
