"""One reach and one authority for the tests of this room."""

from collections.abc import AsyncIterator, Iterator

import pytest
import trustme

from monitor.probers import Reach

from .authorities import Authorities
from .looking import reaching


@pytest.fixture(scope="session", autouse=True)
def few_system_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every test opens a reach of its own, and reading 140 authorities each time is most of what that takes."""
    file = tmp_path_factory.mktemp("system") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        patch.setenv("SSL_CERT_DIR", str(file.parent))
        yield


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    """How targets are reached, with nothing configured."""
    async with reaching() as reach:
        yield reach


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    """Certificates of every kind; making keys takes a moment, so once."""
    return Authorities(tmp_path_factory.mktemp("authorities"))
