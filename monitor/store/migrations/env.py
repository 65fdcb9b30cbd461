"""What Alembic runs first: migrates over the connection it is handed, inside the transaction that is already open."""

import logging

from alembic import context

from monitor.store.schema import metadata

logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every step, to people who asked for none of it

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # on SQLite too: our transactions begin before the first change of a table
)
context.run_migrations()
