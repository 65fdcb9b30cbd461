"""One authority for the tests of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme


class Authority:
    """Who vouches for the servers of the tests: `ca_file` is what a channel trusts."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Making keys takes a moment, so once."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session", autouse=True)
def few_system_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every channel reads the authorities of the system, and there are 140."""
    file = tmp_path_factory.mktemp("system") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        patch.setenv("SSL_CERT_DIR", str(file.parent))
        yield
