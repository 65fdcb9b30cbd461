"""The PostgreSQL of the stack."""

from tests.postgres import postgres_server

__all__ = ["postgres_server"]
