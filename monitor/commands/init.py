"""`monitor init`: asks a few questions and writes a configuration that runs.

It is tried before it gets its name, so what stands there afterwards passes `monitor check`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.commands.check import summary
from monitor.config import Config, ConfigError
from monitor.config import starter as read
from monitor.config.file import catalogues, load, shipped


@dataclass(frozen=True)
class Question:
    """`default` is what an empty answer means: None where there must be one, empty where there need be none. `after`
    names the answer without which it is not asked."""

    name: str
    text: str
    read: Callable[[str], Any]
    default: str | None = ""
    after: str = ""


def questions() -> tuple[Question, ...]:
    """In the order in which they are asked."""
    languages = ("en", *sorted((catalogues(None) or frozenset[str]()) - {"en"}))
    return (
        Question("account", "VTEX account, the name before .myvtex.com", read.account_of, None),
        Question("sku", "A hidden SKU with plenty of stock, for simulated carts", read.sku_of),
        Question("postal_code", "A postal code the store delivers to", read.postal_code_of),
        Question("country", "Its country, three letters", read.country_of, "BRA"),
        Question("domain", "The domain shoppers use, such as www.mystore.com", read.domain_of),
        Question(
            "framework", f"What the store is built with ({', '.join(read.FRAMEWORKS)})", read.framework_of, "", "domain"
        ),
        Question("languages", "Languages of the page, the first one at /", read.languages_of(languages), "pt-BR,en,es"),
        Question("timezone", "Time zone of the page", read.timezone_of, "America/Sao_Paulo"),
        Question("channel", "Who is told: a webhook (https://…, Slack's too) or a broker (mqtt://…)", read.channel_of),
    )


UNASKED = (
    Question("name", "What the page is called", read.name_of),
    Question("url", "Where the page will be seen", read.url_of, "http://127.0.0.1:8080"),
)


def init(file: str, said: Mapping[str, str | None], ask: bool) -> int:
    """Writes `file`. What `said` does not hold is asked for, or where nobody can be asked taken as not answered.

    Exit status 0; 2 when something is missing or wrong, or the file is there already; then nothing is written.
    """
    target = Path(file)
    secret = target.with_name(f"{target.stem}.channel-url")
    if (there := next((one for one in (target, secret) if os.path.lexists(one)), None)) is not None:
        return _stop(
            f"{there} is there already, and is not overwritten: name another file, as in `monitor init shop.yaml`"
        )
    if not target.parent.is_dir():
        return _stop(f"{target.parent} is no folder: make it first")
    try:
        answers = read.Answers(**_answers(said, ask))
    except _Missing as missing:
        return _stop(str(missing))
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        return _stop("nothing is written")
    text = read.starter(shipped().read_text(encoding="utf-8"), answers, secret.name)
    address = answers.channel.url if answers.channel is not None and answers.channel.secret else None
    try:
        config = _tried(text, target.name, secret.name, address)
        if address is not None:
            _write(secret, address + "\n", 0o600)
        try:
            _write(target, text, 0o666)
        except OSError:
            if address is not None:
                secret.unlink()
            raise
    except ConfigError as error:
        return _stop(str(error))
    except OSError as error:
        return _stop(f"{error.filename or target}: cannot be written: {(error.strerror or 'unknown').lower()}")
    print(f"{file}: {summary(config)}{_MORE if _off(config) else ''}")
    if address is not None:
        print(f"{secret}: the address of the channel; whoever reads it can write there")
    print("\nNext:")
    print(f"  monitor probe --config {file}   # every probe once, now")
    print(f"  monitor run --config {file}     # the page on http://127.0.0.1:8080/; Ctrl-C ends it")
    return 0


_MORE = " until more is known of the store; `monitor probe MODULE` says what"


class _Missing(Exception):
    """An answer that there must be, or one that means nothing."""


def _answers(said: Mapping[str, str | None], ask: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if ask and any(said.get(question.name) is None for question in questions()):
        print("A few questions. Enter takes what stands in brackets; everything can be changed in the file later.\n")
    for question in (*questions(), *UNASKED):
        option = f"--{question.name.replace('_', '-')}"
        text = said.get(question.name)
        if text is None and ask and question not in UNASKED and (not question.after or question.after in found):
            found |= _asked(question)
            continue
        text = text or question.default
        if text is None:
            raise _Missing(f"{option} is needed: {question.text}")
        if text:
            try:
                found[question.name] = question.read(text)
            except ValueError as error:
                raise _Missing(f"{option}: {error}") from None
    return found


def _asked(question: Question) -> dict[str, Any]:
    """An answer that can be read, by its name; nothing when there need be none and there is none."""
    hint = {None: "", "": " [none yet]"}.get(question.default, f" [{question.default}]")
    while True:
        text = input(f"{question.text}{hint}: ").strip() or question.default
        if text == "":
            return {}
        try:
            if text is not None:
                return {question.name: question.read(text)}
            print("  There must be an answer to this one.")
        except ValueError as error:
            print(f"  Not that: {error}.")


def _tried(text: str, name: str, secret: str, address: str | None) -> Config:
    """The configuration that a text gives, where it will be read; raises ConfigError."""
    with TemporaryDirectory() as folder:
        Path(folder, name).write_text(text, encoding="utf-8")
        if address is not None:
            Path(folder, secret).write_text(address, encoding="utf-8")
        try:
            return load(Path(folder, name))
        except ConfigError as error:
            raise ConfigError(name, error.problems) from None


def _write(file: Path, text: str, mode: int) -> None:
    """A new file, whole or not at all. Raises OSError, also when somebody made it meanwhile."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        try:
            out.write(text)
        except OSError:
            with suppress(OSError):
                file.unlink()
            raise


def _off(config: Config) -> bool:
    return any(probe.off is not None for probe in config.platform.probes.values())


def _stop(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2
