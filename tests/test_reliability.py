"""Every fault the documentation promises to survive names the tests that prove it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)
PROOF = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
FAULTS, SEAM = PAGE.split("\n## At the seam\n")
TOLD = {int(number): [cell.strip() for cell in rest.split(" | ")] for number, rest in ROW.findall(FAULTS)}
FILLED = {number: cells for number, cells in TOLD.items() if any(cell.strip("| ") for cell in cells)}


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_fault_has_its_row() -> None:
    assert list(TOLD) == list(range(1, 72))


@pytest.mark.parametrize("number", FILLED)
def test_a_row_says_what_holds_and_names_tests_that_are_there(number: int) -> None:
    fault, holds, proof, measured = FILLED[number]
    assert fault
    assert holds
    assert measured
    named = PROOF.findall(proof)
    assert named
    for path, function in named:
        assert (ROOT / path).is_file(), path
        assert not function or function in functions(path), f"{path}::{function}"


def test_what_is_proved_at_the_seam_gives_the_command_for_the_fault_itself() -> None:
    seam = {int(number): rest.split(" | ") for number, rest in ROW.findall(SEAM)}
    marked = {number for number, cells in FILLED.items() if "at the seam" in cells[2]}
    assert set(seam) == marked
    for number, cells in seam.items():
        assert "`" in cells[-1], f"row {number} has no command"
