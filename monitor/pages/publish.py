"""Publish: a whole site is put in place of another in one instant.

Every publication is a folder of its own, `.publications/NNNNNNNN`; `public` is a symbolic link to the newest whole one
and is swapped by a rename, which the file system does entirely or not at all. What has not changed is the same file
in both folders (a hard link), so it keeps its bytes, its date and its place in every cache.

Three folders take turns: the one in force, the one before, which stays for readers that are still in it, and the
oldest, which becomes the next publication. It lacks only what changed since, so a publication costs what changed and
not what there is. Whatever moment the power fails, a reader finds a whole old or a whole new site.
"""

import ctypes
import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from sys import intern
from time import monotonic
from typing import NamedTuple

from monitor.pages.found import Stored
from monitor.pages.packer import LARGE, TEXTS, Packer

TURNS = 3  # folders that take turns
HELD = 1 << 25  # bytes of new pages that one publication holds in memory; the others lie beside the folders meanwhile
_syncfs = getattr(ctypes.CDLL(None), "syncfs", None)  # Linux
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*|\.well-known")


class PublishError(Exception):
    """The folder for the site cannot be used as it stands."""


class NotStored(Exception):
    """A file that was published before is not there any more, and only its digest is known: it has to be made again."""


@dataclass(frozen=True, slots=True)
class Published:
    """What one publication did: paths new or different, paths that are gone, bytes written, how long it took.

    `whole`: another process published before it, so that more may have changed than these paths.
    """

    changed: tuple[str, ...]
    removed: tuple[str, ...]
    bytes: int
    seconds: float
    whole: bool = False


class File(NamedTuple):
    """Which file stands under a path: its bytes, and the publication that wrote them. Equal ones are the same file."""

    digest: Stored
    number: int


class Aside(NamedTuple):
    """A new page that lies on the disk already: what stands for it, where, and how many bytes its forms have."""

    digest: Stored
    file: str
    bytes: int


Tree = dict[str, File]  # what a folder holds, by path


class Publisher:
    """Publishes into `directory`, at `directory/public`. Every call blocks on the disk: run it in a worker thread."""

    def __init__(self, directory: Path) -> None:
        """Takes up where the last process stopped and clears what it left behind. Raises PublishError."""
        self._directory = directory
        self._public = directory / "public"
        self._store = directory / ".publications"
        self._trees: dict[Path, Tree] = {}  # the oldest first, the one in force last
        self._moved: dict[Path, frozenset[str]] = {}  # what each of them did not have from the one before
        self._mixed = False  # files of an earlier run may stand between ours
        self._packer = Packer()
        self._read: dict[bytes, bytes] = {}
        self._held = 0
        self._aside: dict[str, Aside] = {}
        self._number = count()
        try:
            self._store.mkdir(parents=True, exist_ok=True)
            with self._locked():
                self._take_up()
        except OSError as error:
            raise PublishError(
                f"{self._store} cannot hold the site ({error.strerror}); choose another data directory"
            ) from None

    def publish(self, files: Mapping[str, bytes], whole: bool = True, news: Collection[str] | None = None) -> Published:
        """Puts these files, by path below the root, in place of the last ones; all of them or, on an error, none. When
        they are not the `whole` site, what else was published stays. `news` are the paths that may have changed since
        the publication in force, where the caller made that one too: no others are looked at.

        A file that was published before may be `Stored`. Raises NotStored when it is not there, ValueError for a path
        that would leave the folder and OSError when the disk refuses.
        """
        began = monotonic()
        with self._locked():
            behind = self._linked() != self._current
            if behind:  # another process published meanwhile
                self._take_up()
            if behind or self._current is None or self._current not in self._moved or (whole and self._mixed):
                news = None  # not all of what is there was put there by us
            number, before = self._newest() + 1, self._trees.get(self._current, {}) if self._current else {}
            tree = dict(before)
            for name in files if news is None else files.keys() & news:
                tree[intern(name)] = _file(Stored.of(files[name]), number, before.get(name))
            if whole:
                for name in before.keys() - files.keys() if news is None else (news & before.keys()) - files.keys():
                    del tree[name]
            changed = tuple(name for name in (tree if news is None else news) if _is_new(tree.get(name), number))
            for name in changed:
                _check(name)
            gone = tuple(name for name in (before if news is None else before.keys() & news) if name not in tree)
            if not changed and not gone and self._current is not None:
                self._moved.setdefault(self._current, frozenset())
                self._mixed = not whole
                self._let_go()
                return Published((), (), 0, monotonic() - began, behind)
            folder, moved = self._store / f"{number:08d}", frozenset((*changed, *gone))
            try:
                written = self._fill(folder, *self._oldest(folder, moved, tree), tree, files)
                self._swap(folder)
            except BaseException:
                if self._linked() != folder:
                    shutil.rmtree(folder, ignore_errors=True)
                raise
            self._trees[folder], self._moved[folder], self._mixed = tree, moved, not whole
            self._packer.forget(gone)
            self._let_go()
        return Published(changed, gone, written, monotonic() - began, behind)

    def aside(self, name: str, content: bytes) -> bytes:
        """What to keep of a new page until it is published: the page, or what stands for it once very many are held.
        Raises OSError."""
        if isinstance(content, Stored):
            return content
        self._held += len(content)
        if self._held <= HELD or len(content) >= LARGE:  # the compressed form of a large one is made from its last one
            return content
        folder = self._store / "aside"
        folder.mkdir(exist_ok=True)
        file, written = f"{folder}/{next(self._number)}", 0
        for path, what in ((file, content), (f"{file}.gz", self._packer.packed(name, content))):
            if what is not None:
                Path(path).write_bytes(what)
                written += len(what)
        self._aside[name] = Aside(Stored.of(content), file, written)
        return self._aside[name].digest

    def _let_go(self) -> None:
        """Nothing lies aside any longer: it is published."""
        if self._aside:
            shutil.rmtree(self._store / "aside", ignore_errors=True)
        self._held, self._aside = 0, {}

    def reading(self, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """The bytes of files of which some were published before, read when they are asked for."""
        return _Reading(files, self._public, self._read, self._aside)

    # --- one publication

    @property
    def _current(self) -> Path | None:
        return next(reversed(self._trees), None)

    def _oldest(self, folder: Path, moved: Iterable[str], tree: Tree) -> tuple[Tree, Iterable[str]]:
        """Makes the folder of the next publication: the oldest one under its new name, or an empty one; with what that
        holds, and the paths at which it may differ from `tree`."""
        if len(self._trees) >= TURNS:
            oldest = next(iter(self._trees))
            found = self._trees.pop(oldest)
            self._moved.pop(oldest, None)
            with suppress(FileNotFoundError):
                oldest.rename(folder)
                behind = [self._moved.get(one) for one in self._trees]
                return found, found.keys() | tree if None in behind else set(moved).union(*filter(None, behind))
        folder.mkdir()
        return {}, tree

    def _fill(self, folder: Path, found: Tree, differing: Iterable[str], tree: Tree, files: Mapping[str, bytes]) -> int:
        """Makes a folder that holds `found` hold `tree`, and brings it to the disk; how many bytes were new."""
        fresh: list[str] = []
        made, written = {""}, 0
        before = self._trees.get(self._current, {}) if self._current else {}
        differing = [name for name in differing if tree.get(name) != found.get(name)]
        for name in differing:
            if name in found:
                _remove(folder, name, last=name not in tree)
        for name in differing:
            wanted = tree.get(name)
            if wanted is None:
                continue
            above, _, _ = name.rpartition("/")
            if above not in made:
                os.makedirs(f"{folder}/{above}", exist_ok=True)
                made.add(above)
            file = f"{folder}/{name}"
            if before.get(name) == wanted and _link(f"{self._current}/{name}", file):
                continue
            laid = self._aside.get(name)
            if laid is not None and laid.digest == wanted.digest and _link(laid.file, file):
                fresh += [path for path in (file, f"{file}.gz") if os.path.exists(path)]
                written += laid.bytes
                continue
            content = files.get(name, wanted.digest)
            if isinstance(content, Stored):
                raise NotStored(name)
            for path, what in ((file, content), (f"{file}.gz", self._packer.packed(name, content))):
                if what is not None:
                    Path(path).write_bytes(what)
                    fresh.append(path)
                    written += len(what)
        _all_to_disk(fresh, folder)
        return written

    def _swap(self, folder: Path) -> None:
        """From one instruction to the next, `public` is the new folder."""
        aside = self._directory / ".public.new"
        aside.unlink(missing_ok=True)
        aside.symlink_to(folder.relative_to(self._directory), target_is_directory=True)
        aside.replace(self._public)
        _to_disk(self._directory)

    # --- what is there

    def _take_up(self) -> None:
        """Reads the publication in force, so that what did not change since is not written again, and clears the rest:
        what is older, and what a crash left half done."""
        current, self._trees, self._moved = self._linked(), {}, {}
        for folder in self._store.iterdir():
            if folder.is_dir() and folder != current:
                shutil.rmtree(folder, ignore_errors=True)
        (self._directory / ".public.new").unlink(missing_ok=True)
        if current is None:
            return
        self._trees[current] = {
            file.relative_to(current).as_posix(): File(Stored.of(file.read_bytes()), 0)
            for file in current.rglob("*")
            if file.is_file() and file.suffix != ".gz"
        }

    def _linked(self) -> Path | None:
        """The folder `public` leads to; None before the first publication. Raises PublishError for anything else."""
        if not self._public.is_symlink():
            if self._public.exists():
                raise PublishError(
                    f"{self._public} exists and is not a link made by this monitor: move it away, or choose another "
                    "data directory"
                )
            return None
        target = self._directory / self._public.readlink()
        if target.parent != self._store:
            raise PublishError(f"{self._public} leads to {target}, outside {self._store}: remove the link")
        return target if target.is_dir() else None

    def _newest(self) -> int:
        return max((int(one.name) for one in self._store.iterdir() if one.name.isdecimal()), default=0)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time: `monitor render` may run beside `monitor run`."""
        with (self._store / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _Reading(Mapping[str, bytes]):
    """Files as they are, or are to be, published."""

    def __init__(
        self, files: Mapping[str, bytes], public: Path, read: dict[bytes, bytes], aside: Mapping[str, Aside]
    ) -> None:
        self._files = files
        self._aside = aside
        self._public = public
        self._before = dict(read)
        self._read = read
        read.clear()  # what is not read this time will not be next time

    def __getitem__(self, name: str) -> bytes:
        content = self._files[name]
        if not isinstance(content, Stored):
            return content
        try:
            found = self._before.get(content) or self._file(name).read_bytes()
        except FileNotFoundError:
            raise NotStored(name) from None
        self._read[content] = found
        return found

    def _file(self, name: str) -> Path:
        laid = self._aside.get(name)
        return self._public / name if laid is None else Path(laid.file)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def forms_of(names: Iterable[str]) -> Iterator[str]:
    """The files that stand for these paths: each text has, or had, a compressed form beside it."""
    for name in names:
        yield name
        if Path(name).suffix in TEXTS:
            yield f"{name}.gz"


def _check(name: str) -> None:
    """Every part of a path is a plain name; ids are checked long before, so this only ever meets our own bugs."""
    if not all(_PART.fullmatch(part) for part in name.split("/")) or name.endswith(".gz"):
        raise ValueError(f"{name!r} is no path of a published file")


def _is_new(file: File | None, number: int) -> bool:
    return file is not None and file.number == number


def _file(digest: Stored, number: int, before: File | None) -> File:
    """The file before where the bytes are the same, else a new one."""
    return before if before is not None and before.digest == digest else File(digest, number)


def _remove(folder: Path, name: str, last: bool) -> None:
    """Takes a file out of a folder; if it was the `last` of its name, also the folders above it that are empty then."""
    for path in (f"{folder}/{name}", f"{folder}/{name}.gz"):
        with suppress(FileNotFoundError):
            os.unlink(path)
    above = os.path.dirname(name) if last else ""
    while above:
        try:
            os.rmdir(f"{folder}/{above}")
        except OSError:
            return  # something else is in it
        above = os.path.dirname(above)


def _link(old: str, new: str) -> bool:
    """Puts an unchanged file and its `.gz` into the new folder; False when it has to be written again."""
    try:
        _same(old, new)
    except FileNotFoundError:
        return False
    with suppress(FileNotFoundError):
        _same(f"{old}.gz", f"{new}.gz")
    return True


def _same(old: str, new: str) -> None:
    """One file under both names; a copy with the same date where the file system knows no hard links."""
    try:
        os.link(old, new)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(old, new)
        _to_disk(new)


def _all_to_disk(files: Sequence[str], folder: Path) -> None:
    """Everything written so far is on the disk: one flush of the file system, since a site has hundreds of folders and
    every one of them is new; one by one where there is no such call."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if _syncfs is not None and _syncfs(descriptor) == 0:
            return
    finally:
        os.close(descriptor)
    folders = [place for place, _, _ in os.walk(str(folder), topdown=False)]
    for path in [*files, *folders, str(folder.parent)]:
        _to_disk(path)


def _to_disk(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
