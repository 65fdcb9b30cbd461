"""The stored form of an incident, its id, and when it ended."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.codes import CODES
from monitor.core.identity import stable_id
from monitor.core.incident import (
    Act,
    Candidate,
    Cause,
    Evidence,
    Incident,
    Lowered,
    Member,
    Members,
    Stage,
    Update,
    incident_from_json,
    incident_to_json,
    key_of,
)
from monitor.core.module import Priority, Status
from tests.stories.beats import START, module, story

words = st.text(max_size=8)
instants = st.integers(0, 10**12).map(lambda ms: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
maybe = st.none() | instants
facts = st.none() | st.dictionaries(words, words | st.integers(), max_size=2)
texts = st.none() | st.dictionaries(words, words, max_size=2)


def several(*parts: st.SearchStrategy[object], of: type) -> st.SearchStrategy[tuple[object, ...]]:
    """A few things made of these parts."""
    return st.lists(st.builds(of, *parts), max_size=3).map(tuple)


causes = st.builds(
    Cause,
    scope=st.sampled_from(["module", "shared", "location", "unknown"]),
    module=st.none() | words,
    candidates=several(words, st.floats(0, 1), of=Candidate),
    code=st.sampled_from(sorted(CODES)),
    cls=words,
    confidence=st.floats(0, 1),
    state=st.sampled_from(["suspected", "confirmed"]),
    shared=facts,
    locations=st.lists(words, max_size=2).map(tuple),
    trigger=facts,
    evidence=several(instants, words, words, words, words, words, of=Evidence),
    platform_reports=facts,
)
incidents = st.builds(
    Incident,
    key=words,
    started_at=instants,
    detected_at=instants,
    published_at=maybe,
    stage=st.sampled_from(list(Stage)),
    impact=st.sampled_from(["minor", "major", "critical"]),
    priority=st.sampled_from(list(Priority)),
    cause=causes,
    members=several(words, words, st.sampled_from(list(Status)), instants, maybe, st.booleans(), of=Member),
    components=st.lists(words, max_size=2).map(tuple),
    spared=st.lists(words, max_size=2).map(tuple),
    merged_into=st.none() | words,
    lowered=st.none() | st.builds(Lowered, instants, *[st.sampled_from(list(Priority))] * 2),
    updates=several(
        instants,
        st.sampled_from(list(Stage)),
        words,
        st.dictionaries(words, words, max_size=2),
        st.sampled_from(["monitor", "person"]),
        texts,
        maybe,
        of=Update,
    ),
    acknowledged_at=maybe,
    resolved_at=maybe,
    reopened=st.integers(0, 9),
    title=texts,
    summary=texts,
    impact_said=st.booleans(),
    by_hand=st.booleans(),
    acts=several(
        instants,
        words,
        st.none() | words,
        st.none() | words,
        st.dictionaries(words, words, max_size=2),
        of=Act,
    ),
)


@given(incidents)
def test_the_stored_form_gives_the_incident_back(incident: Incident) -> None:
    """Whole, by way of JSON text, and the form of what came back is the same again."""
    back = incident_from_json(json.loads(json.dumps(incident_to_json(incident))))
    assert back == incident
    assert incident_to_json(back) == incident_to_json(incident)


def test_the_id_follows_the_key_and_the_key_never_changes() -> None:
    """From the module named first and the onset, to the millisecond."""
    key = key_of("catalog", START + timedelta(microseconds=1500))
    assert key == "inc:catalog:2026-11-23T12:00:00.001Z"
    told = story(module("checkout", "catalog"), module("catalog"))
    told.play({"checkout": "++" + "-" * 8, "catalog": "+++" + "-" * 7})
    (incident,) = told.incidents
    assert (incident.root, incident.id) == ("catalog", stable_id("inc:checkout:2026-11-23T12:01:00.000Z"))


def test_it_ended_when_the_last_member_answered() -> None:
    """Not at all while one has not."""
    told = story(module("checkout", "catalog"), module("catalog"))
    told.play({"checkout": "++" + "-" * 8 + "+" * 5, "catalog": "++" + "-" * 6 + "+" * 7})
    (incident,) = told.incidents
    assert incident.ended_at == START + timedelta(seconds=300)
    going_on = replace(incident, members=(replace(incident.members[0], until=None), *incident.members[1:]))
    assert going_on.ended_at is None


@given(incidents)
def test_what_was_stored_before_people_could_speak_is_read_as_well(incident: Incident) -> None:
    """An earlier version wrote none of their keys: nobody had said anything, and all of it was public."""
    raw = json.loads(json.dumps(incident_to_json(replace(incident, published_at=START))))
    for key in ("summary", "impact_said", "by_hand", "acts"):
        del raw[key]
    for update in raw["updates"]:
        del update["updated_at"]
    back = incident_from_json(raw)
    assert (back.summary, back.impact_said, back.by_hand, back.acts) == (None, False, False, ())
    assert (back.published_at, back.title) == (START, incident.title)
    assert all(update.updated_at is None for update in back.updates)


ROLL = st.builds(Member, st.sampled_from("abcdef"), st.just("affected"), st.sampled_from(Status), st.just(START))


@given(st.lists(st.tuples(st.integers(0, 30), ROLL), max_size=30))
def test_very_many_members_are_found_by_their_module(puts: list[tuple[int, Member]]) -> None:
    """Each version finds what it holds and nothing else, also where two grew out of the same one."""
    versions: list[tuple[tuple[Member, ...], Members]] = [((), Members.of(()))]
    for number, member in puts:
        plain, members = versions[number % len(versions)]
        known = [one.module for one in plain]
        if member.module in known:
            place = known.index(member.module)
            versions.append(((*plain[:place], member, *plain[place + 1 :]), members.put(member)))
        else:
            versions.append(((*plain, member), members.put(member)))
    for plain, members in versions:
        assert members == plain
        assert Members.of(members) is members
        for id in "abcdefg":
            assert members.find(id) == next((one for one in plain if one.module == id), None)
