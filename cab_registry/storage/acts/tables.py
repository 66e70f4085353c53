"""The tables of the chain of acts, and of corrections of the clock that it states."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from cab_registry.storage.tables import metadata

# Who did what, in order, insert-only as the log of records is.
act: Final = Table(
    "act",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("format", SmallInteger, nullable=False),
    Column("recorded", DateTime(timezone=True), nullable=False),
    Column("kind", Text(collation="C"), nullable=False),
    Column("actor", Text(collation="C"), nullable=False),
    Column("token", Text(collation="C")),
    Column("authority", Text(collation="C")),
    Column("subject", Text(collation="C"), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("log_position", BigInteger, nullable=False),
    Column("log_hash", LargeBinary, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("act_hash", LargeBinary, nullable=False),
    UniqueConstraint("act_hash"),
    CheckConstraint("position >= 1 AND log_position >= 0", name="positions_positive"),
    CheckConstraint("format = 1", name="format_known"),
    CheckConstraint("kind ~ '^[a-z][a-z_]*$'", name="kind_spelled"),
    CheckConstraint("actor <> '' AND subject <> ''", name="texts_not_empty"),
    CheckConstraint("isfinite(recorded)", name="recorded_finite"),
    CheckConstraint(
        "length(log_hash) = 32 AND length(previous_hash) = 32 AND length(act_hash) = 32", name="hashes_length"
    ),
    Index("act_subject_index", "subject", "position"),
    Index("act_actor_index", "actor", "position"),
    Index("act_authority_index", "authority", "position"),
    Index("act_kind_index", "kind", "position"),
)

# Derived from acts: entries whose recorded instants a wrong clock gave, and by how much those lie ahead of the truth.
clock_correction: Final = Table(
    "clock_correction",
    metadata,
    Column("first_position", BigInteger, primary_key=True, autoincrement=False),
    Column("last_position", BigInteger, nullable=False),
    Column("ahead_by", BigInteger, nullable=False),
    Column("act", BigInteger, nullable=False),
    CheckConstraint("first_position >= 1 AND last_position >= first_position", name="span_ordered"),
    CheckConstraint("ahead_by <> 0", name="moves"),
)
