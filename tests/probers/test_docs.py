"""The page about probers names every code they give, every header they keep and every limit they have."""

import re
from pathlib import Path

from monitor import mask
from monitor.core.codes import CODES
from monitor.probers import PROBERS, document, http

PAGE = (Path(__file__).parents[2] / "docs" / "probers.md").read_text()


def test_codes_in_the_docs_exist_and_codes_in_the_code_are_in_the_docs() -> None:
    """Neither invents any."""
    folder = Path(http.__file__).parent
    families = "dns|tcp|tls|http|content|self"
    written = {
        code for file in folder.glob("*.py") for code in re.findall(rf'"((?:{families})\.[a-z_]+)"', file.read_text())
    }
    told = set(re.findall(rf"`((?:{families})\.[a-z_]+)`", PAGE))

    assert written <= CODES.keys()
    assert told <= CODES.keys()
    assert written <= told


def test_headers_kinds_and_limits_are_told() -> None:
    """As figures, not as words."""
    assert [name for name in http.KEPT_HEADERS if f"`{name}`" not in PAGE] == []
    assert [kind for kind in PROBERS if f"`{kind}`" not in PAGE] == []
    for figure in (document.DEEPEST, document.MOST_VALUES, document.MOST_CONTAINERS, mask.EXCERPT, mask.LINE):
        assert f"{figure:,}" in PAGE
