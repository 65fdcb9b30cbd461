"""The audit log: what a line keeps of each word that people say."""

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.agenda import WorkAct
from monitor.core.audit import entry_of
from monitor.core.effect import Answered, Deed, Lifted, Ordered, Refusal, Said, Scheduled, Silenced, Spoken
from monitor.core.entry import brief, key_as_sent, own_key
from monitor.core.incident import Stage
from monitor.core.maintenance import Window
from monitor.core.match import Match
from monitor.core.silence import Scope
from monitor.core.word import Acknowledge, Correct, Edit, Lower, Open, Publish, Reply, Word, Write
from tests.store.past import NOON, after

TEXT = {"pt-BR": "Olhamos.", "en": "We look."}
HOUR = timedelta(hours=1)
Wanted = Spoken | Scheduled | Ordered | Silenced | Lifted | Deed
WORK = Window(
    "w1", {"en": "Move"}, NOON, NOON + HOUR, rule="FREQ=DAILY", message=TEXT, modules=("oms",), excuses=("slow",)
)
NOON_SAID, ONE_SAID = "2026-11-23T12:00:00.000Z", "2026-11-23T13:00:00.000Z"

WORDS: list[tuple[Word, str, dict[str, Any]]] = [
    (
        Open({"en": "Slow"}, TEXT, ("oms",), ("cart",), "major", Stage.IDENTIFIED, NOON, draft=True),
        "incident.open",
        {
            **{"title": {"en": "Slow"}, "message": TEXT, "modules": ["oms"], "components": ["cart"]},
            **{"impact": "major", "status": "identified", "started_at": NOON_SAID, "draft": True},
        },
    ),
    (Write("i1", TEXT), "incident.update", {"message": TEXT}),
    (Write("i1", TEXT, Stage.MONITORING), "incident.update", {"message": TEXT, "status": "monitoring"}),
    (Write("i1", TEXT, confirm="oms"), "incident.update", {"message": TEXT, "confirm_cause": "oms"}),
    (Write("i1", TEXT, Stage.RESOLVED), "incident.resolve", {"message": TEXT}),
    (Write("i1", TEXT, Stage.POSTMORTEM), "incident.postmortem", {"message": TEXT}),
    (Correct("i1", 2, TEXT), "incident.correct", {"update": 2, "message": TEXT}),
    (Edit("i1", TEXT, impact="major"), "incident.edit", {"title": TEXT, "impact": "major"}),
    (Edit("i1", {}, confirm=True), "incident.edit", {"own": ["title"], "confirm_cause": True}),
    (Edit("i1", TEXT, {}, ""), "incident.edit", {"title": TEXT, "own": ["summary", "impact"]}),
    (Acknowledge("i1"), "incident.acknowledge", {}),
    (Lower("i1", "low", TEXT), "incident.lower", {"priority": "low", "reason": TEXT}),
    (Reply("i1", "acme", "42", NOON), "incident.reply", {"store": "acme", "ticket": "42", "at": NOON_SAID}),
    (Publish("i1"), "incident.publish", {}),
]


def kept(event: Wanted, answer: Answered = Answered()) -> tuple[str, str, Any]:  # noqa: B008
    """Act, subject and detail."""
    line = entry_of(Said(event, "token", "Ana"), answer, "x", NOON)
    return line.act, line.subject, line.detail


@pytest.mark.parametrize(("word", "act", "detail"), WORDS, ids=[act for _, act, _ in WORDS])
def test_a_line_keeps_what_was_said_of_an_incident(word: Word, act: str, detail: dict[str, Any]) -> None:
    """Whole, and nothing that was not said. `own`: where the monitor's words are to stand again."""
    assert kept(Spoken(word)) == (act, "" if isinstance(word, Open) else "i1", detail)


def test_an_incident_that_was_opened_is_named_by_its_answer() -> None:
    """Nobody knew its id before."""
    assert kept(Spoken(WORDS[0][0]), Answered("i9"))[1] == "i9"


@pytest.mark.parametrize(
    ("event", "act", "subject", "detail"),
    [
        (
            Scheduled(WORK, (NOON,)),
            "maintenance.schedule",
            "w1",
            {
                **{"title": {"en": "Move"}, "message": TEXT, "from": NOON_SAID, "until": ONE_SAID},
                **{"rrule": "FREQ=DAILY", "modules": ["oms"], "excuses": ["slow"]},
            },
        ),
        (Ordered("m1", WorkAct.EXTEND, NOON + HOUR), "maintenance.extend", "m1", {"until": ONE_SAID}),
        (Ordered("m1", WorkAct.CANCEL, body=TEXT), "maintenance.cancel", "m1", {"message": TEXT}),
        (
            Silenced(
                Scope(Match(groups=frozenset({"buy"}), modules=frozenset({"oms", "cart"})), codes=frozenset({"tls"})),
                *("Known", NOON + HOUR, NOON),
            ),
            "silence.add",
            "",
            {
                **{"reason": "Known", "modules": ["cart", "oms"], "groups": ["buy"], "codes": ["tls"]},
                **{"from": NOON_SAID, "until": ONE_SAID},
            },
        ),
        (
            Silenced(
                Scope(Match(components=frozenset({"cart"}), priorities=frozenset({"low"})), incident="i1"),
                *("Known", NOON + HOUR),
            ),
            "silence.add",
            "",
            {
                **{"reason": "Known", "components": ["cart"], "priorities": ["low"], "incident": "i1"},
                "until": ONE_SAID,
            },
        ),
        (Silenced(Scope(), "Quiet", NOON + HOUR, None, True), "silence.add", "",
         {"reason": "Quiet", "until": ONE_SAID, "all": True}),
        (Lifted("s1"), "silence.remove", "s1", {}),
        (Deed("probe.run", "oms", {"asked": ["ask"]}), "probe.run", "oms", {"asked": ["ask"]}),
    ],
)  # fmt: skip
def test_a_line_keeps_what_else_people_want(event: Wanted, act: str, subject: str, detail: Any) -> None:
    """Planned work, silences, and what has no event of its own."""
    assert kept(event) == (act, subject, detail)


def test_a_line_says_who_how_and_what_became_of_it() -> None:
    """A refusal with its reason; a name on one line that can be read, of a hundred characters."""
    said = Said(Spoken(Acknowledge("i1\n")), "mqtt", "A\x00na\n" + "x" * 200, "10.0.0.1\r\n", request="k", digest="d")
    line = entry_of(said, Answered(refusal=Refusal("unknown", "no such incident")), "x", after(5))
    assert (line.id, line.at, line.how, line.request, line.digest) == ("x", after(5), "mqtt", "k", "d")
    assert (line.by, line.address, line.subject) == ("Ana" + "x" * 95, "10.0.0.1", "i1")
    assert (line.outcome, line.detail) == ("refused", {"refused": "unknown", "why": "no such incident"})
    assert entry_of(said, Answered(), "x", NOON).outcome == "done"


def test_what_cannot_be_seen_is_kept_out_of_texts() -> None:
    """Nobody reads a line in another order than it was written in."""
    assert brief("a\u202eb\x00c") == "abc"


def test_two_people_may_choose_the_same_key_and_read_the_one_they_chose() -> None:
    """Neither is answered with what the other did."""
    assert len({own_key(name, "7f3a") for name in ("Ana", "Bea", None)}) == 3
    assert [key_as_sent(own_key(name, "7f3a")) for name in ("Ana", None)] == ["7f3a", "7f3a"]
    assert key_as_sent(None) is None
