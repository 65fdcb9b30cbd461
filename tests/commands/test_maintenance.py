"""`monitor maintenance`, as it is typed: over a store that nobody else has, so the counter answers for it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.commands.errand import change, look
from monitor.config import Config
from monitor.config.file import load
from tests.processes.running import free_port

FILE = """
version: 1
site: {{name: Shop, languages: [pt-BR, en], timezone: America/Sao_Paulo}}
monitor: {{public: "127.0.0.1:{page}", ops: "127.0.0.1:{ops}"}}
maintenance:
  - {{id: sundays, title: {{pt-BR: Domingos, en: Sundays}}, from: 2026-11-01T02:00, duration: 2h,
      rrule: FREQ=WEEKLY;BYDAY=SU, modules: [catalog]}}
components:
  - group: {{id: shop, name: Shop}}
    items: [{{id: browsing, name: Browsing, modules: [catalog]}}]
modules:
  - {{id: catalog, name: Catalog, probes: []}}
  - {{id: checkout, name: Checkout, probes: []}}
"""


class Shell:
    """A folder with a configuration, where commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.file, self.data = folder / "probes.yaml", folder / "data"
        self.file.write_text(FILE.format(page=free_port(), ops=free_port()))

    def type(self, *words: str) -> Result:
        """One command."""
        return CliRunner().invoke(
            main, ["--config", str(self.file), "--data", str(self.data), "maintenance", *words], catch_exceptions=False
        )

    def plan(self, *words: str) -> dict[str, Any]:
        """Plans work; what is answered."""
        result = self.type("schedule", *words, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def listed(self) -> list[dict[str, Any]]:
        """Everything, the standing windows aside."""
        lines = [json.loads(line) for line in self.type("list", "--json").stdout.splitlines()]
        return [one for one in lines if one.get("window") != "sundays"]

    @property
    def config(self) -> Config:
        return load(self.file, {})


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_work_is_planned_listed_moved_and_withdrawn(shell: Shell) -> None:
    """From one command to the next, by way of the store."""
    one = shell.plan("--title", "New database", "--from", "+1h", "--duration", "30m", "--modules", "checkout")
    assert (one["status"], one["modules"], one["title"]["pt-BR"]) == ("scheduled", ["checkout"], "New database")
    table = shell.type("list")
    assert re.search(rf"^{one['id']}  scheduled .* checkout +New database$", table.stdout, re.MULTILINE)
    assert table.stdout.count("Domingos") in (12, 13)

    longer = shell.type("extend", one["id"][:8], "--until", "+3h", "-m", "Demora mais.", "--json")
    assert json.loads(longer.stdout)["updates"][-1]["body"]["pt-BR"] == "Demora mais."
    gone = shell.type("cancel", one["id"])
    assert (gone.exit_code, "cancelled" in gone.stdout) == (0, True)
    again = shell.type("cancel", one["id"])
    assert (again.exit_code, again.stderr) == (1, "it is over: cancelled\n")
    assert [found["status"] for found in shell.listed()] == ["cancelled"]


def test_work_that_begins_now_is_verified_and_completed(shell: Shell) -> None:
    """The whole life of it by hand; what comes too early or too late is refused."""
    one = shell.plan("--title", "Agora", "--title", "Now", "--lang", "pt-BR", "--lang", "en", "--duration", "1h")
    assert (one["status"], one["title"]) == ("in_progress", {"pt-BR": "Agora", "en": "Now"})
    for act, status in (("verify", "verifying"), ("complete", "completed")):
        said = shell.type(act, one["id"], "--json")
        assert json.loads(said.stdout)["status"] == status
    assert shell.type("complete", one["id"]).exit_code == 1
    ahead = shell.plan("--title", "Depois", "--from", "+1d", "--duration", "1h")
    assert shell.type("complete", ahead["id"]).stderr == "it has not begun: cancel it instead\n"


def test_a_rule_is_kept_and_withdrawn_as_a_whole(shell: Shell) -> None:
    """All that is to come of it goes with the window; what the file plans stays."""
    window = shell.plan("--title", "Noites", "--from", "+2h", "--duration", "30m", "--rrule", "FREQ=DAILY;COUNT=3")
    works = [one for one in shell.listed() if one.get("window") == window["id"]]
    assert [one["status"] for one in works] == ["scheduled"] * 3
    assert shell.type("extend", window["id"], "--until", "+9h").exit_code == 2
    assert shell.type("cancel", works[0]["id"]).exit_code == 0
    assert shell.type("cancel", window["id"]).exit_code == 0
    assert [one["status"] for one in shell.listed()] == ["cancelled"] * 3
    assert "Domingos" in shell.type("list", "--status", "scheduled").stdout


def test_a_window_is_told_as_it_was_planned(shell: Shell) -> None:
    """Whole, in JSON: from and until are those of the first time."""
    words = ("--title", "Noites", "-m", "Sem pedidos.", "--from", "2030-01-01T02:00", "--duration", "30m")
    rule = ("--rrule", "FREQ=DAILY;COUNT=3", "--modules", "catalog", "--excuses", "slow", "--lang", "pt-BR")
    window = shell.plan(*words, *rule, "--timezone", "Europe/Madrid")
    assert len(window.pop("id")) == 12
    assert window == {
        "title": {"pt-BR": "Noites", "en": "Noites"},
        "message": {"pt-BR": "Sem pedidos.", "en": "Sem pedidos."},
        "from": "2030-01-01T01:00:00.000Z",
        "until": "2030-01-01T01:30:00.000Z",
        "rrule": "FREQ=DAILY;COUNT=3",
        "timezone": "Europe/Madrid",
        "modules": ["catalog"],
        "excuses": ["slow"],
    }


def test_the_same_plan_twice_is_one(shell: Shell) -> None:
    """The same words, the same moment: the work that is there is answered."""
    words = ("--title", "Uma vez", "--from", "2030-01-01T02:00", "--until", "2030-01-01T03:00")
    assert shell.plan(*words, "--timezone", "Europe/Madrid")["planned_from"] == "2030-01-01T01:00:00.000Z"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--title", "x"), "say either `until` or `duration`"),
        (("--title", "x", "--until", "+1h", "--duration", "1h"), "say either `until` or `duration`"),
        (("--title", " ", "--duration", "1h"), "`title` must not be empty"),
        (("--title", "x", "--duration", "1x"), "`duration` must be a duration with its unit"),
        (("--title", "x", "--from", "tomorrow", "--duration", "1h"), "`from` must be a time"),
        (("--title", "x", "--from", "+2h", "--until", "+1h"), "`until` must be later than `from`"),
        (("--title", "x", "--from", "2020-01-01T00:00", "--duration", "1h"), "`until` lies in the past"),
        (("--title", "x", "--duration", "900d"), "it would take longer than 366d"),
        (("--title", "x", "--from", "2099-01-01T00:00", "--duration", "1h"), "`from` lies farther ahead"),
        (("--title", "x", "--duration", "1h", "--modules", "checkot"), "there is no module `checkot`"),
        (("--title", "x", "--duration", "1h", "--timezone", "Mars/Base"), "`timezone` "),
        (("--title", "x", "--duration", "1h", "--rrule", "WEEKLY"), "`rrule` is not an RFC 5545 rule"),
        (("--title", "x", "--duration", "1h", "--rrule", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "`rrule` never takes"),
        (("--title", "x", "--duration", "1h", "--excuses", "sloow"), "`excuses` must be slow, degraded, a code"),
        (("--title", "x" * 201, "--duration", "1h"), "the title is longer than"),
        (("--title", "x", "--lang", "fr", "--duration", "1h"), "this site does not speak `fr`"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(shell: Shell, words: tuple[str, ...], said: str) -> None:
    """Exit status 2, and nothing is planned."""
    result = shell.type("schedule", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said), result.stderr
    assert result.stderr.count("\n") == 1


def test_an_id_nobody_has_is_told(shell: Shell) -> None:
    for act in ("cancel", "complete", "verify"):
        result = shell.type(act, "zzzz")
        assert (result.exit_code, result.stderr) == (1, "no planned work has the id zzzz\n")


async def answered(shell: Shell, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """What the counter says to a request."""
    answer = await change(shell.config, shell.data, "POST", path, body)
    return answer.status, answer.body


async def test_the_counter_takes_the_words_of_the_file(shell: Shell) -> None:
    """The keys of a window, a key to send twice, and nothing else; what is wrong is 400, what is missing 404."""
    body = {"title": "x", "from": "+1h", "duration": "1h", "modules": ["catalog"], "excuses": ["slow"]}
    first = await change(shell.config, shell.data, "POST", "/maintenance", body, {"Idempotency-Key": "k"})
    second = await change(shell.config, shell.data, "POST", "/maintenance", body, {"Idempotency-Key": "k"})
    assert (first.status, first.body["excuses"], first.body["components"]) == (201, ["slow"], ["browsing"])
    shown = await look(shell.config, shell.data, f"/maintenance/{first.body['id']}")
    assert shown.body == first.body
    assert (second.status, second.body) == (201, first.body)
    for wrong in (
        {**body, "title": 7},
        {**body, "colour": "red"},
        {**body, "modules": "catalog,checkout"},
        {**body, "from": 12},
        {**body, "rrule": ["FREQ=DAILY"]},
        {**body, "title": {"en": {"deep": 1}}},
        {},
    ):
        status, said = await answered(shell, "/maintenance", wrong)
        assert (status, list(said)) == (400, ["error"]), wrong
    assert (await answered(shell, "/maintenance/zzz/cancel", {}))[0] == 404
    assert (await answered(shell, f"/maintenance/{first.body['id']}/extend", {}))[0] == 400
    assert (await answered(shell, f"/maintenance/{first.body['id']}/extend", {"until": "soon"}))[0] == 400
    assert (await look(shell.config, shell.data, "/maintenance?status=nonsense")).status == 400


async def test_hostile_texts_are_cleaned(shell: Shell) -> None:
    """Control characters never reach a page, a terminal or a calendar."""
    body = {"title": "a\x1b[31m\x00b", "message": "c\x07d\r\ne", "duration": "1h"}
    status, one = await answered(shell, "/maintenance", body)
    assert (status, one["title"]["pt-BR"], one["message"]["pt-BR"]) == (201, "a[31mb", "cd\ne")
