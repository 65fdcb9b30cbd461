"""Schema: the tables, once for both databases. `docs/store.md` explains them to people who query them.

Small rows that are always found by their key live in the key's own tree on SQLite (WITHOUT ROWID: half the size, one
look-up less). Rows with a document are ordinary ones, since long rows in a key's tree make every look-up slower.
Where many rows arrive in order of time, a running number is the primary key and rows are only ever appended.
A judged run is the most frequent row of all: `runs` has what differs, `forms` what is said again and again, `sources`
who says it. The view `observations` puts them together for people; `packing` knows how.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0017"  # the version these tables are at; versions are numbered so that a later one is greater

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER primary keys only

sources = Table(
    "sources",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("module", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("location", Text, nullable=False),
    UniqueConstraint("module", "probe", "location"),
)

forms = Table(
    "forms",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("digest", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),  # by a run of that day
    Column("outcome", Text, nullable=False),
    Column("code", Text),
    Column("blame", Text),
    Column("discarded", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("digest"),
    Index(None, "used_at"),  # sweeping
)

runs = Table(
    "runs",
    metadata,
    Column("source", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("form", BigInteger, nullable=False),
    Column("duration", Float(53), nullable=False),
    Column("rest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("source", "at"),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (at)",  # see `months`
)

rollups = Table(
    "rollups",
    metadata,
    Column("module", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("slow", Integer, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("buckets", Text, nullable=False),
    Column("timed", Integer, nullable=False, server_default="0"),
    Column("phases", Text, nullable=False, server_default="{}"),
    PrimaryKeyConstraint("module", "probe", "location", "hour"),
    Index(None, "hour"),  # the last 24 h of everything; sweeping
    sqlite_with_rowid=False,
)

tracks = Table(
    "tracks",
    metadata,
    Column("module", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("document", Text, nullable=False),
    PrimaryKeyConstraint("module", "probe", "location"),
)

conditions = Table(
    "conditions",
    metadata,
    Column("module", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("module", "probe"),
    sqlite_with_rowid=False,
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),  # order of decision, where two share an instant
    Column("module", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    # With `at`: a module may come back twice to a status that one place saw since the same moment.
    UniqueConstraint("module", "since", "after", "at"),
    Index(None, "since"),  # those of a day
)

# Made from transitions and planned work, and made anew where these change; not part of a dump.
days = Table(
    "days",
    metadata,
    Column("line", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("modules", Text, nullable=False),
    Column("up", BigInteger, nullable=False),
    Column("degraded", BigInteger, nullable=False),
    Column("down", BigInteger, nullable=False),
    Column("partly", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("move", BigInteger),
    PrimaryKeyConstraint("line", "until"),
    Index(None, "until"),  # those that a late change of status touches
    sqlite_with_rowid=False,
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("document", Text, nullable=False),
    Index(None, "started_at"),
    Index(None, "resolved_at"),  # those open, and those resolved of late
)

versions = Table(
    "versions",
    metadata,
    Column("module", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("before", Text),
    PrimaryKeyConstraint("module", "probe", "since"),
    sqlite_with_rowid=False,
)

calls = Table(
    "calls",
    metadata,
    Column("module", Text, nullable=False),
    Column("probe", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("module", "probe"),
    sqlite_with_rowid=False,
)

maintenances = Table(
    "maintenances",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("planned_from", BigInteger, nullable=False),
    Column("over_at", BigInteger),
    Column("document", Text, nullable=False),
    Index(None, "over_at"),  # those to come and going on, and those of late
)

windows = Table(
    "windows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("document", Text, nullable=False),
)

silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("begins", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("document", Text, nullable=False),
    Index(None, "ended_at"),  # those that are not over, and those of late
)

gaps = Table(
    "gaps",
    metadata,
    Column("location", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("location", "since"),
    sqlite_with_rowid=False,
)

# Everything is stored that an agent numbered up to `through` in this outbox of its own.
marks = Table(
    "marks",
    metadata,
    Column("location", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("location", "agent", "epoch"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),  # the order in which they were written
    Column("key", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("name", Text),
    Column("how", Text, nullable=False),
    Column("address", Text),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("request", Text),
    Column("digest", Text),
    Column("document", Text, nullable=False),
    Index(None, "at"),
    Index(None, "subject"),
    Index(None, "request"),
)

told = Table(
    "told",
    metadata,
    Column("incident", Text, primary_key=True),
    Column("due_at", BigInteger),
    Column("document", Text, nullable=False),
    Index(None, "due_at"),  # those of incidents that are over, but not for everybody
)

digests = Table(
    "digests",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("document", Text, nullable=False),
)

happenings = Table(
    "happenings",
    metadata,
    Column("incident", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("withheld", Text, nullable=False),
    Column("document", Text),
    PrimaryKeyConstraint("incident", "seq"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("incident", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("opens", Boolean, nullable=False),
    Column("page", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("claimed_until", BigInteger),
    Column("claim_token", Text),
    Column("last_error", Text),
    Column("external", Text),
    Column("settled_at", BigInteger),
    Column("tried_at", BigInteger),
    PrimaryKeyConstraint("incident", "seq", "channel"),
    Index(None, "state", "channel"),  # those that wait
    Index(None, "channel", "at"),  # the newest of a channel
    Index(None, "at"),  # the newest of all
)

posted = Table(
    "posted",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

# Numbered by whoever writes, so that a dump carries the numbers that subscribers have heard up to.
bulletins = Table(
    "bulletins",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("subject", "step"),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("document", Text, nullable=False),
    Index(None, "key"),
)

# Not part of a dump: who leads is a matter of now. The key over `fence` makes a change of it wait for whoever has
# looked at it within a transaction, while `until` alone may change at any time.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    UniqueConstraint("name", "fence"),
)

# What people query, by name, beside the tables.
views = {
    "observations": """
CREATE VIEW observations AS
SELECT runs.at, sources.module, sources.probe, sources.location, forms.outcome, forms.code, forms.blame,
       forms.discarded, runs.duration, forms.document
FROM runs JOIN sources ON sources.id = runs.source JOIN forms ON forms.id = runs.form
"""
}
