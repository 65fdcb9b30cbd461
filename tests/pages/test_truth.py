"""A publication that contradicts itself says so; one of a healthy life never does, whatever fails out there."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings

from monitor.core.board import Condition
from monitor.core.history import History
from monitor.core.incident import Stage
from monitor.core.module import Component, Group, Platform, Status
from monitor.pages.home import home
from monitor.pages.picture import Picture
from monitor.pages.site import site_files
from monitor.pages.truth import Contradiction, Kind, contradictions, files_against_page, promise
from tests.core.worlds import Beat, days, events, live, worlds
from tests.depth import examples
from tests.pages import pictures
from tests.pages.conftest import EVERY, THEME, loaded
from tests.pages.test_view import look
from tests.stories.beats import START, module, story


def kinds(picture: Picture) -> list[Kind]:
    """What kind of contradictions there are."""
    return [one.kind for one in contradictions(picture)]


# --- in a healthy life


@pytest.mark.parametrize("state", EVERY)
def test_no_state_of_the_shop_contradicts_itself(state: str) -> None:
    """Green, troubled, stormy, blind, young and all the rest; neither do the files made of it."""
    seen = pictures.STATES[state]()
    assert contradictions(seen) == ()
    assert files_against_page(seen, site_files(seen, loaded(), THEME)) == ()


def shown(world: Platform) -> Platform:
    """Every module in a component of its own, and in one with its neighbour."""
    ids = list(world.modules)
    own = tuple(Component(id, {"en": id}, (id,)) for id in ids)
    pairs = tuple(Component(f"with-{id}", {"en": id}, (id, ids[number - 1])) for number, id in enumerate(ids))
    return replace(world, groups=(Group("own", {"en": "Own"}, own), Group("pairs", {"en": "Pairs"}, pairs)))


@settings(max_examples=examples(60), deadline=None)
@given(worlds(canaries=3), days(kinds=("tick", "reload", "canaries")))
def test_whatever_happens_no_step_contradicts_itself(world: Platform, beats: list[Beat]) -> None:
    """Suspicions, outages, recoveries in their calm time, blindness, modules that leave and come back."""
    world = shown(world)
    for (seconds, _), (_, _, _, board) in zip(events(world, beats), live(world, beats).steps, strict=True):
        now = START + timedelta(seconds=seconds)
        assert contradictions(Picture(pictures.SITE, board, History(), now, now)) == ()


@pytest.mark.parametrize(
    "outcomes", ["+-+-+--------", "++----------++++++", "----", "++??????----------", "~~~~~~~~~~~~~~"]
)
def test_no_beat_of_a_story_contradicts_itself(outcomes: str) -> None:
    """Being confirmed, being over, the first seconds after a start."""
    catalog = module("catalog")
    for beats in range(1, len(outcomes) + 1):
        told = story(catalog, groups=(Group("shop", {}, (Component("shop", {}, ("catalog",)),)),))
        told.play({"catalog": outcomes[:beats]})
        now = START + timedelta(seconds=30 * (beats - 1) + 1)
        assert kinds(Picture(pictures.SITE, told.board, History(), now, now)) == []


def test_a_module_that_moves_to_another_component_is_told_of_by_its_incident() -> None:
    """The incident's own list of components is older than the reload."""
    seen = pictures.troubled()
    moved = Component("elsewhere", {"en": "Elsewhere"}, ("promotions", "catalog"))
    platform = replace(seen.board.platform, groups=(Group("new", {"en": "New"}, (moved,)),))
    assert kinds(replace(seen, board=replace(seen.board, platform=platform))) == []


def test_what_the_store_has_not_heard_of_yet_is_no_contradiction() -> None:
    """The board is ahead of it: an incident that is over there is over on the page."""
    seen = pictures.troubled()
    (one,) = seen.board.incidents.values()
    over = replace(one, stage=Stage.RESOLVED, resolved_at=seen.now)
    well = {id: Condition(Status.UP, seen.now) for id in seen.board.modules}
    ahead = replace(seen, board=replace(seen.board, modules=well, incidents={one.id: over}))
    assert ahead.overall()[0] == "none"
    assert kinds(ahead) == []


# --- and what it finds


def test_trouble_that_no_incident_tells_of() -> None:
    """One finding for each component."""
    seen = pictures.green()
    since = seen.now - timedelta(minutes=3)
    board = replace(seen.board, modules={**seen.board.modules, "search": Condition(Status.DOWN, since)})
    assert contradictions(replace(seen, board=board)) == (Contradiction(Kind.OUTAGE_WITHOUT_INCIDENT, "search", since),)


@pytest.mark.parametrize(
    ("minutes", "stage", "found"),
    [
        pytest.param(29, Stage.IDENTIFIED, False, id="not for long"),
        pytest.param(31, Stage.IDENTIFIED, True, id="for long"),
        pytest.param(300, Stage.MONITORING, False, id="it is watched, and says so"),
    ],
)
def test_an_open_incident_over_nothing_but_working_components(minutes: int, stage: Stage, found: bool) -> None:
    """Counted from the last thing that happened to it or to its components."""
    seen = pictures.troubled()
    (one,) = seen.board.incidents.values()
    at = seen.now + timedelta(minutes=1)
    well = {id: Condition(Status.UP, at) for id in seen.board.modules}
    board = replace(seen.board, modules=well, incidents={one.id: replace(one, stage=stage)})
    now = at + timedelta(minutes=minutes)
    expected = [Contradiction(Kind.INCIDENT_WITHOUT_OUTAGE, one.id, at)] if found else []
    assert list(contradictions(replace(seen, board=board, now=now, data_until=now))) == expected


def test_data_older_than_the_probes_promise() -> None:
    """Three intervals and a time-out, never less than two minutes."""
    seen = pictures.green()
    assert promise(seen.board.platform) == timedelta(minutes=2)
    old = replace(seen, data_until=seen.now - timedelta(minutes=2, seconds=1))
    assert kinds(old) == [Kind.OLD_DATA]
    assert kinds(replace(seen, data_until=None)) == []
    began = replace(seen.board, began_at=seen.now - timedelta(minutes=5))
    assert kinds(replace(seen, data_until=None, board=began)) == [Kind.OLD_DATA]


@pytest.mark.parametrize("fine", [True, False])
def test_a_verdict_that_does_not_go_with_the_components(fine: bool) -> None:
    """Whatever the reason, here a sentence that was tampered with."""

    class Tampered(Picture):
        def overall(self) -> tuple[str, str]:
            return ("critical", "Major System Outage") if fine else ("none", "All Systems Operational")

    seen = pictures.green() if fine else pictures.troubled()
    tampered = Tampered(seen.site, seen.board, seen.history, seen.now, seen.data_until)
    assert kinds(tampered) == [Kind.VERDICT_AGAINST_COMPONENTS]


def test_files_that_tell_of_an_incident_otherwise_than_the_page() -> None:
    """A file that is missing or says something else."""
    seen = pictures.troubled()
    files = site_files(seen, loaded(), THEME)
    (one,) = seen.board.incidents.values()
    name = f"api/v1/incidents/{one.id}.json"
    for wrong in (
        {file: body for file, body in files.items() if file != name},
        {**files, name: files[name].replace(b'"status":"identified"', b'"status":"resolved"', 1)},
        {**files, "api/v2/incidents/unresolved.json": b'{"incidents":[]}'},
    ):
        assert files_against_page(seen, wrong) == (Contradiction(Kind.FILES_AGAINST_PAGE, one.id),)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("pt-BR", "Busca de produtos está com problemas e nenhum incidente fala disso ainda."),
        ("en", "Product search is in trouble and no incident tells of it yet."),
        ("es", "Búsqueda tiene problemas y ningún incidente habla de ello todavía."),
    ],
)
def test_the_page_says_so_in_every_language(language: str, sentence: str) -> None:
    """In plain words, near the top."""
    seen = pictures.green()
    board = replace(seen.board, modules={**seen.board.modules, "search": Condition(Status.DOWN, seen.now)})
    wrong = replace(seen, board=board)
    assert home(look(wrong, language)).doubts == (sentence,)
    text = site_files(wrong, loaded(), THEME)["index.html" if language == "pt-BR" else f"{language}/index.html"]
    assert sentence in text.decode()
