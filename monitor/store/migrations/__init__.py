"""Migrations: how an older database becomes one of today. Run by Alembic, and only when there is something to do."""
