"""What is said in each language, and that nothing is left unsaid."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from babel.messages.pofile import read_po

from monitor.core.wording import Sentence
from monitor.pages.catalogue import catalogue_file, wanted
from monitor.pages.translate import Speech
from tests.pages.conftest import LANGUAGES, THEME

AT = datetime(2026, 11, 23, 15, 3, 40, tzinfo=UTC)
ZONE = "America/Sao_Paulo"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing(speech: Speech, language: str) -> None:
    """Every message of templates, wording and pages has a finished translation."""
    assert speech.missing(language) == []


def test_messages_are_found_where_they_are_used() -> None:
    """The search for messages reaches templates, wording and pages, plurals included."""
    found = wanted(THEME)

    assert "templates/home.html" in found["Next update"]
    assert "core/wording.py" in found["slow answers"]
    assert "pages/words.py" in found["Partial outage"]
    assert ("{count} day good", "{count} days good") in found


def test_a_language_without_catalogue_is_missing_everything() -> None:
    """It speaks English meanwhile."""
    speech = Speech.load(("fr",), THEME)

    assert "Next update" in speech.missing("fr")
    assert speech.gettext("fr", "Next update") == "Next update"


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_places_survive_translation(language: str) -> None:
    """A translation has the places of its message, and no markup of its own."""
    with catalogue_file(THEME, language).open("rb") as opened:
        catalogue = read_po(opened)
    assert len(catalogue) > 1000
    for message in catalogue:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
        for string in strings if ids[0] else []:
            assert sorted(re.findall(r"\{\w+\}|%\(\w+\)s", string)) == sorted(re.findall(r"\{\w+\}|%\(\w+\)s", ids[-1]))
            assert not re.search(r"[<>&]", string), string


def test_sentences_are_filled_with_texts_sentences_and_lists(speech: Speech) -> None:
    """A place takes a text per language, another sentence, or a list of names."""
    name = {"en": "Catalog", "pt-BR": "Catálogo", "es": "Catálogo"}
    what = Sentence("{module}: {seen}.", {"module": name, "seen": Sentence("slow answers")})
    also = Sentence("Affected: {components}.", {"components": (name, "Checkout", {"en": "Cart"})})

    assert speech.say("pt-BR", [what, also]) == ("Catálogo: respostas lentas. Afetado: Catálogo, Checkout e Cart.")
    assert speech.every(what) == {
        "pt-BR": "Catálogo: respostas lentas.",
        "en": "Catalog: slow answers.",
        "es": "Catálogo: respuestas lentas.",
    }


def test_braces_in_a_name_are_only_text(speech: Speech) -> None:
    """What fills a place is never read as a message again."""
    hostile = Sentence("Working again: {module}.", {"module": "{seen} {0.__class__} {"})

    assert speech.say("en", hostile) == "Working again: {seen} {0.__class__} {."
    assert speech.say("en", Sentence("{unknown} stays")) == "{unknown} stays"


def test_a_name_cannot_turn_the_sentence_around(speech: Speech) -> None:
    """Marks that reverse the direction of what follows are left out."""
    assert speech.say("en", Sentence("Working again: {module}.", {"module": "a\u202eb"})) == "Working again: ab."


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("pt-BR", "23 de nov. de 2026, 12:03\u00a0BRT"),
        ("en", "Nov 23, 2026, 12:03\u00a0UTC-3"),
        ("es", "23 nov 2026, 12:03\u00a0UTC-3"),
    ],
)
def test_times_name_their_zone(speech: Speech, language: str, expected: str) -> None:
    """An absolute time is never without its zone."""
    assert speech.moment(language, AT, ZONE) == expected


def test_zones_off_the_hour(speech: Speech) -> None:
    """Half hours and UTC are told as they are."""
    assert speech.clock("pt-BR", AT, "Asia/Kolkata") == "20:33\u00a0UTC+5:30"
    assert speech.clock("pt-BR", AT, "UTC") == "15:03\u00a0UTC"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (31, "31 s"),
        (1860, "31 min"),
        (700, "11 min 40 s"),
        (4320, "1 h 12 min"),
        (3605, "1 h"),
        (97200, "1 d 3 h"),
    ],
)
def test_durations(speech: Speech, seconds: float, expected: str) -> None:
    """The two largest units, by their international signs."""
    assert speech.duration("pt-BR", seconds).replace("\u00a0", " ") == expected


def test_ago(speech: Speech) -> None:
    """To the minute, and never in the future."""
    assert speech.ago("pt-BR", AT, AT + timedelta(minutes=12, seconds=50)) == "há 12\u00a0min"
    assert speech.ago("es", AT, AT + timedelta(hours=2, minutes=10)) == "hace 2\u00a0h 10\u00a0min"
    assert speech.ago("en", AT, AT - timedelta(minutes=5)) == "1\u00a0min ago"


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1.0, "100 %"),
        (0.99999, "99,99 %"),
        (1 - 1e-13, "99,99 %"),
        (0.99951, "99,95 %"),
        (0.5, "50,00 %"),
        (0.0, "0,00 %"),
    ],
)
def test_a_share_is_never_rounded_up_to_whole(speech: Speech, ratio: float, expected: str) -> None:
    """Only what is whole is called so."""
    assert speech.percent("pt-BR", ratio).replace("\u00a0", " ") == expected


def test_counting(speech: Speech) -> None:
    """Portuguese counts none as one, English as many."""
    counted = ("{count} incident", "{count} incidents")

    assert speech.counted("pt-BR", *counted, 0) == "0 incidente"
    assert speech.counted("en", *counted, 0) == "0 incidents"
    assert speech.counted("es", *counted, 2) == "2 incidentes"
