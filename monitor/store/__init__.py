"""Store: the hands that remember. What the desk decided is here before anybody is told about it.

One contract, three stores: SQLite by default, PostgreSQL by changing one URL, and plain dictionaries for tests and
replays. The drivers are imported by `open_store` only, so that naming the contract costs nothing.
"""

from monitor.store.contract import (
    TROUBLES,
    Claim,
    Lease,
    Leases,
    Outbox,
    Store,
    StoreFailed,
    StoreUnusable,
    Subscribers,
    Superseded,
)
from monitor.store.rollup import Rollup

__all__ = [
    "TROUBLES",
    "Claim",
    "Lease",
    "Leases",
    "Outbox",
    "Rollup",
    "Store",
    "StoreFailed",
    "StoreUnusable",
    "Subscribers",
    "Superseded",
    "open_store",
]


async def open_store(url: str, *, readonly: bool = False) -> Store:
    """The store behind `sqlite:///path` or `postgresql://…`, its schema brought up to date unless `readonly`."""
    from monitor.store.connect import open_sql  # SQLAlchemy costs 0.4 s to import

    return await open_sql(url, readonly=readonly)
