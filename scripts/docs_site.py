"""Docs site: what mkdocs cannot know. The pages of the repository's top join those of `docs/`; a link that leads from a
page to a file that is no page becomes the file's name, for the site does not hold it.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
TOP = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
HOME = "README.md"  # of the repository: its pages of the site are those of `docs/README.md`
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """The pages of the top are pages of the site."""
    for name in TOP:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as the site has them."""
    name = page.file.src_uri
    folder = PurePosixPath(".") if name in TOP else PurePosixPath("docs", name).parent

    def led(found: re.Match[str]) -> str:
        words, address = found[1], found[2]
        path, mark, fragment = address.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return found[0]
        target = normpath(str(folder / path))
        inside = target if target in TOP else target.removeprefix("docs/") if target.startswith("docs/") else None
        if inside is not None and files.get_file_from_path(inside) is not None:
            return f"[{words}]({relpath(inside, str(PurePosixPath(name).parent))}{mark}{fragment})"
        if target == HOME or (ROOT / target).exists():
            return words if words.strip("`") in target else f"{words} (`{target}`)"
        return found[0]  # told by mkdocs, which is strict

    pieces = FENCE.split(markdown)
    return "".join(piece if n % 2 else LINK.sub(led, piece) for n, piece in enumerate(pieces))
