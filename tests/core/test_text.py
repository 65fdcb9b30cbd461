"""Texts in languages: each reader gets the nearest one that somebody wrote."""

import pytest

from monitor.core.text import in_language

SHOP = {"pt-BR": "Loja", "pt": "Loja (PT)", "en": "Shop", "es": "Tienda"}


@pytest.mark.parametrize(
    ("text", "language", "read"),
    [
        pytest.param(SHOP, "pt-BR", "Loja", id="the very language"),
        pytest.param(SHOP, "pt-PT", "Loja (PT)", id="else the one that it is a kind of"),
        pytest.param(SHOP, "pt-Latn-AO", "Loja (PT)", id="however much its name says"),
        pytest.param(SHOP, "fr", "Shop", id="else English"),
        pytest.param({"es": "Tienda", "fr": "Boutique"}, "de", "Tienda", id="else whatever was written first"),
        pytest.param({}, "en", "", id="where nothing was written, nothing"),
    ],
)
def test_a_text_is_read_in_the_nearest_language_there_is(text: dict[str, str], language: str, read: str) -> None:
    """Nobody is left without one."""
    assert in_language(text, language) == read


def test_the_language_of_last_resort_may_be_another() -> None:
    """The one that a site says."""
    assert in_language(SHOP, "fr", default="es") == "Tienda"
