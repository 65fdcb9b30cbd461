"""`monitor silence`, as it is typed: over a store that nobody else has, so the counter answers for it."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.commands.errand import change, look
from monitor.config import Config
from monitor.config.file import load
from tests.commands.test_maintenance import FILE
from tests.processes.running import free_port

WHO = ("--author", "Ana", "--reason", "deploy", "--until", "2h")


class Shell:
    """A folder with a configuration, where commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.file, self.data = folder / "probes.yaml", folder / "data"
        self.file.write_text(FILE.format(page=free_port(), ops=free_port()))

    def type(self, *words: str) -> Result:
        """One command."""
        return CliRunner().invoke(
            main, ["--config", str(self.file), "--data", str(self.data), "silence", *words], catch_exceptions=False
        )

    @property
    def config(self) -> Config:
        return load(self.file, {})


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_silence_is_added_listed_and_removed(shell: Shell) -> None:
    """From one command to the next, by way of the store; removed twice it is removed once."""
    added = shell.type("add", *WHO, "--modules", "catalog,checkout", "--codes", "http", "--json")
    assert added.exit_code == 0, added.output
    one = json.loads(added.stdout)
    assert (one["status"], one["modules"], one["codes"]) == ("active", ["catalog", "checkout"], ["http"])
    assert (one["author"], one["reason"], one["all"]) == ("Ana", "deploy", False)
    table = shell.type("list").stdout
    assert re.search(rf"^{one['id']}  active .* Ana +modules=catalog,checkout codes=http +deploy$", table, re.MULTILINE)
    gone = json.loads(shell.type("remove", one["id"][:8], "--author", "Bo", "--json").stdout)
    again = json.loads(shell.type("remove", one["id"], "--json").stdout)
    assert (gone["status"], gone["lifted_by"]) == ("over", "Bo")
    assert again == gone
    assert json.loads(shell.type("list", "--status", "over", "--json").stdout)["id"] == one["id"]
    assert shell.type("list", "--status", "active").stdout == "nothing is silenced\n"


def test_everything_is_silenced_only_by_name(shell: Shell) -> None:
    """`--all` says so; a length counts from the beginning."""
    one = json.loads(shell.type("add", *WHO[:4], "--from", "+1d", "--until", "7d", "--all", "--json").stdout)
    assert (one["all"], one["status"], one["modules"]) == (True, "coming", [])
    assert shell.type("remove", "zzzz").exit_code == 1
    assert shell.type("remove", "zzzz").stderr == "there is no silence zzzz\n"


def test_a_day_begins_at_midnight_where_the_site_is(shell: Shell) -> None:
    """A date alone is when it begins there, as the other commands read it."""
    day = (datetime.now(ZoneInfo("America/Sao_Paulo")) + timedelta(days=2)).date()
    one = json.loads(shell.type("add", *WHO[:4], "--until", str(day), "--all", "--json").stdout)
    assert datetime.fromisoformat(one["until"]) == datetime(
        day.year, day.month, day.day, tzinfo=ZoneInfo("America/Sao_Paulo")
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*WHO,), "say what is silenced"),
        ((*WHO, "--all", "--modules", "catalog"), "either everything is silenced"),
        ((*WHO, "--modules", "catlog"), "there is no module `catlog`; did you mean `catalog`?"),
        ((*WHO, "--components", "x"), "there is no component `x`"),
        ((*WHO, "--priorities", "urgent,hihg"), "there is no priority `hihg`; did you mean `high`?"),
        (("--author", " ", *WHO[2:], "--all"), "say who silences it"),
        ((*WHO[:2], "--reason", "", *WHO[4:], "--all"), "the reason is empty"),
        ((*WHO[:5], "8d", "--all"), "it would last longer than 7 days"),
        ((*WHO[:5], "2020-01-01T00:00", "--all"), "its end lies in the past"),
        ((*WHO[:5], "soon", "--all"), "`until` must be a time, such as 2026-11-27T02:00, or how long, such as 2h"),
        ((*WHO, "--from", "soon", "--all"), "`from` must be a time"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(shell: Shell, words: tuple[str, ...], said: str) -> None:
    """Exit status 2, and nothing is silenced."""
    result = shell.type("add", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said), result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["--author", "--reason", "--until"])
def test_who_why_and_until_when_are_always_said(shell: Shell, missing: str) -> None:
    """Without one of them it is no command."""
    at = WHO.index(missing)
    result = shell.type("add", *WHO[:at], *WHO[at + 2 :], "--all")
    assert (result.exit_code, missing in result.stderr) == (2, True)


async def test_an_incident_that_nobody_knows_is_not_silenced(shell: Shell) -> None:
    """Exit status 1 there, 404 here; a key sent twice is one silence; what is strange is 400."""
    body = {"author": "Ana", "reason": "deploy", "until": "2h", "modules": "catalog"}
    first = await change(shell.config, shell.data, "POST", "/silences", body, {"Idempotency-Key": "k"})
    second = await change(shell.config, shell.data, "POST", "/silences", body, {"Idempotency-Key": "k"})
    assert (first.status, second.status, first.body) == (201, 201, second.body)
    assert (await look(shell.config, shell.data, f"/silences/{first.body['id'][:6]}")).body == first.body
    unknown = await change(shell.config, shell.data, "POST", "/silences", {**body, "incident": "zzz"})
    assert (unknown.status, unknown.body) == (404, {"error": "there is no open incident zzz"})
    for wrong in ({**body, "modules": [1]}, {**body, "all": "yes"}, {**body, "until": 2}, {**body, "x": 1}, {}):
        answer = await change(shell.config, shell.data, "POST", "/silences", wrong)
        assert (answer.status, list(answer.body)) == (400, ["error"]), wrong
    hostile = {**body, "author": "a\x1b[31mb", "reason": "c\x00\nd", "until": "1h"}
    one = (await change(shell.config, shell.data, "POST", "/silences", hostile)).body
    assert (one["author"], one["reason"]) == ("a[31mb", "c d")
