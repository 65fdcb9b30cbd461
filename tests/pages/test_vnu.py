"""The Nu Html Checker, which browsers' makers and validator.nu use, has nothing to say about any page or badge."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from monitor.pages.site import site_files
from tests.pages import pictures
from tests.pages.conftest import THEME, loaded
from tests.pages.pictures import STATES
from tests.pages.test_render import each_kind
from tests.programs import from_npm, path_of

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)> '",
    "\u202e\x00\x08\x0c\x85\ud800\udfff\ufdd0\ufffe\U0001ffff x",
    "{{ 7 * 7 }} %(ratio)s & &amp; ]]> <!-- </style>",
]


def written(folder: Path) -> int:
    """Every page and badge of one picture, one page of each kind of the others; how many files."""
    texts = dict(site_files(pictures.stormy(), loaded(), THEME))
    files = {f"stormy/{path}": content for path, content in texts.items() if path.endswith((".html", ".svg"))}
    others = {state: STATES[state]() for state in STATES if state != "stormy"}
    others |= {f"hostile-{number}": pictures.hostile(text) for number, text in enumerate(HOSTILE)}
    for state, seen in others.items():
        published = site_files(seen, loaded(), THEME)
        files |= {f"{state}/{path}": text.encode() for path, text in each_kind(published)}
        files[f"{state}/overall.svg"] = published["badge/overall.svg"]
        files[f"{state}/cart.svg"] = published["badge/components/cart.svg"]
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return len(files)


GUESSED = re.compile("/hostile-|/healthcheck/")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_page_has_an_error_or_a_warning(tmp_path: Path) -> None:
    """In three languages, in every state, and with hostile text in every name."""
    java = path_of("java")
    jar = from_npm(tmp_path / "npm", "vnu-jar", "26") / "build" / "dist" / "vnu.jar"
    assert written(tmp_path / "site") > 500
    command = (
        java,
        "-jar",
        str(jar),
        "--format",
        "json",
        "--also-check-svg",
        "--skip-non-html",
        str(tmp_path / "site"),
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    messages = json.loads(done.stderr)["messages"]
    told = {
        f"{Path(one['url']).name}: {one['type']}: {one['message']} {one.get('extract', '')}"
        for one in messages
        # Where every name is nonsense, or a page is made of names, so is a guess at their language.
        if not (GUESSED.search(one["url"]) and "appears to be written in" in one["message"])
    }
    assert not told, sorted(told)[:10]
    assert done.returncode == 0
