"""`monitor incident` without a running monitor: every form of it, over a store of its own."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.core.entry import Entry, Sought
from monitor.core.incident import Incident
from monitor.data import listening, only_one
from monitor.store import open_store
from tests.store.past import incident, saved
from tests.web.test_incidents import alone

FILE = """\
version: 1
site: {languages: [pt-BR, en]}
monitor: {ops: "127.0.0.1:1"}
components:
  - group: {id: shop, name: Shop}
    items:
      - {id: paying, name: Paying, modules: [checkout]}
modules:
  - {id: checkout, probes: [{id: home, url: "http://127.0.0.1:9/", allow_private: true}]}
  - {id: catalog}
"""
NOW = datetime.now(UTC).replace(microsecond=0)
OPEN = alone(incident("checkout", NOW - timedelta(minutes=30)))
OVER = alone(incident("catalog", NOW - timedelta(days=9), NOW - timedelta(days=9, hours=-1)))


class Shell:
    """A folder with a configuration and a store, and whoever types there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "probes.yaml").write_text(FILE)
        asyncio.run(self._fill())

    async def _store(self, **how: bool) -> Any:
        return await open_store(f"sqlite:///{self.folder / 'data' / 'monitor.db'}", **how)

    async def _fill(self) -> None:
        (self.folder / "data").mkdir()
        store = await self._store()
        await store.commit([saved(OPEN), saved(OVER)])
        await store.close()

    def type(self, *words: str, input: str | bytes | None = None) -> Result:
        """`monitor incident …`."""
        where = ["--config", str(self.folder / "probes.yaml"), "--data", str(self.folder / "data")]
        return CliRunner(env={"LOGNAME": "ana"}).invoke(main, ["incident", *words, *where], input=input)

    def done(self, *words: str, input: str | bytes | None = None) -> dict[str, Any]:
        """What a command that is followed prints with `--json`."""
        result = self.type(*words, "--json", input=input)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return dict(json.loads(result.stdout))

    def stored(self, id: str) -> Incident:
        async def read() -> Incident:
            store = await self._store(readonly=True)
            try:
                return await store.incident(id)  # type: ignore[no-any-return]
            finally:
                await store.close()

        return asyncio.run(read())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_list_is_a_table_or_an_object_a_line(shell: Shell) -> None:
    """The newest first; `--status` chooses."""
    lines = shell.type("list").stdout.splitlines()
    assert lines[0].split() == ["ID", "STATUS", "IMPACT", "SINCE", "TITLE"]
    assert [line.split()[0] for line in lines[1:]] == [OPEN.id, OVER.id]
    objects = [json.loads(line) for line in shell.type("list", "--status", "resolved", "--json").stdout.splitlines()]
    assert [one["id"] for one in objects] == [OVER.id]
    assert shell.type("list", "--status", "draft").stdout == "no incidents\n"


def test_one_is_shown_whole_by_the_beginning_of_its_id(shell: Shell) -> None:
    """For people with its numbered updates, for programs as JSON; not found is exit status 1."""
    shown = shell.type("show", OPEN.id[:5]).stdout
    assert shown.startswith(f"{OPEN.id}  checkout: ")
    assert "\n1. " in shown
    assert shell.done("show", OPEN.id)["cause"]["evidence"][0]["detail"] == "status 503"
    missing = shell.type("show", "zzzz")
    assert (missing.exit_code, missing.stdout, missing.stderr) == (1, "", "there is no incident zzzz\n")


def test_an_update_in_two_languages_and_one_from_standard_input(shell: Shell) -> None:
    texts = ["-m", "Olhamos.", "--lang", "pt-BR", "-m", "-", "--lang", "en"]
    one = shell.done("update", OPEN.id, "--status", "monitoring", "--author", "Ana", *texts, input="We look.\nSoon.\n")
    assert one["updates"][-1]["body"] == {"pt-BR": "Olhamos.", "en": "We look.\nSoon."}
    assert (one["status"], one["acts"][-1]["by"]) == ("monitoring", "Ana")
    assert shell.stored(OPEN.id).updates[-1].body == {"pt-BR": "Olhamos.", "en": "We look.\nSoon."}
    again = shell.done("update", OPEN.id, "--status", "monitoring", *texts, input="We look.\nSoon.\n")
    assert len(again["updates"]) == len(one["updates"])


def test_the_whole_life_of_one_that_was_opened_by_hand(shell: Shell) -> None:
    since = (NOW - timedelta(hours=2)).isoformat()
    one = shell.done(
        *("open", "--title", "Lento", "-m", "Está lento.", "--modules", "checkout,catalog", "--component", "paying"),
        *("--impact", "major", "--since", since, "--draft"),
    )
    id = one["id"]
    assert (one["published_at"], one["impact"], one["components"]) == (None, "major", ["paying"])
    assert [m["id"] for m in one["modules"]] == ["checkout", "catalog"]
    assert one["acts"][0]["by"] is not None
    assert "(draft)" in shell.type("list", "--status", "draft").stdout
    assert shell.done("publish", id)["published_at"] is not None
    assert shell.done("acknowledge", id)["acknowledged_at"] is not None
    low = shell.done("lower", id, "--to", "normal", "--reason", "Só uma loja.", "--author", "Ana")
    assert (low["priority"], low["lowered"]["from"], low["acts"][-1]["by"]) == ("normal", "high", "Ana")
    assert low["updates"][-1]["body"]["en"].startswith("Priority lowered from high to normal: Só uma loja.")
    assert shell.type("lower", id, "--to", "high", "--reason", "x").exit_code == 1
    assert shell.done("edit", id, "--title", "Muito lento", "--summary", "Um disco.")["title"]["pt-BR"] == "Muito lento"
    assert shell.done("edit", id, "--update", "1", "-m", "Está muito lento.")["updates"][0]["updated_at"] is not None
    assert shell.done("edit", id, "--cause", "catalog")["cause"]["module"] == "catalog"
    assert shell.done("resolve", id)["status"] == "resolved"
    assert shell.done("postmortem", id, "-m", "-", input="Foi o disco.")["status"] == "postmortem"
    assert shell.done("edit", id, "--summary", "")["wording"]["summary"] is None
    kept = shell.stored(id)
    assert [update.body for update in kept.updates] == [
        {"pt-BR": "Está muito lento."},
        {"pt-BR": "Só uma loja."},
        None,
        {"pt-BR": "Foi o disco."},
    ]


def test_what_is_over_for_days_gets_its_postmortem(shell: Shell) -> None:
    assert shell.done("postmortem", OVER.id, "-m", "Foi o disco.")["updates"][-1]["status"] == "postmortem"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("update", "zzzz", "-m", "x"), 1, "there is no incident zzzz"),
        (("update", "../x", "-m", "x"), 1, "there is no incident"),
        (("postmortem", OPEN.id, "-m", "x"), 1, "not over yet"),
        (("update", OPEN.id, "-m", " "), 1, "empty"),
        (("update", OPEN.id, "-m", "x", "--lang", "fr"), 1, "speaks pt-BR, en"),
        (("open", "--title", "T", "-m", "x"), 1, "what it is about"),
        (("open", "--title", "T", "-m", "x", "--module", "chekout"), 1, "no module `chekout`"),
        (("open", "--title", "T", "-m", "x", "--module", "checkout", "--since", "noon"), 1, "`started_at`"),
        (("edit", OPEN.id, "--update", "7", "-m", "x"), 1, "no update 7"),
        (("update", OPEN.id), 2, "--message"),
        (("update", OPEN.id, "-m", "a", "-m", "b"), 2, "a --lang each"),
        (("update", OPEN.id, "-m", "a", "--lang", "en", "--lang", "pt-BR"), 2, "each text has a language"),
        (("update", OPEN.id, "-m", "a", "-m", "b", "--lang", "en", "--lang", "en"), 2, "stands once"),
        (("update", OPEN.id, "-m", "-", "-m", "-", "--lang", "en", "--lang", "pt-BR"), 2, "one text only"),
        (("update", OPEN.id, "-m", "a", "--status", "done"), 2, "done"),
        (("update", "", "-m", "a"), 2, "which incident"),
        (("edit", OPEN.id), 2, "what to change"),
        (("edit", OPEN.id, "-m", "x"), 2, "go together"),
        (("edit", OPEN.id, "--update", "1"), 2, "go together"),
        (("edit", OPEN.id, "--update", "1", "-m", "x", "--title", "y"), 2, "what to change"),
        (("open", "-m", "x", "--module", "checkout"), 2, "--title"),
    ],
)
def test_what_is_refused_is_a_sentence_and_1_and_what_is_mistyped_is_2(
    shell: Shell, words: tuple[str, ...], status: int, told: str
) -> None:
    result = shell.type(*words)
    assert (result.exit_code, result.stdout) == (status, ""), result.output
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_store_that_a_silent_monitor_holds_is_left_alone(shell: Shell) -> None:
    """The sentence says where it was looked for, and who has it; reading goes on."""
    with only_one(shell.folder / "data"), listening(shell.folder / "data"):
        refused = shell.type("acknowledge", OPEN.id)
        assert shell.type("list").exit_code == 0
    assert refused.exit_code == 1
    assert "no monitor answers at http://127.0.0.1:1 (monitor.ops)" in refused.stderr
    assert "in use by process" in refused.stderr


def test_what_people_wrote_does_not_steer_a_terminal(shell: Shell) -> None:
    one = shell.done("update", OPEN.id, "-m", "a\x1b[2J\u202eb")
    assert "\x1b" not in one["updates"][-1]["body"]["pt-BR"]
    assert "\u202e" not in shell.type("show", OPEN.id).stdout


def test_standard_input_that_is_no_text_is_no_traceback(shell: Shell) -> None:
    one = shell.done("update", OPEN.id, "-m", "-", input=b"ol\xff\x00a")
    assert one["updates"][-1]["body"]["pt-BR"] == "ol\ufffda"


def test_what_a_command_does_without_a_monitor_is_in_the_audit_log(shell: Shell) -> None:
    """By whoever is logged in, as done by a command; a word that is refused as well."""
    shell.done("acknowledge", OPEN.id)
    assert shell.type("postmortem", OPEN.id, "--message", "x").exit_code == 1

    async def read() -> list[Entry]:
        store = await shell._store(readonly=True)
        try:
            return [one for _, one in await store.entries(Sought())]
        finally:
            await store.close()

    refused, done = asyncio.run(read())
    assert (done.act, done.how, done.by, done.address, done.subject) == (
        "incident.acknowledge",
        "command",
        "ana",
        None,
        OPEN.id,
    )
    assert (refused.act, refused.outcome) == ("incident.postmortem", "refused")
