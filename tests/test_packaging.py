"""What is shipped: the same bytes whoever builds it, and everything that the program needs."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

import monitor

ROOT = Path(__file__).parent.parent
LEFT = shutil.ignore_patterns(".git", ".venv", "dist", "data", "docs-site", "__pycache__", ".*_cache", ".hypothesis")
MOMENT = "1790000000"  # of the last change, in seconds since 1970


def built(source: Path, out: Path, *what: str) -> dict[str, str]:
    """SHA-256 of what is built from a folder, by the name of its file."""
    command = [sys.executable, "-m", "build", "-q", "-o", str(out), *what, str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": MOMENT}
    subprocess.run(command, check=True, env=environment, timeout=300)
    return {one.name: sha256(one.read_bytes()).hexdigest() for one in out.iterdir()}


def test_the_version_is_one() -> None:
    """What is installed and what the program says of itself."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert about["version"] == monitor.__version__


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_builds_have_the_same_bytes(tmp_path: Path) -> None:
    """From other folders, on other days, with other rights; the wheel of the source archive is the wheel of the folder;
    each holds all that it needs."""
    one, other = tmp_path / "one", tmp_path / "deeper" / "other"
    shutil.copytree(ROOT, one, ignore=LEFT)
    shutil.copytree(ROOT, other, ignore=LEFT)
    for file in other.rglob("*"):
        if file.is_file():
            file.chmod(file.stat().st_mode & ~0o044)
            os.utime(file, (1, 1))
    first = built(one, tmp_path / "first", "--sdist", "--wheel")
    assert built(other, tmp_path / "second", "--sdist", "--wheel") == first

    (archive,) = (tmp_path / "first").glob("*.tar.gz")
    (wheel,) = (tmp_path / "first").glob("*.whl")
    with tarfile.open(archive) as whole:
        whole.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert built(unpacked, tmp_path / "third", "--wheel") == {wheel.name: first[wheel.name]}
    kept = {str(file.relative_to(ROOT)) for top in ("monitor", "site", "docs", "tests") for file in tracked(ROOT / top)}
    assert kept - {str(file.relative_to(unpacked)) for file in tracked(unpacked)} == set()
    beside = (".dockerignore", ".editorconfig", "Dockerfile", "Makefile", "docker-compose.yml", "mkdocs.yml")
    assert [name for name in beside if not (unpacked / name).is_file()] == []
    with zipfile.ZipFile(wheel) as names:
        inside = set(names.namelist())
    assert {"monitor/_probes.yaml", "monitor/_plans.example.yaml"} <= inside
    assert {f"monitor/_site/{file.relative_to(ROOT / 'site')}" for file in tracked(ROOT / "site")} <= inside


def tracked(folder: Path) -> list[Path]:
    """Every file below a folder that is no by-product."""
    return [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
