"""The tables of the clock: runs of jobs, watches, and notices with their delivery. None of it follows from the log."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cab_registry.storage.tables import metadata

# The ledger of runs: a job has run for a day when its row says done, in the transaction of its work. A row that says
# due is the day with which a job began.
job_run: Final = Table(
    "job_run",
    metadata,
    Column("job", Text(collation="C"), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("began", DateTime(timezone=True), nullable=False),
    Column("ended", DateTime(timezone=True), nullable=False),
    Column("report", Text, nullable=False),
    Column("faults", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("job", "due_on"),
    CheckConstraint("state IN ('due', 'done', 'failed')", name="state_known"),
    CheckConstraint("attempts >= 0 AND faults >= 0", name="counts_positive"),
    CheckConstraint("isfinite(began) AND isfinite(ended)", name="instants_finite"),
)

# When each scheduler was last alive.
scheduler_beat: Final = Table(
    "scheduler_beat",
    metadata,
    Column("scheduler", Text(collation="C"), primary_key=True),
    Column("beat", DateTime(timezone=True), nullable=False),
    Column("leads", Boolean, nullable=False),
    CheckConstraint("isfinite(beat)", name="beat_finite"),
)

# One row: up to which position of the log the watched questions were asked again.
watch_cursor: Final = Table(
    "watch_cursor",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("position", BigInteger, nullable=False),
    CheckConstraint("one", name="one_row"),
    CheckConstraint("position >= 0", name="position_positive"),
)

# Where notices go. Address and secret are sealed; the digest of the address finds it without opening.
endpoint: Final = Table(
    "endpoint",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("principal", Text(collation="C"), ForeignKey("principal.id")),
    Column("authority", Text(collation="C")),
    Column("address", LargeBinary),
    Column("address_digest", LargeBinary, nullable=False),
    Column("secret", LargeBinary),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("changed", DateTime(timezone=True), nullable=False),
    Column("confirmation_digest", LargeBinary),
    Column("failing_since", DateTime(timezone=True)),
    CheckConstraint("id ~ '^e-[0-9a-f]{16}$'", name="id_opaque"),
    CheckConstraint("kind IN ('webhook', 'mail')", name="kind_known"),
    CheckConstraint("state IN ('unconfirmed', 'active', 'disabled', 'ended')", name="state_known"),
    CheckConstraint("length(address_digest) = 32", name="address_digest_length"),
    CheckConstraint("length(confirmation_digest) = 32", name="confirmation_digest_length"),
    CheckConstraint("kind = 'mail' OR principal IS NOT NULL", name="webhook_of_somebody"),
    CheckConstraint("state = 'ended' OR address IS NOT NULL", name="address_while_used"),
    CheckConstraint(
        "isfinite(created) AND isfinite(changed) AND isfinite(failing_since)",
        name="instants_finite",
    ),
    Index("endpoint_address_index", "address_digest"),
    Index("endpoint_principal_index", "principal", postgresql_where=text("principal IS NOT NULL")),
)

# Addresses that want no mail from here, ever.
mail_block: Final = Table(
    "mail_block",
    metadata,
    Column("address_digest", LargeBinary, primary_key=True),
    Column("blocked", DateTime(timezone=True), nullable=False),
    CheckConstraint("length(address_digest) = 32", name="address_digest_length"),
    CheckConstraint("isfinite(blocked)", name="blocked_finite"),
)

# What somebody watches.
watch: Final = Table(
    "watch",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("endpoint", Text(collation="C"), ForeignKey("endpoint.id")),
    Column("principal", Text(collation="C"), ForeignKey("principal.id")),
    Column("authority", Text(collation="C")),
    Column("kind", Text, nullable=False),
    Column("target", JSONB, nullable=False),
    Column("name", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("ended", DateTime(timezone=True)),
    CheckConstraint("id ~ '^w-[0-9a-f]{16}$'", name="id_opaque"),
    CheckConstraint(
        "kind IN ('body', 'scope', 'agreement', 'authority', 'question', 'standing', 'portfolio')", name="kind_known"
    ),
    CheckConstraint("endpoint IS NOT NULL OR principal IS NOT NULL", name="watched_by_somebody"),
    CheckConstraint("isfinite(created) AND isfinite(ended)", name="instants_finite"),
    Index("watch_principal_index", "principal", "created", postgresql_where=text("principal IS NOT NULL")),
    Index("watch_endpoint_index", "endpoint", postgresql_where=text("endpoint IS NOT NULL")),
)

# What answers read of the law, once for all watched questions that read the same.
law_reach: Final = Table(
    "law_reach",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("keys", ARRAY(Text(collation="C")), nullable=False),
    UniqueConstraint("digest"),
    CheckConstraint("length(digest) = 32", name="digest_length"),
    Index("law_reach_keys_index", "keys", postgresql_using="gin"),
)

# Each thing that a watch watches; a question with its last answer.
watched: Final = Table(
    "watched",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("watch", Text(collation="C"), ForeignKey("watch.id"), nullable=False),
    Column("row", Text, nullable=False),
    Column("target", JSONB, nullable=False),
    Column("law", BigInteger, ForeignKey("law_reach.id")),
    Column("position", BigInteger, nullable=False),
    Column("answered", JSONB),
    Column("turns_on", Date),
    CheckConstraint("position >= 0", name="position_positive"),
    CheckConstraint("(target ? 'question') = (answered IS NOT NULL)", name="questions_answered"),
    Index("watched_watch_index", "watch"),
    Index("watched_law_index", "law", postgresql_where=text("law IS NOT NULL")),
    Index("watched_turns_on_index", "turns_on", postgresql_where=text("turns_on IS NOT NULL")),
)

# From what a change touches to who watches it: issuers, identifiers, names, numbers, subjects.
watched_key: Final = Table(
    "watched_key",
    metadata,
    Column("key", Text(collation="C"), nullable=False),
    Column("watched", BigInteger, ForeignKey("watched.id"), nullable=False),
    PrimaryKeyConstraint("key", "watched"),
    Index("watched_key_watched_index", "watched"),
)

# Notices, written in the transaction of their cause; `unsent` ones are for reading only.
outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("number", BigInteger, Identity(), nullable=False),
    Column("watch", Text(collation="C"), ForeignKey("watch.id")),
    Column("endpoint", Text(collation="C"), ForeignKey("endpoint.id")),
    Column("cause", Text(collation="C"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("position", BigInteger),
    Column("due_on", Date),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt", DateTime(timezone=True)),
    Column("gives_up", DateTime(timezone=True)),
    Column("delivered", DateTime(timezone=True)),
    UniqueConstraint("number"),
    UniqueConstraint("watch", "cause"),
    CheckConstraint("state IN ('pending', 'delivered', 'failed', 'held', 'unsent')", name="state_known"),
    CheckConstraint("watch IS NOT NULL OR endpoint IS NOT NULL", name="for_somebody"),
    CheckConstraint("(state = 'unsent') = (endpoint IS NULL)", name="sent_to_an_endpoint"),
    CheckConstraint("(state = 'pending') = (next_attempt IS NOT NULL)", name="pending_has_its_time"),
    CheckConstraint("(state = 'delivered') = (delivered IS NOT NULL)", name="delivered_has_its_time"),
    CheckConstraint(
        "isfinite(created) AND isfinite(next_attempt) AND isfinite(gives_up) AND isfinite(delivered)",
        name="instants_finite",
    ),
    Index("outbox_endpoint_cause", "endpoint", "cause", unique=True, postgresql_where=text("watch IS NULL")),
    Index("outbox_due_index", "next_attempt", postgresql_where=text("state = 'pending'")),
    Index("outbox_endpoint_index", "endpoint", "number", postgresql_where=text("endpoint IS NOT NULL")),
    Index("outbox_watch_index", "watch", "number", postgresql_where=text("watch IS NOT NULL")),
)

# Each attempt to deliver a notice.
delivery: Final = Table(
    "delivery",
    metadata,
    Column("notice", Text(collation="C"), ForeignKey("outbox.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("began", DateTime(timezone=True), nullable=False),
    Column("seconds", Double, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("words", Text, nullable=False),
    PrimaryKeyConstraint("notice", "attempt"),
    CheckConstraint("attempt >= 1 AND seconds >= 0", name="counts_positive"),
    CheckConstraint("isfinite(began)", name="began_finite"),
)
