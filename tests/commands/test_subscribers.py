"""`monitor subscribers`, as it is typed: over a store that nobody else has, so the counter answers for it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.core.subscriber import Subscriber
from monitor.store import open_store
from tests.commands.test_maintenance import FILE
from tests.processes.running import free_port
from tests.store.past import NOON, after

ANA = Subscriber("a1", "email", "ana@example.com", "en", NOON, frozenset({"cart"}), confirmed_at=after(60))
HOOK = Subscriber("h1", "webhook", "https://hook.example.com/x", "pt-BR", after(1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probes.yaml").write_text(FILE.format(page=free_port(), ops=free_port()))
    (tmp_path / "data").mkdir()

    async def fill() -> None:
        store = await open_store(f"sqlite:///{tmp_path / 'data' / 'monitor.db'}")
        for one in (ANA, HOOK, replace(ANA, id="a2", confirmed_at=None, created_at=after(2))):
            await store.subscribers.add(one)
        await store.close()

    asyncio.run(fill())
    return tmp_path


def typed(folder: Path, *words: str) -> Result:
    """One command."""
    common = ["--config", str(folder / "probes.yaml"), "--data", str(folder / "data")]
    return CliRunner().invoke(main, [*common, "subscribers", *words], catch_exceptions=False)


def test_they_are_listed_without_and_exported_with_their_addresses(folder: Path) -> None:
    """Whoever asks what is kept of them is given one line of it."""
    listed = typed(folder, "list").stdout
    assert "email: 1 confirmed, 1 not\nwebhook: 0 confirmed, 1 not\n" in listed
    assert "example.com" not in listed + typed(folder, "list", "--json").stdout
    everybody = [json.loads(line)["address"] for line in typed(folder, "export").stdout.splitlines()]
    assert everybody == ["ana@example.com", "https://hook.example.com/x", "ana@example.com"]
    one = [json.loads(line) for line in typed(folder, "export", "--address", HOOK.address).stdout.splitlines()]
    assert [(each["id"], each["confirmed_at"], "cursor" in each) for each in one] == [("h1", None, False)]
    assert typed(folder, "export", "--address", "nobody@example.com").exit_code == 1


def test_one_is_erased_by_address_or_id(folder: Path) -> None:
    """With everything that is kept, confirmed or not; somebody who is not known is status 1."""
    assert typed(folder, "erase", "ANA@example.com", "--author", "Bea").stdout == "erased: 2\n"
    assert typed(folder, "erase", "h1").stdout == "erased: 1\n"
    again = typed(folder, "erase", "ana@example.com")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.strip() == "nobody of that address or id is known"
    assert typed(folder, "export").stdout == ""
    assert typed(folder, "erase", " ").exit_code == 2
