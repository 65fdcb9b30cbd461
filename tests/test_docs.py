"""The documentation says what is so: codes, words, links and commands are compared with the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from monitor.config.kinds import KINDS
from monitor.core.codes import CODES, Blame, CauseClass
from monitor.core.expectation import Outcome
from monitor.core.incident import Change, Stage
from monitor.core.module import Status, Strength
from monitor.core.observation import PHASES
from monitor.core.probe import Role
from monitor.core.tuning import Tuning
from tests.reference import PAGES as GENERATED

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
OURS = (".ci", "deploy", "docs", "monitor", "site", "tests")
TEXT = {".cfg", ".conf", ".css", ".html", ".j2", ".js", ".md", ".mako", ".po", ".pot", ".py", ".service", ".toml"} | {
    *(".txt", ".xml", ".yaml", ".yml", ""),
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def of_docs(name: str) -> str:
    return text(DOCS / name)


def files() -> Iterator[Path]:
    """Every file of the project that holds text."""
    tops = [one for one in ROOT.iterdir() if one.is_file() and one.name != ".git"]  # which a work tree has as a file
    inside = [one for folder in OURS for one in (ROOT / folder).rglob("*")]
    for one in [*tops, *inside]:
        if one.is_file() and one.suffix in TEXT and "__pycache__" not in one.parts:
            yield one


# -- the README --------------------------------------------------------------------------------------------------------


def section(page: str, title: str) -> str:
    """What stands under a heading of the second level."""
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def commands(part: str) -> list[str]:
    return [line for _, block in FENCE.findall(part) for line in block.splitlines() if line.strip()]


def test_readme_sets_up_with_exactly_two_commands() -> None:
    """One installs and runs the main job, one installs and passes all tests; each is a single line."""
    run, test = commands(section(text(ROOT / "README.md"), "Set up"))
    assert run.startswith("python3 -m venv .venv && ")
    assert run.endswith(" && .venv/bin/monitor demo")
    assert test.startswith("python3 -m venv .venv && ")
    assert test.endswith(" && .venv/bin/pytest")


def test_readme_has_nothing_else_that_looks_like_setting_up() -> None:
    """Whoever copies the wrong line is lost before they have begun."""
    readme = text(ROOT / "README.md")
    others = commands(readme.replace(section(readme, "Set up"), ""))
    assert [line for line in others if re.search(r"\bpip\b|-m venv|\b(apt|docker|uv|make)\b", line)] == []


def test_readme_example_is_a_configuration(tmp_path: Path) -> None:
    """The small file of the README is valid as it stands, with the one name it asks for."""
    from monitor.config.file import load

    (example,) = (block for language, block in FENCE.findall(text(ROOT / "README.md")) if language == "yaml")
    (tmp_path / "shop.yaml").write_text(example, encoding="utf-8")
    config = load(tmp_path / "shop.yaml", {"VTEX_ACCOUNT": "mystore"})
    assert config.warnings == ()
    assert {module: len(one.probes) for module, one in config.platform.modules.items()} == {"catalog": 1, "checkout": 1}


# -- links -------------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The fragments that headings of a page have."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Between pages, to files and to headings; addresses out there are not asked."""
    lost = []
    for link in LINK.findall(FENCE.sub("", text(page))):
        address, _, fragment = link.partition("#")
        if "://" in address or address.startswith("mailto:"):
            continue
        target = (page.parent / address).resolve() if address else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_is_as_the_code_is_now(name: str) -> None:
    """`python -m tests.reference --write` brings it up to date."""
    assert of_docs(name) == GENERATED[name](), "bring it up to date: python -m tests.reference --write"


def test_every_page_is_in_the_list_of_pages() -> None:
    """A page that nothing leads to is not read."""
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(of_docs("README.md"))}
    assert {page for page in DOCS.rglob("*.md") if page.resolve() not in listed} == {DOCS / "README.md"}


def test_every_page_is_in_the_site() -> None:
    """`mkdocs.yml` lists them in the order in which they are read."""
    listed = re.findall(r"([\w./-]+\.md)$", text(ROOT / "mkdocs.yml"), re.MULTILINE)
    top = {page for page in listed if (ROOT / page).is_file() and page != "README.md"}
    assert set(listed) - top == {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}


# -- words and numbers -------------------------------------------------------------------------------------------------


def test_every_cause_code_is_explained_with_its_blame_and_class() -> None:
    """The table is the closed list, no code more and none less."""
    rows = re.findall(r"^\| `([^`]+)`( ¹)? \| (\w+) \| (\w+) \| (.+) \|$", of_docs("judgement.md"), re.MULTILINE)
    table = {code: (blame, cls, bool(mark)) for code, mark, blame, cls, _ in rows}
    assert len(table) == len(rows)
    listed = {code: (one.blame.value, one.cls.value, one.deterministic) for code, one in CODES.items()}
    clients = {code for code in listed if code.startswith("http.4") and code != "http.429"}
    assert {listed.pop(code) for code in clients} == {table.pop("http.4xx")}
    assert table == listed


def test_every_blame_and_class_is_named() -> None:
    """Also those that no code has by itself."""
    page = of_docs("judgement.md")
    assert [one for one in (*Blame, *CauseClass) if f"`{one.value}`" not in page] == []


def test_waiting_times_are_those_of_the_code() -> None:
    """The table of what the detector waits for, in the order of the code that waits."""
    tuning = Tuning()
    rows = dict(re.findall(r"^\| ([a-z][^|]+?) \| ([\d.]+(?: s| min)?) \|$", of_docs("judgement.md"), re.MULTILINE))
    seconds = {
        what: float(value.split()[0]) * (60 if value.endswith("min") else 1)  # a count has no unit
        for what, value in rows.items()
    }
    assert seconds == {
        "span, one failure domain": tuning.span_single.total_seconds(),
        "span, several": tuning.span_quorum.total_seconds(),
        "first extra run": tuning.first_reprobe.total_seconds(),
        "further extra runs": tuning.reprobe.total_seconds(),
        "extra runs end after": tuning.patience.total_seconds(),
        "extra runs of a flow": tuning.flow_pause.total_seconds(),
        "interval while down": tuning.down_interval.total_seconds(),
        "time without failure before up": tuning.calm.total_seconds(),
        "good runs in a row before up": tuning.recovery_streak,
        "intervals without a usable run before unknown": tuning.stale_intervals,
        "an incident reopens within": tuning.reopen.total_seconds(),
    }


def test_every_word_of_the_code_is_in_the_glossary() -> None:
    """Words that people meet on pages, in JSON and in metrics mean one thing."""
    page = of_docs("glossary.md")
    words = [*Status, *Outcome, *Stage, *Change, *Strength, *Role, *PHASES]
    assert [word for word in words if not re.search(rf"\b{word}\b", page)] == []


def test_every_kind_of_probe_is_in_the_manual() -> None:
    """A kind that nobody can read about does not exist."""
    page = of_docs("configuration.md")
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []


def test_every_metric_is_in_the_documentation() -> None:
    """Names as `/metrics` gives them, read from the string literals of the room."""
    literals = {
        node.value
        for file in (ROOT / "monitor" / "metrics").rglob("*.py")
        for node in ast.walk(ast.parse(text(file)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = {one for one in literals if re.fullmatch(r"(monitor|probe)_[a-z_]+", one)}
    said = "\n".join(text(page) for page in DOCS.glob("*.md"))
    assert sorted(name for name in names if name not in said) == []


def test_every_key_of_an_observation_is_explained() -> None:
    """The JSON that other programs read has a row for each of its keys."""
    from datetime import UTC, datetime

    from monitor.core.observation import OF_A_STEP, Certificate, Failure, Http, Observation, observation_to_json

    now = datetime(2026, 11, 23, tzinfo=UTC)
    whole = observation_to_json(
        Observation(
            now,
            "m",
            "p",
            "here",
            now,
            0.1,
            failure=Failure("x"),
            http=Http(200),
            certificate=Certificate(now, "", "", ""),
        )
    )
    inner = [f"{key}.{name}" for key in ("http", "certificate") for name in whole[key]]
    inner += [f"steps[].{name}" for name in ("module", "name", "run", *OF_A_STEP)]
    page = of_docs("observations.md")
    keys = [*(key for key in whole if key not in ("http", "certificate")), *inner]
    assert [key for key in keys if f"`{key}`" not in page] == []


# -- nothing that only its writers understand --------------------------------------------------------------------------


def test_no_file_names_a_folder_of_somebody_s_machine() -> None:
    """Paths of ours mean nothing to anybody else."""
    machine = re.compile(r"(?<![\w.])/(?:home|root|w[o]rk|Users)/\w")
    assert [str(file.relative_to(ROOT)) for file in files() if machine.search(text(file))] == []


def test_every_page_that_is_mentioned_exists() -> None:
    """`docs/judgement.md` is there; a note that never was part of the project is not cited."""
    known = {page.name for page in PAGES}
    unknown = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files()
        if file != Path(__file__)
        for name in re.findall(r"\b([A-Za-z0-9._-]+\.md)\b", re.sub(r"https?://\S+", "", text(file)))
        if name not in known
    }
    assert sorted(unknown) == []


def test_code_cites_no_ticket() -> None:
    """A number in a tracker is no reason; the comment says it itself."""
    ticket = re.compile(r"\b(?:issues? #?\d|contract \d|section \d)", re.IGNORECASE)
    found = {
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in files()
        if file != Path(__file__)
        for match in ticket.finditer(text(file))
    }
    assert sorted(found) == []
