"""Batch: the effects of one commit, sorted by table. What comes later replaces what came before under the same key.

Everything is turned into rows here, before a transaction begins: an effect that cannot be stored fails alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.core.bulletin import bulletin_of
from monitor.core.effect import (
    Arranged,
    Audited,
    Gap,
    Gathered,
    Happened,
    Heard,
    Hushed,
    Informed,
    Keep,
    Marked,
    Moved,
    Remember,
    Repeated,
    Saved,
    Settled,
    Storable,
    Summed,
    Versioned,
)
from monitor.core.expectation import Result
from monitor.core.gathering import letter_of
from monitor.core.outbox import letters_of
from monitor.store.packing import Form, Packer, said_by
from monitor.store.postal import digest_row, happening_row, letter_row, told_row
from monitor.store.roll import bulletin_row
from monitor.store.rollup import hour_of
from monitor.store.rows import (
    NOBODY,
    Row,
    call_row,
    condition_row,
    entry_row,
    figures_row,
    gap_row,
    incident_row,
    maintenance_row,
    mark_row,
    micros,
    observation_row,
    silence_row,
    track_row,
    transition_row,
    version_row,
    window_row,
)

Key = tuple[str, str, str]  # module, probe, location


@dataclass(frozen=True, slots=True)
class Run:
    """A judged run on its way into the store. `counts`: it belongs into a rollup; how long a whole flow takes is no
    latency of its module."""

    key: Key
    at: int
    hour: datetime
    result: Result
    duration: float
    phases: Mapping[str, float]
    counts: bool
    row: Row  # as of `observation_row`; without a document where it is packed already
    packed: tuple[Form, bytes] | None = None
    said: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows by table; the document of a track or a window, or a call's moment, is None where it is to be forgotten."""

    runs: list[Run] = field(default_factory=list)
    tracks: dict[Key, Row] = field(default_factory=dict)
    conditions: dict[tuple[str, str], Row] = field(default_factory=dict)
    transitions: list[Row] = field(default_factory=list)
    incidents: dict[str, Row] = field(default_factory=dict)
    versions: dict[tuple[str, str, int], Row] = field(default_factory=dict)
    calls: dict[tuple[str, str], Row] = field(default_factory=dict)
    gaps: dict[tuple[str, int], Row] = field(default_factory=dict)
    maintenances: dict[str, Row] = field(default_factory=dict)
    windows: dict[str, Row] = field(default_factory=dict)
    marks: dict[Key, Row] = field(default_factory=dict)  # by location, agent and epoch
    audit: list[Row] = field(default_factory=list)
    silences: dict[str, Row] = field(default_factory=dict)
    told: dict[str, Row] = field(default_factory=dict)
    digests: dict[str, Row] = field(default_factory=dict)
    happenings: dict[tuple[str, int], Row] = field(default_factory=dict)
    letters: dict[tuple[str, int, str], Row] = field(default_factory=dict)
    bulletins: dict[tuple[str, int], Row] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)  # when planned work began whose time may count otherwise now

    @property
    def since(self) -> int | None:
        """The moment from which on the past is another one; None where nothing of it changes."""
        return min([*(row["since"] for row in self.transitions), *self.begun], default=None)


def batch_of(effects: Sequence[Storable], packer: Packer | None = None) -> Batch:
    """The effects as rows; runs that say what the ones before them said are packed by a packer, if there is one. Raises
    TypeError for what cannot be written as JSON."""
    batch = Batch()
    for effect in effects:
        if isinstance(effect, Saved | Arranged) and (bulletin := bulletin_of(effect)) is not None:
            batch.bulletins[(bulletin.subject, bulletin.step)] = bulletin_row(bulletin)
        match effect:
            case Keep():
                batch.runs.append(_run(effect, packer))
            case Remember():
                batch.tracks[(effect.module, effect.probe, effect.location)] = track_row(effect)
            case Settled():
                row = condition_row(effect)
                batch.conditions[(row["module"], row["probe"])] = row
            case Moved(transition):
                batch.transitions.append(transition_row(transition))
            case Saved():
                batch.incidents[effect.incident.id] = incident_row(effect.incident)
            case Versioned():
                row = version_row(effect)
                batch.versions[(row["module"], row["probe"], row["since"])] = row
            case Heard():
                batch.calls[(effect.module, effect.probe)] = call_row(effect)
            case Gap():
                row = gap_row(effect)
                batch.gaps[(row["location"], row["since"])] = row
            case Informed(id):
                batch.told[id] = told_row(effect)
            case Happened(one, seq):
                batch.happenings[(one.id, seq)] = happening_row(effect)
                batch.letters.update({letter.key: letter_row(letter) for letter in letters_of(effect)})
            case Gathered(channel):
                batch.digests[channel] = digest_row(effect)
            case Summed():
                letter = letter_of(effect)
                batch.letters[letter.key] = letter_row(letter)
            case Arranged(work):
                batch.maintenances[work.id] = maintenance_row(work)
                if work.started_at is not None:
                    batch.begun.append(micros(work.started_at))
            case Hushed(silence):
                batch.silences[silence.id] = silence_row(silence)
            case Repeated():
                batch.windows[effect.id] = window_row(effect)
            case Marked():
                batch.marks[(effect.location, effect.agent, effect.epoch)] = mark_row(effect)
            case Audited(entry):
                batch.audit.append(entry_row(entry))
    return batch


def _run(keep: Keep, packer: Packer | None) -> Run:
    observation = keep.observation
    key = (observation.module or NOBODY, observation.probe, observation.location)
    told = None if packer is None else said_by(keep)
    packed = None if packer is None or told is None else packer.again(key, *told)
    row = observation_row(keep) if packed is None else figures_row(keep)
    return Run(
        key=key,
        at=row["at"],
        hour=hour_of(observation.at),
        result=keep.result,
        duration=observation.duration,
        phases=observation.phases,
        counts=observation.module is not None and observation.steps is None and not keep.discarded,
        row=row,
        packed=packed,
        said=None if told is None else told[0],
    )
