"""The only reader of disk in this room: the configuration itself, secret files, and what a theme brings along."""

import os
from collections.abc import Mapping
from dataclasses import replace
from errno import ETIMEDOUT
from pathlib import Path
from select import select
from stat import S_ISREG
from time import monotonic

import monitor
from monitor.config import Config, ConfigError, Problem

FILES = ("ca_file", "cert_file", "key_file")  # of a channel, and of the broker of places
MAX_BYTES = 5 * 1000**2
MAX_SECRET_BYTES = 1000**2
PATIENCE = 5.0  # seconds for all that comes through a pipe


def load(path: str | Path, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration in a file; raises ConfigError with everything that is wrong.

    Relative paths inside it (`theme`, `ca_file` and its like, `${file:…}`) start from its own folder.
    """
    from monitor.config.parse import parse  # with the models of every section: 16 MB that a monitor can do without

    name = str(path)
    folder = Path(path).parent
    text = _text(name)
    config = parse(
        text,
        name,
        os.environ if environment is None else environment,
        lambda one: read_secret(folder / one),
        lambda theme: catalogues(None if theme is None else folder / theme),
    )
    return _resolved(config, folder)


def _resolved(config: Config, folder: Path) -> Config:
    """The same with paths that hold wherever the process runs."""
    site, network, sections = config.site, config.network, config.sections
    if site.theme is not None:
        site = replace(site, theme=str((folder / site.theme).absolute()))
    if network.ca_file is not None:
        network = replace(network, ca_file=str((folder / network.ca_file).absolute()))
    channels = {
        id: one | {key: str((folder / one[key]).absolute()) for key in FILES if one.get(key)}
        for id, one in sections["channels"].items()
    }
    settings, broker = config.settings, config.settings.broker
    if broker is not None:
        paths = {key: getattr(broker, key) for key in FILES}
        found = {key: path and str((folder / path).absolute()) for key, path in paths.items()}
        settings = replace(settings, broker=replace(broker, **found))
    sections = {**sections, "channels": channels}
    return replace(config, site=site, network=network, settings=settings, sections=sections)


def _text(name: str) -> str:
    """The text of a configuration, whole, small enough and in UTF-8."""
    try:
        raw = _read(name, MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(name, [Problem(1, 1, f"cannot be read: {(error.strerror or 'unknown').lower()}")]) from None
    except ValueError:
        raise ConfigError(name, [Problem(1, 1, "cannot be read: not a file name")]) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(name, [Problem(1, 1, "larger than 5 MB")])
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not UTF-8: byte 0x{raw[error.start]:02x} has no meaning here"
        raise ConfigError(name, [Problem(line, column, message)]) from None


def _read(path: str | Path, most: int) -> bytes:
    """The first bytes of a file, or of what somebody sends through a pipe. Raises OSError or ValueError.

    A pipe into which nobody writes would have us wait for ever, and with us the reload.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        if S_ISREG(os.fstat(file.fileno()).st_mode):
            os.set_blocking(file.fileno(), True)
        pieces, until = bytearray(), monotonic() + PATIENCE
        while len(pieces) < most:
            piece = file.read(min(most - len(pieces), 1024**2))
            if piece is not None:
                if not piece:
                    break
                pieces += piece
            elif not select([file], [], [], max(0.0, until - monotonic()))[0]:
                raise TimeoutError(ETIMEDOUT, "nobody writes into it")
        return bytes(pieces)


def read_secret(path: Path) -> str:
    """The text of a small file. Raises OSError or ValueError."""
    raw = _read(path, MAX_SECRET_BYTES + 1)
    if len(raw) > MAX_SECRET_BYTES:
        raise ValueError("too large")
    return raw.decode()


def theme_dir(theme: str | None = None) -> Path:
    """The folder of a theme; None is the built-in one, in the wheel or beside the package."""
    if theme is not None:
        return Path(theme)
    inside = Path(monitor.__file__).parent / "_site"
    return inside if inside.is_dir() else Path(monitor.__file__).parent.parent / "site"


def catalogues(theme: Path | None) -> frozenset[str] | None:
    """The languages a theme has catalogues for; None when there is nothing to tell it by.

    That is a folder that does not exist, or an installation without its built-in theme, which is no fault of the file.
    """
    folder = theme_dir(None if theme is None else str(theme))
    translations = folder / "translations"
    if not folder.is_dir() or (theme is None and not translations.is_dir()):
        return None
    found = translations.glob("*/LC_MESSAGES/messages.po")
    return frozenset(path.parent.parent.name.replace("_", "-") for path in found)


def shipped(name: str = "probes.yaml") -> Path:
    """The `probes.yaml` that comes with the program, or another file beside it."""
    inside = Path(monitor.__file__).parent / f"_{name}"
    return inside if inside.is_file() else Path(monitor.__file__).parent.parent / name
