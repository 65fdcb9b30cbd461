"""How a fourth language comes about."""

import ast
from pathlib import Path
from shutil import copytree

import pytest
from babel.messages.pofile import read_po

import monitor
from monitor.pages.catalogue import catalogue_file, main, refreshed, wanted
from monitor.pages.translate import Speech
from tests.pages.conftest import THEME


def test_a_new_language_begins_with_every_message_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command writes the file; what a translator fills in is spoken and stays at the next refresh."""
    theme = copytree(THEME, tmp_path / "theme")
    main(theme, ["fr"])
    file = catalogue_file(theme, "fr")
    assert f"{len(wanted(theme))} to translate" in capsys.readouterr().out

    text = file.read_text("utf-8")
    file.write_text(text.replace('msgid "Next update"\nmsgstr ""', 'msgid "Next update"\nmsgstr "Suite"'), "utf-8")
    main(theme, ["fr"])
    speech = Speech.load(("fr",), theme)

    assert speech.gettext("fr", "Next update") == "Suite"
    assert "Next update" not in speech.missing("fr")
    assert "Last update" in speech.missing("fr")


@pytest.mark.parametrize("language", ["pt-BR", "es"])
def test_the_shipped_files_are_up_to_date(language: str) -> None:
    """Nothing in them is unused, and nothing wanted is absent."""
    with catalogue_file(THEME, language).open("rb") as opened:
        shipped = {message.id for message in read_po(opened)}

    assert shipped == {message.id for message in refreshed(THEME, language)}


def test_no_marked_message_hides_from_the_catalogues() -> None:
    """What is marked inside an f-string is not found by the extraction, and would stay English without a word."""
    package = Path(monitor.__file__).parent
    marked = {
        node.args[0].value
        for file in [package / "core" / "wording.py", *(package / "pages").glob("*.py")]
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "N_"
        if isinstance(node.args[0], ast.Constant)
    }

    assert marked <= set(wanted(THEME))
