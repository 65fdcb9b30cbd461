"""Publish: a reader finds a whole old or a whole new site, whatever happens and whenever it looks."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.pages import publish
from monitor.pages.found import Stored
from monitor.pages.publish import Publisher, PublishError
from tests.depth import examples

PAGE = b"<!doctype html><p>" + b"all is well. " * 40
FILES = {
    "index.html": PAGE,
    "modules/cart/index.html": PAGE + b"cart",
    "badge/cart.svg": b"<svg/>",
    ".well-known/security.txt": b"Contact: mailto:a@example.com\n",
    "assets/logo.0123456789.png": b"\x89PNG" + bytes(1000),
}


def site(number: int) -> dict[str, bytes]:
    """Forty files that all carry one number."""
    return {f"part{n % 4}/page{n}.html": b"%06d" % number + PAGE for n in range(40)}


def test_the_first_publication_stands_behind_a_link(tmp_path: Path) -> None:
    done = Publisher(tmp_path).publish(FILES)
    assert set(done.changed) == set(FILES)
    assert (tmp_path / "public").is_symlink()
    assert {name: (tmp_path / "public" / name).read_bytes() for name in FILES} == FILES


def test_texts_have_a_compressed_form_beside_them(tmp_path: Path) -> None:
    Publisher(tmp_path).publish(FILES)
    public = tmp_path / "public"
    packed = (public / "index.html.gz").read_bytes()
    assert gzip.decompress(packed) == PAGE
    assert packed[4:8] == bytes(4)  # no date in it, so equal texts give equal bytes
    assert gzip.decompress((public / "badge/cart.svg.gz").read_bytes()) == FILES["badge/cart.svg"]  # however small
    assert not (public / "assets/logo.0123456789.png.gz").exists()


def test_what_did_not_change_is_the_same_file(tmp_path: Path) -> None:
    publisher, public = Publisher(tmp_path), tmp_path / "public"
    publisher.publish(FILES)
    names = [name for name in FILES if name != "index.html"] + ["modules/cart/index.html.gz"]
    before = {name: (public / name).stat() for name in (*names, "index.html")}
    done = publisher.publish({**FILES, "index.html": PAGE + b"new"})
    assert done.changed == ("index.html",)
    assert 0 < done.bytes < 2 * len(PAGE)
    after = {name: (public / name).stat() for name in (*names, "index.html")}
    for name in names:
        assert (before[name].st_ino, before[name].st_mtime_ns) == (after[name].st_ino, after[name].st_mtime_ns)
    assert before["index.html"].st_ino != after["index.html"].st_ino
    assert gzip.decompress((public / "index.html.gz").read_bytes()) == PAGE + b"new"


def test_publishing_the_same_again_does_nothing(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish(FILES)
    before = (tmp_path / "public").readlink()
    assert publisher.publish(dict(FILES)).changed == ()
    assert (tmp_path / "public").readlink() == before


def test_a_file_that_is_no_longer_made_is_gone(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish(FILES)
    publisher.publish({"index.html": PAGE})
    assert not (tmp_path / "public/modules").exists()
    assert not (tmp_path / "public/badge").exists()


def folders(directory: Path) -> list[Path]:
    """The publications on the disk, the oldest first."""
    return sorted(path for path in (directory / ".publications").iterdir() if path.is_dir())


def test_the_publication_before_stays_for_readers_in_flight_and_the_oldest_becomes_the_next(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    for number in range(5):
        publisher.publish(site(number))
        oldest = folders(tmp_path)[0].stat().st_ino
    kept = folders(tmp_path)
    assert [(path / "part0/page0.html").read_bytes()[:6] for path in kept] == [b"000002", b"000003", b"000004"]
    publisher.publish(site(5))
    assert (tmp_path / "public/").stat().st_ino == oldest


SEEN = {0: {}, 1: {"part0/a.html": PAGE}, 2: {"part0/a.html": PAGE + b"2", "part9/deep/b.html": PAGE}}


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=8))
def test_a_folder_that_is_used_again_holds_what_a_new_one_would(steps: list[list[int]]) -> None:
    """Whatever comes, goes, changes and changes back: contents, and the date of what stays the same."""
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        publisher, before = Publisher(directory), {}
        for step in steps:
            wanted = {f"{folder}/{name}": body for folder, kind in enumerate(step) for name, body in SEEN[kind].items()}
            publisher.publish({"index.html": PAGE, **wanted})
            public = directory / "public/"
            there = {one.relative_to(public).as_posix(): one for one in public.rglob("*")}
            texts = {name for name, one in there.items() if one.is_file() and not name.endswith(".gz")}
            assert texts == {"index.html", *wanted}
            for name in texts:
                content, stat = there[name].read_bytes(), there[name].stat()
                assert content == {"index.html": PAGE, **wanted}[name]
                assert gzip.decompress(there[f"{name}.gz"].read_bytes()) == content
                if before.get(name, (b"",))[0] == content:
                    assert before[name] == (content, stat.st_ino, stat.st_mtime_ns)
            assert all(list(one.iterdir()) for one in there.values() if one.is_dir()), "a folder was left empty"
            before = {name: (wanted.get(name, PAGE), *_identity(there[name])) for name in texts}


def _identity(file: Path) -> tuple[int, int]:
    return file.stat().st_ino, file.stat().st_mtime_ns


def test_what_changed_and_what_is_gone_is_told(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish({"a.html": PAGE, "b.html": PAGE, "c.html": PAGE})
    done = publisher.publish({"a.html": PAGE, "b.html": PAGE + b"new", "d.html": PAGE})
    assert (done.changed, done.removed) == (("b.html", "d.html"), ("c.html",))


def test_a_restart_goes_on_from_what_is_published(tmp_path: Path) -> None:
    Publisher(tmp_path).publish(FILES)
    inode = (tmp_path / "public/index.html").stat().st_ino
    done = Publisher(tmp_path).publish({**FILES, "badge/cart.svg": b"<svg></svg>"})
    assert done.changed == ("badge/cart.svg",)
    assert (tmp_path / "public/index.html").stat().st_ino == inode


def test_leftovers_of_a_crash_are_cleared(tmp_path: Path) -> None:
    Publisher(tmp_path).publish(FILES)
    half = tmp_path / ".publications/00000002"
    half.mkdir()
    (half / "index.html").write_bytes(b"half")
    (tmp_path / ".public.new").symlink_to(".publications/00000002")
    publisher = Publisher(tmp_path)
    assert not half.exists()
    assert not (tmp_path / ".public.new").is_symlink()
    publisher.publish({"index.html": b"next"})
    assert (tmp_path / "public/index.html").read_bytes() == b"next"


def test_two_publishers_take_turns(tmp_path: Path) -> None:
    """`monitor render` beside `monitor run`."""
    one, other = Publisher(tmp_path), Publisher(tmp_path)
    one.publish(site(1))
    other.publish(site(2))
    one.publish({**site(2), "more.html": PAGE})
    assert (tmp_path / "public/part3/page7.html").read_bytes().startswith(b"000002")
    assert (tmp_path / "public/more.html").exists()


def test_pages_that_lie_aside_are_published_as_if_they_had_been_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a refusal; nothing of them stays where they lay."""
    monkeypatch.setattr(publish, "HELD", 0)
    publisher, held = Publisher(tmp_path / "aside"), Publisher(tmp_path / "held")
    for number in (1, 2, 3, 4):
        kept = {name: publisher.aside(name, content) for name, content in site(number).items()}
        assert all(isinstance(one, Stored) for one in kept.values())
        assert publisher.reading(kept)["part0/page0.html"] == site(number)["part0/page0.html"]
        if number == 2:
            with monkeypatch.context() as broken:
                broken.setattr(publish, "_all_to_disk", lambda *_: os.open("/nowhere", os.O_RDONLY))
                with pytest.raises(OSError, match="nowhere"):
                    publisher.publish(kept)
        done, other = publisher.publish(kept), held.publish(site(number))
        assert (done.changed, done.bytes) == (other.changed, other.bytes)
        found, wanted = (
            {one.relative_to(place).as_posix(): one.read_bytes() for one in place.rglob("*") if one.is_file()}
            for place in (tmp_path / "aside/public/", tmp_path / "held/public/")
        )
        assert found == wanted
        assert len(found) == 80
        assert not (tmp_path / "aside/.publications/aside").exists()


def test_somebody_elses_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public/index.html").write_text("mine")
    with pytest.raises(PublishError, match="move it away"):
        Publisher(tmp_path)
    assert (tmp_path / "public/index.html").read_text() == "mine"


def test_somebody_elses_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "public").symlink_to("elsewhere")
    with pytest.raises(PublishError, match="outside"):
        Publisher(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../up.html", "/etc/x", "a/../b", "a//b", "a/", "", ".hidden", "a\\b", "a\0b", "a/./b", "index.html.gz", "a b"],
)
def test_no_path_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no path of a published file"):
        Publisher(tmp_path).publish({"index.html": PAGE, name: b"x"})
    assert not (tmp_path / "public").exists()


def test_a_full_disk_leaves_the_old_site_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish(site(1))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(publish, "_all_to_disk", refuse)
        with pytest.raises(OSError, match="No space left"):
            publisher.publish(site(2))
    assert len([one for one in (tmp_path / ".publications").iterdir() if one.is_dir()]) == 1
    assert (tmp_path / "public/part3/page3.html").read_bytes().startswith(b"000001")
    assert len(publisher.publish(site(2)).changed) == 40


LIMITED = """
import resource, sys
from pathlib import Path
from monitor.pages.publish import Publisher
from tests.pages.test_publish import PAGE, site
publisher = Publisher(Path(sys.argv[1]))
for number in range(4):
    publisher.publish(site(number))
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 100_000))
try:
    publisher.publish({**site(4), "large.html": PAGE * 100})
except OSError as error:
    print(error.strerror)
publisher.publish(site(5))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
publisher.publish({**site(6), "large.html": PAGE * 100})
"""


def test_a_write_that_the_system_refuses_leaves_the_old_site_whole(tmp_path: Path) -> None:
    """In the midst of a publication, and the next ones go on as if nothing had been."""
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("File too large\n", 0), done.stderr
    assert whole(tmp_path / "public") == b"000006"
    assert (tmp_path / "public/large.html").read_bytes() == PAGE * 100
    assert [one.name for one in folders(tmp_path)] == ["00000004", "00000005", "00000006"]


def test_a_place_that_cannot_hold_the_site_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".publications").write_text("no folder")
    with pytest.raises(PublishError, match="cannot hold the site"):
        Publisher(tmp_path)


def test_a_publication_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    for number in range(3):
        publisher.publish(site(number))
    shutil.rmtree((tmp_path / "public").resolve())
    assert publisher.publish(site(2)).whole
    assert whole(tmp_path / "public") == b"000002"


def test_without_hard_links_files_are_copied_with_their_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish(FILES)
    before = (tmp_path / "public/index.html").stat()

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    publisher.publish({**FILES, "new.html": PAGE})
    after = (tmp_path / "public/index.html").stat()
    assert (tmp_path / "public/index.html").read_bytes() == PAGE
    assert before.st_mtime_ns == after.st_mtime_ns
    assert before.st_ino != after.st_ino


def test_without_a_flush_of_the_file_system_every_file_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_syncfs", None)
    flushed: list[str] = []
    monkeypatch.setattr(publish, "_to_disk", lambda path: flushed.append(Path(path).name))
    Publisher(tmp_path).publish(FILES)
    assert {"index.html", "index.html.gz", "cart.svg", "modules", "cart", "badge", "00000001"} <= set(flushed)
    assert flushed[-1] == tmp_path.name  # the link comes last


def whole(public: Path) -> bytes | None:
    """The number that all forty files of one publication carry; None when it was removed while being read."""
    folder = public.resolve(strict=True)
    try:
        numbers = {(folder / f"part{n % 4}/page{n}.html").read_bytes()[:6] for n in range(40)}
        for n in range(40):
            packed = gzip.decompress((folder / f"part{n % 4}/page{n}.html.gz").read_bytes())
            numbers.add(packed[:6])
            assert packed.endswith(PAGE)
    except FileNotFoundError:
        return None
    assert len(numbers) == 1, numbers
    return numbers.pop()


@pytest.mark.slow
def test_readers_see_whole_sites_only_during_a_hundred_swaps(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish(site(0))
    seen: list[bytes] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                number = whole(tmp_path / "public")
                seen.extend([] if number is None else [number])
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, 101):
            publisher.publish(site(number))
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not failures
    assert len(set(seen)) > 3
    assert whole(tmp_path / "public") == b"000100"


KILLED = """
import sys
from pathlib import Path
from monitor.pages.publish import Publisher
from tests.pages.test_publish import site
publisher = Publisher(Path(sys.argv[1]))
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    number += 1
    publisher.publish(site(number))
"""


def test_killed_at_any_moment_the_site_is_whole_and_the_next_start_goes_on(tmp_path: Path) -> None:
    Publisher(tmp_path).publish(site(0))
    for round in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), str(round * 100_000)], stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.03 + 0.037 * round)
            process.send_signal(signal.SIGKILL)
        assert whole(tmp_path / "public") is not None
        publisher = Publisher(tmp_path)
        publisher.publish({**site(round * 100_000 + 99_999)})
        assert whole(tmp_path / "public") == b"%06d" % (round * 100_000 + 99_999)
        assert len(folders(tmp_path)) == 2
