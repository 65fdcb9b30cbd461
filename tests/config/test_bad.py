"""Each file in `bad/` begins with the problems it must give, all of them, as comments `LINE:COLUMN: message`."""

from pathlib import Path

import pytest

from monitor.config import ConfigError
from tests.config.support import parsed

FILES = sorted((Path(__file__).parent / "bad").glob("*.yml"))
SECRET = "hunter22-do-not-show"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_file_gives_exactly_its_problems(file: Path) -> None:
    """Every problem in one pass, in the order of the file, each on one line that shows no secret."""
    text = file.read_text()
    wanted = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]

    with pytest.raises(ConfigError) as caught:
        parsed(text, VTEX_SECRET=SECRET, EMPTY="")

    assert str(caught.value).splitlines() == [f"probes.yaml:{line}" for line in wanted]
    assert SECRET not in str(caught.value)
