"""Catalogues: which messages the pages need, and the `messages.po` of each language that holds their translations.

`python -m monitor.pages.catalogue [--theme FOLDER] fr` writes or refreshes the file of a language inside the theme: new
messages come in empty, finished ones stay, those no longer used go.
"""

import sys
from argparse import ArgumentParser
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

import monitor

Id = str | tuple[str, ...]

TEMPLATE_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
PYTHON_KEYWORDS = {"N_": None, "counted": (1, 2)}
HEADER = """# Translations of the status page of vtex-monitor.
# `python -m monitor.pages.catalogue` refreshes this file; docs/theme.md tells how."""
SPOKEN = (
    "wording.py",
    "announcement.py",
    "headline.py",
    "quarter.py",
    "circular.py",
    "guide.py",
    "vtexcodes.py",
    "stores.py",
)  # the files of core that word anything
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "encoding": "utf-8"}}


def catalogue_file(theme: Path, language: str) -> Path:
    """Where the translations of a language live, `pt-BR` in the folder `pt_BR`."""
    return theme / "translations" / language.replace("-", "_") / "LC_MESSAGES" / "messages.po"


@lru_cache(maxsize=8)
def wanted(theme: Path) -> dict[Id, tuple[str, ...]]:
    """Every message that templates, wording and pages use, with the files that use it."""
    package = Path(monitor.__file__).parent
    found: dict[Id, set[str]] = {}
    templates = theme / "templates"
    for name, _, message, _, _ in extract_from_dir(
        templates, [("**.html", "jinja2")], OPTIONS, TEMPLATE_KEYWORDS, directory_filter=lambda _: True
    ):
        found.setdefault(_id(message), set()).add(f"templates/{name}")
    for file in [*(package / "core" / name for name in SPOKEN), *sorted((package / "pages").glob("*.py"))]:
        for _, message, _, _ in extract_from_file("python", file, PYTHON_KEYWORDS):
            found.setdefault(_id(message), set()).add(f"{file.parent.name}/{file.name}")
    return {id: tuple(sorted(files)) for id, files in found.items()}


def refreshed(theme: Path, language: str) -> Catalog:
    """The catalogue of a language, brought up to what is wanted now."""
    file = catalogue_file(theme, language)
    locale = Locale.parse(language, sep="-")
    catalogue = Catalog(locale=locale, project="vtex-monitor", version="1", fuzzy=False)
    if file.exists():
        with file.open("rb") as opened:
            catalogue = read_po(opened, locale=str(locale))
    template = Catalog()
    for id, files in sorted(wanted(theme).items(), key=lambda pair: (pair[1], str(pair[0]))):
        template.add(id, locations=[(name, 0) for name in files])
    # Guessed translations would look finished to nobody but a hurried reviewer.
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.header_comment = HEADER
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    return catalogue


def main(theme: Path, languages: list[str]) -> None:
    """Writes the files of the languages."""
    for language in languages:
        catalogue = refreshed(theme, language)
        file = catalogue_file(theme, language)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as opened:
            write_po(opened, catalogue, width=0, include_lineno=False, omit_header=False)
        strings = [[one.string] if isinstance(one.string, str) else one.string or () for one in catalogue if one.id]
        empty = sum(not any(forms) for forms in strings)
        sys.stdout.write(f"{file}: {len(catalogue)} messages, {empty} to translate\n")


def _id(message: str | tuple[str, ...]) -> Id:
    return message if isinstance(message, str) else tuple(message)


if __name__ == "__main__":
    parser = ArgumentParser(description="Write or refresh the messages.po of languages.")
    parser.add_argument("--theme", type=Path, default=Path(monitor.__file__).parent.parent / "site")
    parser.add_argument("languages", nargs="+", metavar="LANGUAGE")
    arguments = parser.parse_args()
    main(arguments.theme, arguments.languages)
