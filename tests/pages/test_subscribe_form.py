"""The form by which readers of the public page are told."""

from dataclasses import replace

import pytest

from monitor.pages.render import html_files
from tests.pages import pictures
from tests.pages.conftest import LANGUAGES, THEME, loaded


@pytest.mark.parametrize("url", ["https://subscribe.example.com", "https://subscribe.example.com/subscribe"])
def test_it_is_there_where_somebody_takes_it_and_works_without_script(url: str) -> None:
    """On the home page of each language and on the page of a component, which it is about; nowhere else."""
    silent = html_files(pictures.troubled(), loaded(), THEME)
    assert not [path for path, page in silent.items() if b"<form" in page]
    seen = replace(pictures.troubled(), site=replace(pictures.SITE, subscribe_url=url))
    files = html_files(seen, loaded(), THEME)
    for language in LANGUAGES:
        folder = "" if language == LANGUAGES[0] else f"{language.lower()}/"
        home, part = (files[f"{folder}{path}index.html"].decode() for path in ("", "components/cart/"))
        for page in (home, part):
            assert '<form class="told" method="post" action="https://subscribe.example.com/subscribe">' in page
            assert f'<input type="hidden" name="language" value="{language}">' in page
        assert '<input type="hidden" name="components" value="cart">' in part
        assert 'name="components"' not in home
    assert b"<form" not in files["history/index.html"]
