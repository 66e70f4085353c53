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

# One row: what signs the cursors of lists. Not derivable; without it, cursors that were given out are refused.
cursor_key: Final = Table(
    "cursor_key",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("key", LargeBinary, nullable=False),
    CheckConstraint("one", name="one_row"),
    CheckConstraint("octet_length(key) = 32", name="key_long"),
)

# The state machine of a submission, apart from the facts it carries. Not derivable from the log. `content` is what was
# handed in, as canonical bytes, private parts apart; the catalogue's own submissions have none.
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
    Column("kind", Text, nullable=False, server_default=text("'records'")),
    Column("authority", Text(collation="C")),
    Column("counterpart", Text(collation="C")),
    Column("four_eyes", Boolean, nullable=False, server_default=text("false")),
    Column("content", LargeBinary),
    Column("digest", LargeBinary),
    Column("versions_read", JSONB),
    Column("decided_by", Text),
    Column("decided", DateTime(timezone=True)),
    UniqueConstraint("principal", "idempotency_key"),
    CheckConstraint("id <> '' AND principal <> ''", name="texts_not_empty"),
    CheckConstraint("state IN ('submitted', 'approved', 'rejected', 'withdrawn')", name="state_known"),
    CheckConstraint("kind IN ('records', 'policy', 'transfer')", name="kind_known"),
    CheckConstraint("isfinite(received) AND isfinite(recorded)", name="instants_finite"),
    CheckConstraint("isfinite(decided)", name="decided_finite"),
    CheckConstraint("(first_position IS NULL) = (recorded IS NULL)", name="recorded_with_entries"),
    CheckConstraint("(first_position IS NULL) = (last_position IS NULL)", name="span_whole"),
    CheckConstraint("first_position <= last_position", name="span_ordered"),
    CheckConstraint("first_position IS NULL OR state = 'approved'", name="approved_with_entries"),
    CheckConstraint("length(request_hash) = 32", name="request_hash_length"),
    CheckConstraint("digest = sha256(content)", name="digest_right"),
    CheckConstraint("(content IS NULL) = (digest IS NULL)", name="content_with_digest"),
    CheckConstraint("(decided IS NULL) = (decided_by IS NULL)", name="decision_whole"),
    CheckConstraint("state <> 'submitted' OR decided IS NULL", name="decided_once_over"),
    CheckConstraint(
        "NOT (four_eyes AND state = 'approved') OR (decided_by IS NOT NULL AND decided_by <> principal)",
        name="approved_by_another",
    ),
    CheckConstraint("counterpart IS NULL OR four_eyes", name="counterpart_approves"),
    Index(
        "submission_waiting_index",
        text("coalesce(counterpart, authority)"),
        "received",
        postgresql_where=text("state = 'submitted'"),
    ),
    Index("submission_authority_index", "authority", "received"),
    Index("submission_principal_index", "principal", "received"),
)

# Reasons and evidence that are the authority's own: the request's, whose salted hash stands in its content, and the
# decision's. Erasable, as entry_private is.
submission_private: Final = Table(
    "submission_private",
    metadata,
    Column("submission", Text(collation="C"), ForeignKey("submission.id"), nullable=False),
    Column("part", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("submission", "part"),
    CheckConstraint("part IN ('request', 'decision')", name="part_known"),
    CheckConstraint("length(salt) = 32", name="salt_length"),
)

# Who acts. Public bytes name the opaque id only; the name is erasable.
principal: Final = Table(
    "principal",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("disabled", DateTime(timezone=True)),
    CheckConstraint("id ~ '^p-[0-9a-f]{16}$'", name="id_opaque"),
    CheckConstraint("kind IN ('person', 'machine')", name="kind_known"),
    CheckConstraint("isfinite(created) AND isfinite(disabled)", name="instants_finite"),
)

# What a principal may do for which authority, from when to when; nothing is deleted.
role_grant: Final = Table(
    "role_grant",
    metadata,
    Column("principal", Text(collation="C"), ForeignKey("principal.id"), nullable=False),
    Column("authority", Text(collation="C"), nullable=False),
    Column("role", Text, nullable=False),
    Column("granted", DateTime(timezone=True), nullable=False),
    Column("granted_by", Text),
    Column("ended", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("approved_by", Text(collation="C"), ForeignKey("principal.id")),
    PrimaryKeyConstraint("principal", "authority", "role", "granted"),
    CheckConstraint("role IN ('submitter', 'approver', 'auditor', 'registrar')", name="role_known"),
    CheckConstraint("role <> 'registrar' OR authority = 'registrar'", name="registrar_at_home"),
    CheckConstraint("authority <> ''", name="authority_not_empty"),
    CheckConstraint("isfinite(granted) AND isfinite(ended)", name="instants_finite"),
    CheckConstraint("ended >= granted", name="ended_after_granted"),
    CheckConstraint(
        "granted_by <> principal AND (approved_by IS NULL OR approved_by NOT IN (principal, granted_by))",
        name="granted_by_others",
    ),
    Index("role_grant_current", "principal", "authority", "role", unique=True, postgresql_where=text("ended IS NULL")),
)

# Bearer tokens; of the secret only its SHA-256, which is enough because the secret is random and long. A family is a
# first token with all that took its place; none of them, nor what was issued with them, outlives `renewable_until`.
token: Final = Table(
    "token",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("principal", Text(collation="C"), ForeignKey("principal.id"), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("authority", Text(collation="C"), nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("name", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("expires", DateTime(timezone=True), nullable=False),
    Column("revoked", DateTime(timezone=True)),
    Column("last_used", DateTime(timezone=True)),
    Column("caused_by", Text(collation="C"), ForeignKey("principal.id")),
    Column("invitation", Text(collation="C"), ForeignKey("invitation.id")),
    Column("parent", Text(collation="C"), ForeignKey("token.id")),
    Column("family", Text(collation="C"), nullable=False),
    Column("replaced", DateTime(timezone=True)),
    Column("renewable_until", DateTime(timezone=True), nullable=False),
    CheckConstraint("length(secret_hash) = 32", name="secret_hash_length"),
    CheckConstraint(
        "cardinality(roles) > 0 AND roles <@ ARRAY['submitter', 'approver', 'auditor', 'registrar']",
        name="roles_known",
    ),
    CheckConstraint(
        "isfinite(created) AND isfinite(expires) AND isfinite(revoked) AND isfinite(last_used)",
        name="instants_finite",
    ),
    CheckConstraint("expires > created", name="expires_after_created"),
    CheckConstraint("isfinite(replaced) AND isfinite(renewable_until)", name="life_finite"),
    CheckConstraint("expires <= renewable_until", name="expires_in_its_life"),
    Index("token_principal_index", "principal", "created"),
    Index("token_family_index", "family"),
    Index("token_parent_index", "parent", postgresql_where=text("parent IS NOT NULL")),
    Index("token_invitation_index", "invitation", unique=True, postgresql_where=text("invitation IS NOT NULL")),
)

# How an authority wants its submissions handled; each change is a row, entered by an approved submission.
authority_policy: Final = Table(
    "authority_policy",
    metadata,
    Column("authority", Text(collation="C"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("four_eyes", Boolean, nullable=False),
    Column("scope_wider", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("submission", Text(collation="C"), ForeignKey("submission.id"), nullable=False),
    PrimaryKeyConstraint("authority", "version"),
    CheckConstraint("version >= 1", name="version_positive"),
    CheckConstraint("scope_wider IN ('warn', 'refuse')", name="scope_wider_known"),
    CheckConstraint("isfinite(since)", name="since_finite"),
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
    Column("act_hash", LargeBinary),
    UniqueConstraint("id", "version"),
    CheckConstraint("position >= 1", name="position_positive"),
    CheckConstraint("format IN (1, 2)", name="format_known"),
    CheckConstraint("(format = 1) = (act_hash IS NULL)", name="act_from_format_two"),
    CheckConstraint("length(act_hash) = 32", name="act_hash_length"),
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
