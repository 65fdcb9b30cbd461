"""Watchroom: what operators look at and may ask for, besides what people say: the newest runs, how we are, and an
extra run. It gives the pages of the dashboard what they are printed from.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from monitor.clock import Clock
from monitor.config.file import theme_dir
from monitor.core.effect import Answered, Ask, Deed, Keep, Refusal, Said
from monitor.core.module import Platform
from monitor.core.observation import stamp
from monitor.desk import Desk
from monitor.lookout import Lookout
from monitor.mailroom import Mailroom
from monitor.pages.office import Office
from monitor.pages.watch import Health, Lead, Watch
from monitor.places.exchange import Exchange
from monitor.press import Press, Scene
from monitor.selfwatch import Selfwatch

QUIET = 120.0  # seconds without a run, or with a notice that waits, after which we are not sound
LATE = 60.0  # seconds by which a step may be overdue
PAUSE = 5.0  # seconds between extra runs that people ask of one module


class Watchroom:
    """`mistake` is what is wrong with the configuration file while an older one is in force, `lead` says who leads."""

    def __init__(
        self,
        desk: Desk,
        press: Press,
        lookout: Lookout,
        selfwatch: Selfwatch,
        clock: Clock,
        scene: Callable[[], Scene],
        here: str,
        mailroom: Mailroom,
        places: Exchange | None = None,
    ) -> None:
        self.mistake: str | None = None
        self.lead: Callable[[], Lead | None] = lambda: None
        self._desk = desk
        self._press = press
        self._lookout = lookout
        self._selfwatch = selfwatch
        self._clock = clock
        self._scene = scene
        self._here = here
        self._mailroom = mailroom
        self._places = places
        self._judged_at = clock.monotonic()
        mailroom.unsound = self.unsound
        self._newest: dict[tuple[str, str, str], Keep] = {}
        self._asked_at: dict[str, float] = {}

    def judged(self, keep: Keep) -> None:
        """One more run was judged; the one before is forgotten."""
        seen, self._judged_at = keep.observation, self._clock.monotonic()
        if seen.module is not None:
            self._newest[(seen.module, seen.probe, seen.location)] = keep

    def use(self, platform: Platform) -> None:
        """Forgets what is no longer configured."""
        self._newest = {key: keep for key, keep in self._newest.items() if key[:2] in platform.judged}

    def reloaded(self, problems: list[str], ways: list[str]) -> None:
        """The file was read: what is wrong with it. What no person asked this side for goes into the audit log."""
        self.mistake = problems[0] if problems else None
        refusal = Refusal("wrong", "\n".join(problems)) if problems else None
        for way in ways:
            self._desk.record(Said(Deed("configuration.reload"), way), Answered(refusal=refusal))

    def ears(self) -> dict[str, Any]:
        """What the ops side gets from the desk and from here, by the names in its context."""
        return {
            "perform": self._desk.perform,
            "record": self._desk.record,
            "runs": self.runs,
            "health": lambda: asdict(self.health()),
            "ready": self.why_not_ready,
            "probe": self.probe,
            "trouble": self.trouble,
            "printer": self.office(),
            "contradictions": self.contradictions,
        }

    def runs(self) -> dict[tuple[str, str, str], Keep]:
        """The newest judged run by module, probe and place, since the start."""
        return dict(self._newest)

    def watch(self) -> Watch:
        """What operators look at now."""
        scene = self._scene()
        now, history = self._clock.now(), self._press.history
        return Watch(scene.site, scene.board, history, now, scene.data_until, self._newest, self.health())

    def health(self) -> Health:
        """How the monitor itself is."""
        signs = {sign.name: sign.value for sign in self._selfwatch.signs}
        return Health(
            store=self._desk.store_trouble,
            publication=self._press.trouble,
            configuration=self.mistake,
            contradictions=tuple(" ".join([one.kind.value, one.subject]) for one in self._press.contradictions),
            lag=signs.get("loop_lag"),
            events=self._desk.queue.qsize(),
            backlog=len(self._desk.backlog),
            signs=self._selfwatch.signs,
            outbox=self._mailroom.postman.store_trouble,
            silent=self._mailroom.silent(),
            places=self._places.attendance() if self._places else (),
            lead=self.lead(),
            letters=sum(count for count, _ in self._mailroom.postman.pending().values()),
        )

    def trouble(self) -> object:
        """What of our own does not work; another value when that changes."""
        mail = (self._mailroom.postman.store_trouble, self._mailroom.silent())
        return self._desk.store_trouble, self._press.trouble, self.mistake, self._press.contradictions, mail

    def why_not_ready(self) -> str | None:
        """Why nobody should rely on us yet, or at the moment; None when all is well."""
        if self._press.trouble is not None:
            return f"the site cannot be published: {self._press.trouble}"
        if not self._press.published.is_set():
            return "nothing is published yet"
        return f"the store refuses writes: {self._desk.store_trouble}" if self._desk.store_trouble else None

    def unsound(self) -> str | None:
        """Why nobody should rely on being told by us; None when runs are made, facts stored and notices delivered, and
        nothing is overdue."""
        probes = [one for one in self._desk.board.platform.probes.values() if one.off is None]
        pause = self._clock.monotonic() - self._judged_at
        if probes and pause > max(QUIET, 3 * min(one.interval.total_seconds() for one in probes)):
            return f"no probe was judged for {pause:.0f} s"
        if self._desk.store_trouble is not None or self._mailroom.postman.store_trouble is not None:
            return f"the store refuses writes: {self._desk.store_trouble or self._mailroom.postman.store_trouble}"
        oldest = max((seconds for _, seconds in self._mailroom.postman.pending().values()), default=0.0)
        if oldest >= QUIET:
            return f"a notice has waited for {oldest:.0f} s"
        turn_at = self._desk.board.turn_at
        if turn_at is not None and (self._clock.now() - turn_at).total_seconds() > LATE:
            return "a step of an escalation is overdue"
        return None

    def contradictions(self) -> list[dict[str, str | None]]:
        """What in the last publication does not hold together."""
        found = self._press.contradictions
        return [{"kind": one.kind.value, "subject": one.subject or None, "since": stamp(one.since)} for one in found]

    def office(self) -> Office:
        """Whoever prints the pages."""
        return Office(self.watch, lambda: self._press.speech, lambda: self._press.theme, theme_dir())

    def probe(self, module: str) -> list[str] | Refusal:
        """Runs every probe of a module that may be run in between once more, wherever it is looked at from; gives their
        ids."""
        found = self._desk.board.platform.modules.get(module)
        if found is None:
            return Refusal("unknown", f"there is no module `{module[:40]}`")
        now = self._clock.monotonic()
        away = self._places.attendance() if self._places else ()
        looking = {self._here, *(one.location for one in away if not one.stale)}
        asked = [one for one in found.probes if one.off is None and one.extra_runs and looking & {*one.locations}]
        if not asked:
            return Refusal("conflict", "none of its probes may be run in between, from where anybody looks")
        if now - self._asked_at.get(module, -PAUSE) < PAUSE:
            return Refusal("conflict", f"it was asked just now: wait {PAUSE:g} seconds")
        self._asked_at[module] = now
        for one in asked:
            for place in sorted(looking & {*one.locations}):
                (self._places or self._lookout).ask(Ask(module, one.id, place, 0.0))
        return [one.id for one in asked]
