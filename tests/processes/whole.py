"""Whole: that a publication is there to its last byte, whatever its writer went through."""

import gzip
import json
from pathlib import Path


def whole(public: Path) -> bool:
    """True; fails at the first file that is cut off. A text and its compressed form are the same."""
    pages = 0
    for file in public.rglob("*"):
        if file.suffix == ".html":
            pages += 1
            assert file.read_text().rstrip().endswith("</html>"), file
        elif file.suffix == ".json":
            json.loads(file.read_text())
        elif file.suffix == ".gz":
            assert gzip.decompress(file.read_bytes()) == file.with_suffix("").read_bytes(), file
    assert pages, "nothing is published"
    return True
