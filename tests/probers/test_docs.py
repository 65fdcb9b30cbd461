"""The page about probers names every code they give, every header they keep and every limit they have."""

import re
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from monitor import mask
from monitor.core.codes import CODES
from monitor.core.probe import Probe
from monitor.core.target import TcpTarget
from monitor.probers import PROBERS, Reach, document, http

from .looking import LIMIT, seen
from .misbehaving import WAYS, Behaviour, raw, served

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


async def test_the_example_of_a_new_kind_runs(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands on the page, against a server that greets, one that says something else, and one that is mute."""
    page = (Path(__file__).parents[2] / "docs" / "adding-a-prober.md").read_text()
    module = ModuleType("ftp")
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], module.__dict__)
    monkeypatch.setitem(PROBERS, "ftp", module.look)

    async def code(behave: Behaviour) -> str | None:
        async with served(behave) as server:
            target = TcpTarget("127.0.0.1", server.port, allow_private=True)
            probe = Probe("files", "greeting", "ftp", timedelta(seconds=30), timedelta(seconds=LIMIT), ask=target)
            return (await seen(reach, probe))[1].code

    assert await code(raw(b"220 hello\r\n", ask=False)) is None
    assert await code(WAYS["SSH banner"]) == "content.assertion"
    assert await code(raw(b"", ask=False)) == "content.assertion"
