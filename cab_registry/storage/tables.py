"""The tables. Migrations build them in production; a test holds that both give the same database."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE, ExcludeConstraint

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
    }
)

# One row: which log this is.
log_identity: Final = Table(
    "log_identity",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("log_id", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("one", name="one_row"),
    CheckConstraint("log_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'", name="log_id_is_uuid"),
    CheckConstraint("isfinite(created)", name="created_finite"),
)

# The state machine of a submission, apart from the facts it carries. Not derivable from the log.
submission: Final = Table(
    "submission",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("received", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("recorded", DateTime(timezone=True)),
    Column("principal", Text, nullable=False),
    Column("public_reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("request_hash", LargeBinary),
    Column("first_position", BigInteger),
    Column("last_position", BigInteger),
    Column("receipt", JSONB),
    UniqueConstraint("principal", "idempotency_key"),
    CheckConstraint("id <> '' AND principal <> ''", name="texts_not_empty"),
    CheckConstraint("state IN ('submitted', 'approved', 'rejected', 'withdrawn')", name="state_known"),
    CheckConstraint("isfinite(received) AND isfinite(recorded)", name="instants_finite"),
    CheckConstraint("(first_position IS NULL) = (recorded IS NULL)", name="recorded_with_entries"),
    CheckConstraint("(first_position IS NULL) = (last_position IS NULL)", name="span_whole"),
    CheckConstraint("first_position <= last_position", name="span_ordered"),
    CheckConstraint("first_position IS NULL OR state = 'approved'", name="approved_with_entries"),
    CheckConstraint("length(request_hash) = 32", name="request_hash_length"),
)

# The log itself.
entry: Final = Table(
    "entry",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("format", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recorded", DateTime(timezone=True), nullable=False),
    Column("submission", Text(collation="C"), ForeignKey("submission.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("id", Text(collation="C"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("public_reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("payload_hash", LargeBinary, nullable=False),
    Column("private_hash", LargeBinary),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("entry_hash", LargeBinary, nullable=False),
    UniqueConstraint("id", "version"),
    CheckConstraint("position >= 1", name="position_positive"),
    CheckConstraint("format = 1", name="format_known"),
    CheckConstraint("version >= 1", name="version_positive"),
    CheckConstraint("isfinite(recorded)", name="recorded_finite"),
    CheckConstraint("type <> '' AND id <> '' AND owner <> '' AND principal <> ''", name="texts_not_empty"),
    CheckConstraint("change IN ('new', 'amend', 'correction', 'retire')", name="change_known"),
    CheckConstraint("(change = 'new') = (version = 1)", name="new_is_first"),
    CheckConstraint("change = 'new' OR public_reason <> ''", name="reason_given"),
    CheckConstraint("payload_hash = sha256(payload)", name="payload_hash_right"),
    CheckConstraint("length(private_hash) = 32", name="private_hash_length"),
    CheckConstraint("length(previous_hash) = 32", name="previous_hash_length"),
    CheckConstraint("length(entry_hash) = 32", name="entry_hash_length"),
    Index("entry_recorded_index", "recorded", "position"),
    Index("entry_submission_index", "submission"),
)

# Internal reasons and people's names: outside the chain, erasable; the chain holds only the salted hash.
entry_private: Final = Table(
    "entry_private",
    metadata,
    Column("position", BigInteger, ForeignKey("entry.position"), primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    CheckConstraint("length(salt) = 32", name="salt_length"),
)

# Derived: each version with the period in which it was what the register said. A lower bound that is absent means
# "before everything"; the upper bound is the instant of the next version, not included.
record_version: Final = Table(
    "record_version",
    metadata,
    Column("id", Text(collation="C"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("type", Text(collation="C"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("body", Text(collation="C")),
    Column("from_position", BigInteger, nullable=False),
    Column("until_position", BigInteger),
    Column("recorded", TSTZRANGE, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("payload", JSONB, nullable=False),
    PrimaryKeyConstraint("id", "version"),
    UniqueConstraint("from_position"),
    CheckConstraint("version >= 1", name="version_positive"),
    CheckConstraint("NOT isempty(recorded)", name="recorded_not_empty"),
    CheckConstraint("isfinite(lower(recorded)) AND isfinite(upper(recorded))", name="recorded_finite"),
    CheckConstraint("upper_inf(recorded) = (until_position IS NULL)", name="closed_whole"),
    CheckConstraint("until_position > from_position", name="positions_ordered"),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    ExcludeConstraint(("id", "="), ("recorded", "&&"), name="record_version_recorded_overlap", using="gist"),
    Index("record_version_current", "id", unique=True, postgresql_where=text("until_position IS NULL")),
    Index("record_version_type_index", "type", "from_position"),
    Index("record_version_body_index", "body", postgresql_where=text("body IS NOT NULL")),
)

# Derived: what the search for bodies reads, at the head of the log.
body_search: Final = Table(
    "body_search",
    metadata,
    Column("body", Text(collation="C"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("economies", ARRAY(Text), nullable=False),
    Column("sectors", ARRAY(Text), nullable=False),
    Index("body_search_names_index", "names", postgresql_using="gin", postgresql_ops={"names": "gin_trgm_ops"}),
    Index("body_search_economies_index", "economies", postgresql_using="gin"),
    Index("body_search_sectors_index", "sectors", postgresql_using="gin"),
)

body_identifier: Final = Table(
    "body_identifier",
    metadata,
    Column("scheme", Text(collation="C"), nullable=False),
    Column("value", Text(collation="C"), nullable=False),
    Column("body", Text(collation="C"), nullable=False),
    PrimaryKeyConstraint("scheme", "value", "body"),
    Index("body_identifier_body_index", "body"),
)
