"""What stands beside a large text opens as that text, and is the same whatever was packed before it."""

import gzip
import zlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.pages import packer as packer_module
from monitor.pages.found import Content
from monitor.pages.packer import LARGE, MARK, MARK_JSON, MOST, Packer, cut
from tests.depth import examples


def listing(entries: int, seed: int) -> bytes:
    """As our own files list modules."""
    random = Random(seed)
    return b",".join(b'{"id":"m-%d","p50":%d,"text":"a\nb"}' % (n, random.randrange(9999)) for n in range(entries))


@settings(max_examples=examples(12), deadline=None)
@given(
    name=st.sampled_from(["modules.json", "index.html"]),
    entries=st.integers(2500, 9000),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 400), st.binary(max_size=300)), max_size=3),
    seed=st.integers(0, 9),
)
@pytest.mark.property
def test_it_opens_as_the_text_and_is_the_same_without_a_past(
    name: str, entries: int, edits: list[tuple[float, int, bytes]], seed: int
) -> None:
    """After whatever was cut out and put in, with what the standard library opens at one go and piece by piece."""
    packer, text = Packer(), listing(entries, seed)
    packer.packed(name, text)
    for at, out, instead in edits:
        place = int(at * len(text))
        text = text[:place] + instead + text[place + out :]
        packed = packer.packed(name, text)
        assert packed == Packer().packed(name, text)
        assert packed is not None
        assert gzip.decompress(packed) == text
        opener = zlib.decompressobj(31)
        assert opener.decompress(packed) == text
        assert opener.eof
        assert opener.unused_data == b""  # one member: not every client reads a second one


@settings(max_examples=examples(12), deadline=None)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 70, 5_000, 30_000, 40_000, LARGE]), min_size=5, max_size=12),
    changes=st.lists(st.tuples(st.integers(0, 11), st.sampled_from(["other", "gone", "new"])), max_size=5),
    seed=st.integers(0, 9),
)
@pytest.mark.property
def test_parts_open_as_the_text_and_are_the_same_without_a_past(
    sizes: list[int], changes: list[tuple[int, str]], seed: int
) -> None:
    """Whichever of them became others, went or came: what stands before a part is in its view."""
    text, random = listing(9000, seed), Random(seed)

    def part(size: int) -> Content:
        start = random.randrange(len(text) - size)
        return Content(text[start : start + size])

    packer, parts = Packer(), [*map(part, sizes), part(LARGE)]
    packer.packed("modules.json", Content.of(*parts))
    for at, change in changes:
        place = at % len(parts)
        if change == "other":
            parts[place] = part(len(parts[place]))
        elif change == "gone" and len(parts) > 1:
            del parts[place]
        else:
            parts.insert(place, part(30_000))
        whole = Content.of(*parts)
        packed = packer.packed("modules.json", whole)
        assert packed == Packer().packed("modules.json", whole)
        assert packed is not None
        assert gzip.decompress(packed) == whole


def test_behind_a_change_the_pieces_are_the_same() -> None:
    """So that a change costs a piece or two, not the rest of the file."""
    text = listing(20_000, 1)
    for mark in (MARK, MARK_JSON):
        before = [bytes(piece) for piece in cut(text, mark)]
        after = [bytes(piece) for piece in cut(text[:300_000] + b"another figure" + text[300_000:], mark)]
        assert len(before) > len(text) / MOST
        assert len(set(after) - set(before)) <= 4


def test_a_part_that_is_the_object_it_was_is_not_compressed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with its date at the head costs the head."""
    packer, body, made = Packer(), Content(listing(20_000, 1)), []
    deflated = packer_module._deflated
    monkeypatch.setattr(packer_module, "_deflated", lambda *given: (made.append(given), deflated(*given))[1])
    for date in (b"2026-11-23T15:15:20Z", b"2026-11-23T15:15:35Z"):
        made.clear()
        packed = packer.packed("x.json", Content.of(date, body))
        assert packed == Packer().packed("x.json", Content.of(date, Content(body)))
        assert packed is not None
        assert gzip.decompress(packed) == date + body
    made.clear()
    packer.packed("x.json", Content.of(b"2026-11-23T15:15:50Z", body))
    assert len(made) == 1


def test_a_part_is_looked_at_when_it_is_another_text_and_not_another_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands between kept parts is made anew each time, and mostly says the same."""
    packer, shelves, seen = Packer(), [Content(listing(800, seed)) for seed in range(12)], []
    monkeypatch.setattr(packer_module, "cut", lambda *given: (seen.append(given), cut(*given))[1])

    def page(first: bytes) -> Content:
        return Content.of(first, *(part for shelf in shelves for part in (b"<p>between".ljust(40), shelf)))

    for first, looked_at in ((b"<title>", 25), (b"<title>", 0), (b"<other>", 5)):
        seen.clear()
        packed = packer.packed("index.html", page(first))
        assert packed is not None
        assert gzip.decompress(packed) == page(first)
        assert len(seen) == looked_at


def test_a_small_text_is_packed_whole_and_a_picture_not_at_all() -> None:
    packer, text = Packer(), b"status " * 1000
    assert packer.packed("index.html", text) == gzip.compress(text, 6, mtime=0)
    assert packer.packed("card.png", text * 1000) is None


@pytest.mark.parametrize("text", [listing(20_000, 2), b"".join(listing(90, n) for n in (1, 2, 3)) * 60])
def test_a_large_text_is_hardly_larger_for_it(text: bytes) -> None:
    """However much it says again: a piece sees what stands before it."""
    assert len(text) > LARGE
    packed = Packer().packed("x.json", text)
    assert packed is not None
    assert len(packed) < 1.06 * len(gzip.compress(text, 6)) + 600
