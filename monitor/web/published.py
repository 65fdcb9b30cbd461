"""Published: one file of the newest publication, read whole.

A path is walked from the folder that `public` leads to at this instant, one part at a time and through no symbolic
link. So a request meets one publication, nothing outside it can be reached, and a file once opened is read to its end
even when another publication takes its place meanwhile.
"""

import os
import re
import stat
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}|\.well-known")
DEEPEST = 12
PATIENCE = 3  # publications that may pass by during one request

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NothingPublished(Exception):
    """There is no publication yet."""


@dataclass(frozen=True, slots=True)
class File:
    """The bytes as they are sent; `packed` when they are the compressed form, `twofold` when there is one."""

    name: str
    content: bytes
    etag: str
    packed: bool
    twofold: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """The path names a folder with a page in it, but lacks the slash."""

    name: str


def find(public: Path, path: str, packed: bool) -> File | Folder | None:
    """What a decoded path such as `/modules/cart/` leads to; None when nothing. Blocks on the disk.

    Raises NothingPublished.
    """
    parts = path.removeprefix("/").split("/")
    if parts[-1] == "":
        parts[-1] = "index.html"
    if len(parts) > DEEPEST or parts[-1].endswith(".gz") or not all(PART.fullmatch(part) for part in parts):
        return None
    for _ in range(PATIENCE):
        found, began = _walk(public, parts, packed)
        if found is not None or began == _inode(public):
            return found
    return None


def _walk(public: Path, parts: list[str], packed: bool) -> tuple[File | Folder | None, int]:
    """What is there, and which publication was looked through: one that is replaced and removed meanwhile proves
    nothing by what it lacks."""
    try:
        here = os.open(public, _FOLDER)
    except FileNotFoundError:
        raise NothingPublished from None
    began = os.fstat(here).st_ino
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        return _open(here, parts, packed), began
    except OSError:
        return None, began
    finally:
        os.close(here)


def _inode(public: Path) -> int:
    try:
        return public.stat().st_ino
    except FileNotFoundError:
        raise NothingPublished from None


def _open(here: int, parts: list[str], packed: bool) -> File | Folder | None:
    """The file of that name in the folder `here`. Raises OSError."""
    name = parts[-1]
    file = os.open(name, _BELOW, dir_fd=here)
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISDIR(mode):
            os.stat("index.html", dir_fd=file, follow_symlinks=False)
            return Folder(name)
        if not stat.S_ISREG(mode):
            return None
        zipped = _zipped(here, name)
        if zipped is None:
            return _file(parts, _read(file), packed=False, twofold=False)
        try:
            return _file(parts, _read(zipped if packed else file), packed=packed, twofold=True)
        finally:
            os.close(zipped)
    finally:
        os.close(file)


def _read(file: int) -> bytes:
    with os.fdopen(file, "rb", closefd=False) as opened:
        return opened.read()


def _zipped(here: int, name: str) -> int | None:
    try:
        return os.open(f"{name}.gz", _BELOW, dir_fd=here)
    except FileNotFoundError:
        return None


def _file(parts: list[str], content: bytes, *, packed: bool, twofold: bool) -> File:
    etag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    return File("/".join(parts), content, etag, packed, twofold)
