"""The page of support: what the operator offers, and nothing that nobody wrote."""

import re
from dataclasses import replace

import pytest

from monitor.core.guide import entries
from monitor.core.plan import Feature, Plan, Price, Range
from monitor.pages.codes import codes_page
from monitor.pages.facts import Facts
from monitor.pages.home import support
from monitor.pages.lens import Lens
from monitor.pages.support import Ask, Cell, SupportView, support_page
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.conftest import THEME, published

SPEECH = Speech.load(("pt-BR", "en", "es"), THEME)


def page(*plans: Plan, language: str = "en", **site: object) -> SupportView:
    picture = pictures.working()
    told = replace(picture.site, **({"plans": plans} | site))  # type: ignore[arg-type]
    lens = Lens(Facts(replace(picture, site=told)), SPEECH, language)
    return support_page(lens, support(lens.facts, lens))


def named(id: str, **what: object) -> Plan:
    return Plan(id, {"en": id.title()}, **what)  # type: ignore[arg-type]


def test_nothing_is_shown_that_nobody_wrote() -> None:
    """A plan of which only the name is known has no row; without plans there is no table and no question."""
    assert page(named("free")).rows == ()
    assert page(named("free")).plans == (("Free", ""),)
    assert (page().plans, page().rows, page().ask) == ((), (), None)


@pytest.mark.parametrize(
    ("language", "price"),
    [("en", "R$1,200.50 a month"), ("pt-BR", "R$ 1.200,50 por mês"), ("es", "1.200,50 BRL al mes")],
)
def test_money_is_told_as_people_write_it(language: str, price: str) -> None:
    """In each language; what costs nothing is free."""
    view = page(
        named("paid", price=Price(1200.5, "BRL", "month")),
        named("free", price=Price(0, "BRL", "month")),
        language=language,
    )
    assert view.rows[0].cells[0].text.replace("\u00a0", " ") == price
    assert view.rows[0].cells[1].text in ("free", "grátis", "gratis")


def test_what_a_plan_does_not_say_is_left_open() -> None:
    """No, unlimited, and not a word about it are three things."""
    plans = named("a", is_unlimited=True, key_account=False), named("b", ticket_users=7), named("c", key_account=True)
    rows = {one.name: one.cells for one in page(*plans).rows}
    assert rows == {
        "Users of the ticket tool": (Cell("text", "unlimited"), Cell("text", "7"), Cell("")),
        "Key account": (Cell("no"), Cell(""), Cell("yes")),
    }


def test_features_of_one_name_are_one_row() -> None:
    """Whatever each plan says of it: yes, no, a text, a link."""
    name = {"en": "REST API", "es": "API REST"}
    plans = (
        named("a", features=(Feature(name, True, None, "https://example.com/api"),)),
        named("b", features=(Feature(name, False),)),
        named("c", features=(Feature(name, None, {"en": "on request"}),)),
        named("d"),
        named("e", features=(Feature(name, None, None, "https://example.com/more"),)),
    )
    (row,) = page(*plans).rows
    assert row.name == "REST API"
    assert row.cells == (
        Cell("yes", "", "https://example.com/api"),
        Cell("no"),
        Cell("text", "on request"),
        Cell(""),
        Cell("text", "REST API", "https://example.com/more"),
    )


def test_questions_lead_to_a_plan() -> None:
    """In words, with numbers as the language writes them."""
    large = named("global", suggested_when={"orders_per_day": Range(at_least=1000)})
    ask = page(named("community"), large, language="es").ask
    assert ask == Ask(
        "¿Cuántos pedidos tiene la tienda al día?", (("menos de 1.000", "Community"), ("1.000 o más", "Global"))
    )


def test_the_page_holds_it_all_without_script() -> None:
    """Plans, rows and each possible answer stand in the page; every link of the footer leads here."""
    files = published("working")
    for folder in ("", "en/", "es/"):
        text = files[f"{folder}support/index.html"].decode()
        assert re.findall(r'<th scope="col">(\w+)', text) == ["Community", "Global"]
        assert text.count("<details") == 4
        assert "https://help.example.com" in text
        assert "support/" in files[f"{folder}index.html"].decode()


def test_every_code_stands_once_on_the_page_of_codes() -> None:
    """Under its own address, in each language, and the operator's help beside those that it is for."""
    picture = pictures.working()
    site = replace(picture.site, help={"http.429": "https://help.example/429"})
    for language in ("pt-BR", "en", "es"):
        view = codes_page(Lens(Facts(replace(picture, site=site)), SPEECH, language))
        rows = [row for _, _, some in view.families for row in some]
        codes = [code for row in rows for code in row.codes]
        assert sorted(codes) == sorted(one.code for one in entries())
        assert [row.codes for row in rows if row.help] == [("http.429",)]
        assert all(row.meaning and row.whose and row.advice for row in rows)
