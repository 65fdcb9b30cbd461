"""Drives `step` with outcome strings at even beats and reads back what was decided.

`+` passed, `-` failed (503), `~` slow, `?` nothing could be told, `c` refused by configuration (404),
`b` blocked (429), `x` expired certificate, `t` a time-out after ten seconds, a blank: no run at that beat.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.board import Board, Condition, Version
from monitor.core.digest import digest_from_json, digest_to_json
from monitor.core.effect import (
    Answered,
    Arranged,
    Ask,
    AskCanaries,
    Effect,
    Event,
    Gap,
    Gathered,
    Heard,
    Hushed,
    Informed,
    Keep,
    Lifted,
    Moved,
    Observed,
    Ordered,
    Planned,
    Reconfigured,
    Remember,
    Repeated,
    Saved,
    Scheduled,
    Settled,
    Silenced,
    Spoken,
    Stale,
    Ticked,
    Versioned,
)
from monitor.core.expectation import Expect
from monitor.core.history import Memory, board_from
from monitor.core.incident import Incident, incident_from_json, incident_to_json
from monitor.core.maintenance import (
    Maintenance,
    Window,
    maintenance_from_json,
    maintenance_to_json,
    window_from_json,
    window_to_json,
)
from monitor.core.memo import track_from_json, track_to_json
from monitor.core.module import Dependency, Module, Platform, Priority
from monitor.core.observation import Failure, Http, Observation
from monitor.core.probe import Probe
from monitor.core.silence import Silence, silence_from_json, silence_to_json
from monitor.core.step import step
from monitor.core.told import told_from_json, told_to_json
from monitor.core.track import Track, is_usable
from monitor.core.word import Word

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STATUS = {"+": 200, "-": 503, "~": 200, "c": 404, "b": 429}


def module(
    id: str, *needs: str, interval: float = 30, priority: Priority = Priority.HIGH, places: tuple[str, ...] = ("here",)
) -> Module:
    """A module with one probe that is slow after half a second."""
    probe = Probe(
        module=id,
        id="ask",
        kind="http",
        interval=timedelta(seconds=interval),
        timeout=timedelta(seconds=10),
        locations=places,
        expect=Expect(slow_after=timedelta(seconds=0.5)),
    )
    return Module(id, {"en": id.title()}, depends_on=tuple(map(Dependency, needs)), priority=priority, probes=(probe,))


def platform(*modules: Module, **more: object) -> Platform:
    """A platform of these modules."""
    return replace(Platform(modules={m.id: m for m in modules}), **more)  # type: ignore[arg-type]


def observation(
    module: str, at: datetime, outcome: str, place: str = "here", address: str = "8.8.8.8:443", probe: str = "ask"
) -> Observation:
    """One run with a given outcome; `t` is one that times out after ten seconds."""
    common = {"module": module, "probe": probe, "location": place, "scheduled_at": at, "address": address}
    if outcome == "t":
        return Observation(at=at, duration=10, failure=Failure("http.ttfb_timeout"), **common)  # type: ignore[arg-type]
    if outcome in "?x":
        code = "self.resources" if outcome == "?" else "tls.cert_expired"
        return Observation(at=at, duration=0.01, failure=Failure(code), **common)  # type: ignore[arg-type]
    http = Http(STATUS[outcome], bytes=2)
    return Observation(at=at, duration=0.9 if outcome == "~" else 0.05, http=http, **common)  # type: ignore[arg-type]


def canary(at: datetime, well: bool, name: str, place: str = "here") -> Observation:
    """One canary's run."""
    common = {"module": None, "probe": "canary", "location": place, "scheduled_at": at, "address": name}
    if well:
        return Observation(at=at, duration=0.05, http=Http(200), **common)  # type: ignore[arg-type]
    return Observation(at=at, duration=0.05, failure=Failure("tcp.unreachable"), **common)  # type: ignore[arg-type]


@dataclass
class Story:
    """A board under a fake clock. `effects` keeps everything asked for, `asked` the extra runs that are due."""

    board: Board
    now: datetime = START
    effects: list[Effect] = field(default_factory=list)
    asked: list[tuple[datetime, Ask]] = field(default_factory=list)
    sees: bool = True

    def feed(self, one: Observation, carried: bool = False) -> None:
        """One observation, when it ended; `carried`: an agent brings it, now or whenever that is."""
        self.now = max(self.now, one.ended_at)
        self._take(Observed(one, carried))

    def lose(self, place: str, since: datetime) -> None:
        """Nothing is heard of a place any more, and was not since a moment."""
        self._take(Stale(place, since))

    def regain(self, place: str) -> None:
        """A place is heard of again."""
        self._take(Stale(place, self.now, over=True))

    def tick(self) -> None:
        """A second's worth of nothing."""
        self._take(Ticked())

    def reconfigure(self, platform: Platform) -> None:
        """A new configuration comes into force."""
        self._take(Reconfigured(platform))

    def plan(self, *windows: tuple[Window, list[datetime]]) -> None:
        """What standing windows plan."""
        self._take(Planned(windows))

    def order(self, event: Scheduled | Ordered | Silenced | Lifted) -> Answered:
        """A person's word about planned work or silences; what became of it."""
        self._take(event)
        return next(effect for effect in reversed(self.effects) if isinstance(effect, Answered))

    def say(self, word: Word, by: str | None = None, request: str | None = None) -> Answered:
        """A person says something; what became of it. Old incidents are known as they were last saved."""
        known = {one.id: one for one in self.incidents}.get(getattr(word, "incident", ""))
        before = len(self.effects)
        self._take(Spoken(word, by, request, known))
        (answer,) = (effect for effect in self.effects[before:] if isinstance(effect, Answered))
        return answer

    def restart(self, platform: Platform | None = None, pause: float = 0) -> None:
        """The monitor ends, and begins again so many seconds later with what it stored, as the application does it."""
        self.asked.clear()
        self.board = board_from(platform or self.board.platform, remembered(self.effects))
        self.now += timedelta(seconds=pause)
        self.reconfigure(self.board.platform)

    def _take(self, event: Event) -> None:
        self.board, effects = step(self.board, event, self.now)
        self.effects += effects
        self.asked += [(self.now + timedelta(seconds=e.after), e) for e in effects if isinstance(e, Ask)]
        for effect in effects:
            if isinstance(effect, AskCanaries):
                for name in ("1.1.1.1:443", "9.9.9.9:443", "8.8.4.4:443"):
                    self.feed(canary(self.now, self.sees, name, effect.location))

    def play(self, beats: Mapping[str, str], every: float = 30, extra: bool = True) -> "Story":
        """Plays one outcome string per module side by side; an extra run gives the outcome of the beat it falls in."""
        length = max(map(len, beats.values()))
        for beat in range(length):
            at = START + timedelta(seconds=beat * every)
            self.now = max(self.now, at)
            for name, outcomes in beats.items():
                outcome = outcomes[beat] if beat < len(outcomes) else " "
                if outcome != " ":
                    self.feed(observation(name, at, outcome))
            self._between(beats, beat, at + timedelta(seconds=every), extra)
        return self

    def _between(self, beats: Mapping[str, str], beat: int, until: datetime, extra: bool) -> None:
        while due := min((one for one in self.asked if one[0] < until), key=lambda one: one[0], default=None):
            self.asked.remove(due)
            at, ask = due
            outcomes = beats[ask.module]
            outcome = outcomes[beat] if beat < len(outcomes) else " "
            if extra and outcome != " ":
                self.now = max(self.now, at)
                self.feed(observation(ask.module, at, outcome))
        self.now = max(self.now, until - timedelta(seconds=0.5))
        self.tick()

    @property
    def transitions(self) -> list[tuple[str, str, float]]:
        """(module, status after, seconds from the start it is dated)."""
        return [
            (e.transition.module, str(e.transition.after), seconds(e.transition.since))
            for e in self.effects
            if isinstance(e, Moved)
        ]

    @property
    def changes(self) -> list[str]:
        """What happened to incidents, in order."""
        return [str(e.change) for e in self.effects if isinstance(e, Saved) and e.change]

    @property
    def incidents(self) -> list[Incident]:
        """The incidents as last saved, in order of opening."""
        found: dict[str, Incident] = {}
        for effect in self.effects:
            if isinstance(effect, Saved):
                found[effect.incident.id] = effect.incident
        return list(found.values())


def remembered(effects: Iterable[Effect], exactly: bool = False) -> Memory:
    """What a store that was handed these effects gives back, by way of the stored form.

    `exactly`: every track knows when it was last heard, where the real store knows only when any was.
    """
    last: dict[tuple[str, str, str], datetime] = {}
    conditions: dict[tuple[str, str | None], Condition] = {}
    tracks: dict[tuple[str, str, str], dict[str, Any]] = {}
    incidents: dict[str, dict[str, Any]] = {}
    gaps: dict[tuple[str, datetime], Gap] = {}
    works: dict[str, Maintenance] = {}
    windows: dict[str, Window | None] = {}
    silences: dict[str, Silence] = {}
    versions: dict[tuple[str, str], Version] = {}
    calls: dict[tuple[str, str], datetime | None] = {}
    told: dict[str, dict[str, Any]] = {}
    digests: dict[str, dict[str, Any]] = {}
    seen_at: datetime | None = None
    for effect in effects:
        match effect:
            case Keep(observation, result, discarded=False) if is_usable(result):
                seen_at = max(seen_at or observation.ended_at, observation.ended_at)
                last[(observation.module or "", observation.probe, observation.location)] = observation.ended_at
            case Remember(module, probe, location, track):
                tracks.pop((module, probe, location), None)
                if track is not None:
                    tracks[(module, probe, location)] = json.loads(json.dumps(track_to_json(track)))
            case Settled(module, probe_id, condition):
                conditions[(module, probe_id)] = condition
            case Saved(incident):
                incidents[incident.id] = json.loads(json.dumps(incident_to_json(incident)))
            case Versioned(module, probe, version):
                versions[(module, probe)] = version
            case Heard(module, probe, at):
                calls[(module, probe)] = at
            case Arranged(work):
                works[work.id] = maintenance_from_json(json.loads(json.dumps(maintenance_to_json(work))))
            case Repeated(id, window):
                windows[id] = window and window_from_json(json.loads(json.dumps(window_to_json(window))))
            case Hushed(silence):
                silences[silence.id] = silence_from_json(json.loads(json.dumps(silence_to_json(silence))))
            case Informed(id, heard):
                told[id] = json.loads(json.dumps(told_to_json(heard)))
            case Gathered(channel, digest):
                digests[channel] = json.loads(json.dumps(digest_to_json(digest)))
            case Gap(location, since):
                gaps[(location, since)] = effect
    found = {key: track_from_json(raw) for key, raw in tracks.items()}
    if exactly:
        found |= {key: replace(found.get(key, Track()), usable_at=at) for key, at in last.items()}
    return Memory(
        probes={(module, probe): c for (module, probe), c in conditions.items() if probe is not None},
        modules={module: c for (module, probe), c in conditions.items() if probe is None},
        tracks=found,
        incidents=tuple(incident_from_json(raw) for raw in incidents.values()),
        gaps=tuple(gap for gap in gaps.values() if gap.until is None),
        maintenances=tuple(works.values()),
        windows=tuple(one for one in windows.values() if one is not None),
        silences=tuple(silences.values()),
        versions=versions,
        calls={key: at for key, at in calls.items() if at is not None},
        told={id: told_from_json(raw) for id, raw in told.items()},
        digests={channel: digest_from_json(raw) for channel, raw in digests.items()},
        seen_at=seen_at,
    )


def seconds(moment: datetime) -> float:
    """Seconds from the start of the story."""
    return (moment - START).total_seconds()


def story(*modules: Module, **more: object) -> Story:
    """A story that begins with these modules and nothing known."""
    return Story(Board(platform(*modules, **more)))


def statuses(story: Story) -> Iterable[str]:
    """The statuses a single module went through."""
    return [after for _, after, _ in story.transitions]
