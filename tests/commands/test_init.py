"""`monitor init`: a few answers become a configuration that runs, and nothing of anybody is overwritten."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.config import Config
from monitor.config.file import load
from monitor.config.starter import account_of, channel_of, domain_of

FRAMEWORK = ("--domain", "www.mystore.com", "--framework", "faststore")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where we stand: an empty folder, with nothing of a store in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("VTEX_", "MONITOR_CONFIG"))]:
        monkeypatch.delenv(name)
    return tmp_path


def init(*options: str) -> Result:
    return CliRunner().invoke(main, ["init", *options])


def on(config: Config) -> set[str]:
    return {id for id, module in config.platform.modules.items() if any(probe.off is None for probe in module.probes)}


def test_an_account_is_enough_to_begin(folder: Path) -> None:
    """What is written passes the check without a variable set, asks that account, and asks nobody else's store."""
    done = init("--account", "mystore")

    assert (done.exit_code, done.stderr) == (0, "")
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
    config = load("probes.yaml", {})
    assert {"catalog", "checkout", "session"} <= on(config)
    assert not {"legacy-search", "store-framework"} & on(config)
    assert "demostore" not in (folder / "probes.yaml").read_text()
    assert (config.site.name, config.sections["channels"]) == ("VTEX mystore", {})


def test_the_more_is_answered_the_more_is_asked(folder: Path) -> None:
    """Each answer switches on what waits for it; the page looks as it was said."""
    done = init("--account", "mystore", "--sku", "42", "--postal-code", "01310-100", *FRAMEWORK, "--languages", "en es")

    assert done.exit_code == 0
    config = load("probes.yaml", {})
    assert {"legacy-search", "logistics", "faststore", "checkout-ui"} <= on(config)
    assert tuple(config.site.languages) == ("en", "es")


def test_a_secret_address_gets_a_file_of_its_own(folder: Path) -> None:
    """Whoever reads the configuration cannot write into the channel, and whoever reads the terminal cannot either."""
    address = "https://hooks.slack.com/services/T0/B0/VeryPrivate"
    done = init("shop.yaml", "--account", "mystore", "--channel", address)

    assert done.exit_code == 0
    assert "VeryPrivate" not in done.output + (folder / "shop.yaml").read_text()
    assert stat.S_IMODE((folder / "shop.channel-url").stat().st_mode) == 0o600
    config = load("shop.yaml", {})
    assert config.sections["channels"]["first"]["url"] == address
    assert address in config.secrets


@pytest.mark.parametrize("there", ["probes.yaml", "probes.channel-url"])
def test_nothing_is_overwritten(folder: Path, there: str) -> None:
    """Not even by a link that leads nowhere."""
    (folder / there).symlink_to("nowhere")
    done = init("--account", "mystore", "--channel", "https://example.com/hook")

    assert done.exit_code == 2
    assert done.stderr.startswith(f"{there} is there already, and is not overwritten")
    assert [one.name for one in folder.iterdir()] == [there]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "--account is needed: VTEX account, the name before .myvtex.com"),
        (("--account", "My Store"), "--account: an account is the name before .myvtex.com"),
        (("--account", "a", "--sku", "x"), "--sku: a SKU is a number"),
        (("--account", "a", "--domain", "nowhere"), "--domain: a domain looks like"),
        (("--account", "a", "--framework", "magento"), "--framework: one of store-framework, faststore, portal"),
        (("--account", "a", "--languages", "de"), "--languages: de: the languages there are: en, es, pt-BR"),
        (("--account", "a", "--timezone", "Mars"), "--timezone: a time zone has a name"),
        (("--account", "a", "--channel", "slack"), "--channel: an address looks like"),
        (("--account", "a", "--name", "${HOME}\n" * 40), "--name: a name has 1 to 80 characters"),
        (("sub/x.yaml", "--account", "a"), "sub is no folder: make it first"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_wrong_is_a_sentence_and_nothing_is_written(
    folder: Path, options: tuple[str, ...], sentence: str
) -> None:
    """Without a terminal nobody is asked."""
    done = init(*options)

    assert (done.exit_code, list(folder.iterdir())) == (2, [])
    assert done.stderr.startswith(sentence)


@pytest.mark.parametrize(
    ("read", "said", "kept"),
    [
        (account_of, " https://MyStore.myvtex.com/admin?x=1 ", "mystore"),
        (account_of, "mystore.vtexcommercestable.com.br", "mystore"),
        (domain_of, "https://www.mystore.com.br/casa#x", "www.mystore.com.br"),
        (lambda said: channel_of(said).kind, "mqtts://broker.example:8883", "mqtt"),
        (lambda said: channel_of(said).kind, "https://hooks.slack.com/services/x", "slack"),
        (lambda said: channel_of(said).kind, "https://example.com/hook", "webhook"),
    ],
)
def test_what_was_pasted_is_understood(read, said: str, kept: str) -> None:  # type: ignore[no-untyped-def]
    """People paste addresses where a name is asked for."""
    assert read(said) == kept


def test_a_name_is_a_name_whatever_stands_in_it(folder: Path) -> None:
    """No text of an answer means anything to the file."""
    name = "\"Loja ${HOME}\": {x: 'y'} # não"
    assert init("--account", "mystore", "--name", name).exit_code == 0
    assert load("probes.yaml", {}).site.name == name


def test_on_a_terminal_it_asks_and_asks_again(folder: Path) -> None:
    """What cannot be read is asked once more, Enter takes what stands in brackets."""
    ours, theirs = pty.openpty()
    said = "\nMy Store!\nmystore\n42\n\n\nwww.mystore.com\nfaststore\nde\nen\n\n\n"
    os.write(ours, said.encode())
    command = [sys.executable, "-m", "monitor", "init", "shop.yaml"]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=30, check=False)
    for one in (ours, theirs):
        os.close(one)

    assert (done.returncode, done.stderr) == (0, "")
    assert "There must be an answer to this one." in done.stdout
    assert done.stdout.count("Not that: ") == 2
    config = load("shop.yaml", {})
    assert {"legacy-search", "faststore", "checkout-ui"} <= on(config)
    assert "shop.yaml: 44 modules, " in done.stdout


def test_who_leaves_leaves_nothing_behind(folder: Path) -> None:
    """The terminal is closed halfway."""
    ours, theirs = pty.openpty()
    os.write(ours, b"mystore\n\x04")
    command = [sys.executable, "-m", "monitor", "init"]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=30, check=False)
    for one in (ours, theirs):
        os.close(one)

    assert (done.returncode, done.stderr.strip()) == (2, "nothing is written")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "plan", "run", "probe", "render"])
def test_a_folder_without_a_configuration_is_told_how_to_get_one(folder: Path, command: str) -> None:
    """The first command somebody tries need not be the last."""
    done = CliRunner().invoke(main, [command])

    assert done.exit_code == 2
    assert done.stderr.startswith("probes.yaml:1:1: ")
    assert "`monitor init` writes one" in done.stderr
    assert done.stderr.count("\n") == 1, "a problem is one line"
