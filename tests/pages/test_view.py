"""What the pages say, before anything is rendered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.effect import Gap
from monitor.core.expectation import Outcome, Result
from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.core.track import Track
from monitor.pages.about import about
from monitor.pages.detail import component_page, module_page, months
from monitor.pages.facts import Facts
from monitor.pages.healthcheck import healthcheck
from monitor.pages.home import home, support
from monitor.pages.lens import Lens
from monitor.pages.picture import Picture
from monitor.pages.sparkline import draw
from monitor.pages.translate import Speech
from monitor.pages.view import Link
from tests.pages import pictures
from tests.pages.conftest import loaded, published


def look(picture: Picture, language: str = "en", speech: Speech | None = None) -> Lens:
    """A picture through one language."""
    return Lens(Facts(picture), speech or loaded(), language)


def plain(text: str) -> str:
    """With ordinary spaces."""
    return text.replace("\u00a0", " ")


def test_an_open_incident_tells_module_cause_since_and_reach() -> None:
    """The five things a merchant looks for, in Portuguese."""
    (one,) = home(look(pictures.troubled(), "pt-BR")).incidents

    assert one.title == "Promoções e impostos: sobrecarga ou serviço desligado (status 503)"
    assert plain(one.why) == (
        "Causa provável: sobrecarga ou limite de requisições. Também falham por causa disso: Checkout e Assinaturas. "
        "Nosso grau de certeza: 93 %."
    )
    assert plain(one.since.text) == "12:03 BRT"
    assert plain(one.ago) == "há 12 min"
    assert one.affected == "Carrinho, Fechamento do pedido, Preços e promoções e Assinaturas"
    assert one.unaffected.startswith("Navegação na loja, Busca de produtos")
    assert one.code == "http.503"
    assert one.updates[0].body == "Também afetado: Checkout."


def test_a_cause_nobody_is_sure_of_names_its_candidates() -> None:
    """Below the bar we say which modules remain, and blame none."""
    unsure = next(one for one in home(look(pictures.stormy())).incidents if one.code == "http.502")

    assert unsure.why == "The cause is probably one of: Orders (OMS), Order workflow, and Message Center."


def test_the_worst_incident_comes_first() -> None:
    """By impact, then the newest."""
    kinds = [one.mark.kind for one in home(look(pictures.stormy())).incidents]

    assert kinds == ["down", "part", "part", "slow"]


def test_yesterdays_incident_names_its_day() -> None:
    """A time alone would be misread."""
    since = pictures.NOW - timedelta(days=1)
    (one,) = home(look(pictures.picture([pictures.incident("oms", since)]))).incidents

    assert plain(one.since.text) == "Nov 22, 2026, 12:15 UTC-3"


@pytest.mark.parametrize(
    ("url", "href"),
    [("https://status.vtex.com/i/1", "https://status.vtex.com/i/1"), ("javascript:alert(1)", ""), (None, "")],
)
def test_what_the_platform_reports_is_a_link_where_there_is_one(url: str | None, href: str) -> None:
    """Under the headline it has there; nothing so far and nothing known are two things."""
    one = pictures.incident("oms", pictures.NOW)

    def report(made: Incident) -> Link:
        return home(look(pictures.picture([made]))).incidents[0].report

    assert report(pictures.reported(one, "Orders <late>", url)) == Link("Orders <late>", href)
    assert report(pictures.reported(one, None)) == Link("Nothing so far.", "")
    assert report(one) == Link("", "")


@pytest.mark.parametrize(
    ("state", "kind", "word"),
    [
        ("green", "ok", "All Systems Operational"),
        ("troubled", "part", "Partial System Outage"),
        ("stormy", "down", "Major System Outage"),
        ("degraded", "slow", "Partially Degraded Service"),
        ("blind", "none", "Last known: All Systems Operational"),
        ("newborn", "none", "Status Unknown"),
    ],
)
def test_the_overall_sentence(state: str, kind: str, word: str) -> None:
    """Its words and its shape; nothing is green that nobody sees."""
    overall = home(look(pictures.STATES[state]())).overall

    assert (overall.kind, overall.word) == (kind, word)


def test_nothing_known_is_not_green() -> None:
    """Before the first result every component is without data."""
    view = home(look(pictures.newborn(), "pt-BR"))

    assert not view.known
    assert {one.mark.word for group in view.groups for one in group.components} == {"Sem dados"}
    assert {one.status for group in view.groups for one in group.components} == {"unknown"}
    assert {one.uptime.ratio for group in view.groups for one in group.components} == {None}
    assert view.recent == ()


def test_a_component_of_unknown_modules_stays_unknown() -> None:
    """Its neighbours do not lend it their green."""
    components = {one.id: one for group in home(look(pictures.young())).groups for one in group.components}

    assert components["io"].mark.kind == "none"
    assert components["io"].told == "90 days without data"
    assert components["orders"].mark.kind == "ok"
    assert components["orders"].uptime.coverage == "3\u00a0%"


def test_quiet_days_share_a_line() -> None:
    """Days with incidents stand alone."""
    recent = home(look(pictures.green(), "pt-BR")).recent

    assert [(day.label, len(day.incidents)) for day in recent] == [
        ("20\u2009–\u200923 de nov.", 0),
        ("19 de nov.", 1),
        ("15\u2009–\u200918 de nov.", 0),
        ("14 de nov.", 1),
        ("10\u2009–\u200913 de nov.", 0),
    ]


def test_days_before_the_first_result_are_not_called_quiet() -> None:
    """Nobody looked, so nothing is said."""
    view = home(look(pictures.young()))

    assert [day.label for day in view.recent] == ["Nov 20\u2009–\u200923"]
    assert view.began == "Monitoring began on Nov 20, 2026."


def test_a_day_with_an_open_incident_is_not_quiet() -> None:
    """Today is left to the card at the top."""
    assert home(look(pictures.troubled())).recent[0].label == "Nov 20\u2009–\u200922"


def test_blindness_is_owned_up_to() -> None:
    """The present one and a past one."""
    view = home(look(pictures.blind(), "pt-BR"))

    assert "sem visão desde 12:09" in view.blind
    assert len(view.gaps) == 1


def test_a_long_blindness_is_no_start() -> None:
    """Modules fall to unknown after a while; the sentence stays what was last known, as in every other file."""
    view = home(look(pictures.blinded(30)))

    assert view.known
    assert (view.overall.kind, view.overall.word) == ("none", "Last known: All Systems Operational")


def test_old_gaps_are_left_out() -> None:
    """After two days a gap is history."""
    old = pictures.NOW - timedelta(days=3)

    assert home(look(pictures.picture(gaps=(Gap("here", old, old + timedelta(hours=1)),)))).gaps == ()


def test_failing_modules_come_first_the_cause_before_what_it_drags_along() -> None:
    """The first box is the one to look at."""
    view = healthcheck(look(pictures.troubled()))

    assert [one.id for one in view.modules[:3]] == ["promotions", "checkout", "subscriptions"]
    assert [one.role for one in view.modules[:4]] == ["root", "affected", "affected", ""]
    assert view.modules[1].blames == "Affected by Promotions and taxes"
    assert [(count, one.word) for count, one in view.counts] == [(3, "Unhealthy"), (22, "Healthy")]


def test_a_module_box_tells_places_and_speed() -> None:
    """Per location, with median and tail."""
    first = healthcheck(look(pictures.troubled())).modules[0]

    assert [(place, one.kind) for place, one in first.locations] == [(place, "down") for place in pictures.LOCATIONS]
    assert plain(first.p50).endswith(" ms")
    assert first.spark is not None
    assert first.spark.told.startswith("Median latency in the last 24 h:")


def test_a_module_that_only_caches_answer_for_says_so() -> None:
    """Its edge is there, the module may not be; one answer of its own at one place is enough to see it."""
    picture = pictures.green()
    edge = Result(Outcome.PASSED, edge_only=True)
    (probe,) = picture.board.platform.modules["checkout"].probes
    hits = {("checkout", probe.id, place): Track(last=edge) for place in pictures.LOCATIONS}

    def cached(hits: dict[tuple[str, str, str], Track]) -> list[str]:
        board = replace(picture.board, tracks={**picture.board.tracks, **hits})
        return [one.id for one in healthcheck(look(replace(picture, board=board))).modules if one.cached]

    assert cached(hits) == ["checkout"]
    assert cached(dict([*hits.items()][1:])) == []


def test_the_only_place_there_is_has_a_word() -> None:
    """`here` is what a location is called that nobody named; others keep their names."""
    lens = look(pictures.green(), "pt-BR")

    assert lens.place("here") == "aqui"
    assert lens.place("sao-paulo") == "sao-paulo"


def test_a_module_without_probes_is_not_one_whose_first_result_is_awaited() -> None:
    """It is never measured, and that is said."""
    picture = pictures.newborn()
    modules = dict(picture.board.platform.modules)
    modules["router"] = replace(modules["router"], probes=())
    board = replace(picture.board, platform=replace(picture.board.platform, modules=modules))
    view = healthcheck(look(replace(picture, board=board)))

    assert [one.id for one in view.modules if not one.measured] == ["router"]


def test_the_cause_leads_the_modules_of_an_incident() -> None:
    """Even when what it drags along was seen to fail first."""
    picture = pictures.troubled()
    id, incident = next(iter(picture.board.incidents.items()))
    late = replace(incident, members=(*incident.members[1:], incident.members[0]))
    seen = look(replace(picture, board=replace(picture.board, incidents={id: late}))).incident(late)

    assert [one.role for one in seen.members] == ["Cause", "Affected", "Affected"]


def test_what_was_seen_again_and_again_is_told_once_and_an_answer_names_whom_it_accuses() -> None:
    """Checkout's answer that names Pricing speaks of Pricing, not of whatever depends on Checkout."""
    picture = pictures.troubled()
    (incident,) = [one for one in picture.board.incidents.values() if one.is_open]
    (first,) = incident.cause.evidence
    named = replace(first, module="checkout", code=f"upstream.signalled:{incident.root}")
    evidence = (first, replace(first, at=first.at + timedelta(seconds=10)), named, named)
    incident = replace(incident, cause=replace(incident.cause, evidence=evidence))
    board = replace(picture.board, incidents={incident.id: incident})
    seen = look(replace(picture, board=board)).incident(incident).sightings

    assert [(one.module, one.seen) for one in seen] == [
        ("Promotions and taxes", "overload or service switched off (status 503)"),
        ("Checkout", "its answers name Promotions and taxes"),
    ]
    assert seen[0].at == look(picture).when(first.at)


def test_a_line_of_the_history_tells_that_an_incident_goes_on() -> None:
    """Its start alone would look like a moment."""
    lens = look(pictures.troubled())
    (going_on,) = lens.facts.open_incidents

    assert plain(lens.line(going_on).span).startswith("Since ")


def test_a_module_without_result_is_unknown_everywhere() -> None:
    """Words and shapes alike."""
    view = healthcheck(look(pictures.newborn()))

    assert {one.status for one in view.modules} == {Status.UNKNOWN}
    assert {mark.kind for one in view.modules for _, mark in one.locations} == {"none"}
    assert view.modules[0].since is None
    assert view.modules[0].spark is None


def test_the_table_of_days_begins_today() -> None:
    """Ninety rows, the newest first, as long as they were bad."""
    facts = Facts(pictures.troubled())
    page = component_page(Lens(facts, loaded(), "en"), facts.components["cart"])

    assert len(page.days) == 90
    assert (page.days[0].label, page.days[0].mark.word, plain(page.days[0].down)) == (
        "Nov 23",
        "Down",
        "11 min 40 s",
    )
    assert page.days[0].known == "100\u00a0%"
    assert [figure.ratio for _, figure in page.figures] == [
        "99.18\u00a0%",
        "99.88\u00a0%",
        "99.80\u00a0%",
        "99.93\u00a0%",
    ]


def test_a_module_page_knows_both_directions() -> None:
    """What it needs and what needs it."""
    facts = Facts(pictures.green())
    page = module_page(Lens(facts, loaded(), "en"), facts.modules["oms"])

    assert [one.name for one in page.module.needs] == ["License Manager"]
    assert [one.name for one in page.needed_by] == ["Fulfillment", "Order workflow", "Message Center"]


def test_every_month_since_the_beginning_has_a_page() -> None:
    """Quiet months too, each with its neighbours."""
    found = months(look(pictures.green(), "pt-BR")).months

    assert [month.label for month in found[:3]] == ["Novembro de 2026", "Outubro de 2026", "Setembro de 2026"]
    assert found[-1].href == "history/2026-05/"
    assert found[0].later is None
    assert found[0].earlier is not None
    assert found[0].earlier.text == "Outubro de 2026"


def test_only_addresses_a_browser_opens_become_links() -> None:
    """A script in the configuration stays out of the page."""
    bad = replace(pictures.SITE, links={"tickets": "https://t.example", "x": "javascript:alert(1)"})
    lens = look(pictures.picture(site=bad))

    assert [one.href for one in support(lens.facts, lens)] == ["https://t.example"]


def test_a_sparkline_breaks_where_hours_are_missing() -> None:
    """No line is drawn through what nobody measured."""
    hours = [(pictures.NOW - timedelta(hours=back), 50.0) for back in (5, 4, 1, 0)]
    drawn = draw(hours)

    assert drawn is not None
    assert drawn.line.count("M") == 2
    assert draw(hours[:1]) is None


def test_only_a_few_incidents_are_told_in_full() -> None:
    """On the worst day a phone shows every headline; what else is known of the later ones is folded, not left out."""
    view = home(look(pictures.stormy()))
    text = published("stormy")["en/index.html"].decode()

    assert len(view.incidents) > view.whole
    assert text.count("<details>") == len(view.incidents) - view.whole
    assert all(one.affected in text for one in view.incidents)


def test_slowness_whose_reason_is_not_known_says_so() -> None:
    """A degree of certainty alone is no reason."""
    slow = next(one for one in home(look(pictures.stormy())).incidents if one.code == "http.slow_ttfb")

    assert slow.why == "The reason is not known yet."


def test_a_component_tells_which_incidents_went_on_that_day() -> None:
    """The row of a day leads to what happened on it."""
    lens = look(pictures.troubled())
    rows = {day.iso: day for day in component_page(lens, lens.facts.components["cart"]).days}
    bad = [day for day in rows.values() if day.incidents]

    assert rows["2026-11-23"].incidents == (
        Link(lens.incident(lens.facts.open_incidents[0]).title, bad[0].incidents[0].href),
    )
    assert not rows["2026-11-22"].incidents


def test_formulas_are_worked_out_with_numbers_of_the_site() -> None:
    """The example is the component that was down for longest, and its numbers give its figure."""
    lens = look(pictures.troubled())
    view = about(lens)
    worst = max(lens.facts.components.values(), key=lambda one: one.uptime["90d"].down_seconds)

    assert view.example is not None
    assert view.example.component.text == lens.component(worst).name
    assert view.example.uptime.endswith(f" = {lens.component(worst).uptime.ratio}")
    assert lens.component(worst).uptime.down in view.example.uptime
    assert plain(view.measured) == "25 of 25 modules are measured, most of them every 30 s, from 3 places."


@pytest.mark.parametrize(
    ("confirm", "told"),
    [([None], "15 s"), ([5.0], "5 s"), ([None, 10.0], "10 s"), ([None, 300.0], "15 s"), ([300.0, 90.0], "1 min 30 s")],
)
def test_how_long_failures_have_to_last_is_told_as_it_is_configured(confirm: list[float | None], told: str) -> None:
    """The least that any check asks for, so that it holds of the others, too."""
    picture = pictures.troubled()
    everything = picture.board.platform
    asked = [None if one is None else timedelta(seconds=one) for one in confirm]
    modules = {
        id: replace(one, probes=tuple(replace(probe, confirm=asked[n % len(asked)]) for probe in one.probes))
        for n, (id, one) in enumerate(everything.modules.items())
    }
    board = replace(picture.board, platform=replace(everything, modules=modules))
    assert f"failures have to span {told} before" in plain(about(look(replace(picture, board=board))).proof)
