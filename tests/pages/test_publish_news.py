"""A tree that is only told what is new is, byte for byte, one that was compared whole."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.pages.publish import Publisher
from tests.depth import examples

NAMES = ["index.html", "a/index.html", "a/b/index.html", "a/b.json", "c/index.html", "large.json", "card.png"]
CONTENTS = [b"one", b"two", b'[{"id":"' + b"x" * 40 + b'"}]', b'{"id":1,"text":"much of it"},' * 6000, b""]
STEP = st.tuples(
    st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), st.sampled_from(CONTENTS)), max_size=4),
    st.sampled_from(["goes on", "goes on", "goes on", "begins anew", "another was here"]),
    st.sampled_from([True, True, False]),  # whether it is the whole site
)


def tree(folder: Path) -> dict[str, bytes]:
    """What a reader finds, compressed forms included."""
    public = folder / "public"
    return {
        one.relative_to(public.resolve()).as_posix(): one.read_bytes()
        for one in public.resolve().rglob("*")
        if one.is_file()
    }


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None)
@given(st.lists(STEP, min_size=1, max_size=9))
@example([({"index.html": b"one"}, "goes on", True), ({"index.html": None}, "goes on", False), ({}, "goes on", True)])
def test_what_is_told_as_news_comes_to_the_same_tree(
    steps: list[tuple[dict[str, bytes | None], str, bool]],
) -> None:
    """Across restarts, other processes that publish in between, and sites that come in parts."""
    files: dict[str, bytes] = {}
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        told, whole = Publisher(Path(one)), Publisher(Path(other))
        for changes, event, complete in steps:
            if event == "begins anew":
                told, whole = Publisher(Path(one)), Publisher(Path(other))
            if event == "another was here":
                for folder in (one, other):
                    Publisher(Path(folder)).publish({"index.html": b"of another process"})
            for name, content in changes.items():
                files.pop(name, None)
                if content is not None:
                    files[name] = content
            first = told.publish(files, whole=complete, news=changes.keys())
            second = whole.publish(files, whole=complete)
            assert set(first.changed) == set(second.changed)
            assert set(first.removed) == set(second.removed)
            assert tree(Path(one)) == tree(Path(other))
