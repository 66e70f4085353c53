"""The tables of what waits for a second registrar or for its holder: invitations, and roles that are proposed."""

from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from cab_registry.storage.tables import metadata

# A code with which a principal gets a first token, or another after a loss; of the code only its SHA-256. The maker is
# none where the server's operator made it.
invitation: Final = Table(
    "invitation",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("principal", Text(collation="C"), ForeignKey("principal.id"), nullable=False),
    Column("authority", Text(collation="C"), nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("created_by", Text(collation="C"), ForeignKey("principal.id")),
    Column("expires", DateTime(timezone=True), nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("approved", DateTime(timezone=True)),
    Column("approved_by", Text(collation="C"), ForeignKey("principal.id")),
    Column("ended", DateTime(timezone=True)),
    Column("ended_by", Text(collation="C"), ForeignKey("principal.id")),
    Column("outcome", Text),
    CheckConstraint("id ~ '^i-[0-9a-f]{16}$'", name="id_opaque"),
    CheckConstraint("length(code_hash) = 32", name="code_hash_length"),
    CheckConstraint(
        "cardinality(roles) > 0 AND roles <@ ARRAY['submitter', 'approver', 'auditor', 'registrar']",
        name="roles_known",
    ),
    CheckConstraint(
        "isfinite(created) AND isfinite(expires) AND isfinite(approved) AND isfinite(ended)", name="instants_finite"
    ),
    CheckConstraint("expires > created", name="expires_after_created"),
    CheckConstraint("approved_by <> created_by", name="approved_by_another"),
    CheckConstraint("(approved IS NULL) = (approved_by IS NULL)", name="approval_whole"),
    CheckConstraint("outcome IN ('redeemed', 'cancelled', 'expired')", name="outcome_known"),
    CheckConstraint("(outcome IS NULL) = (ended IS NULL)", name="outcome_whole"),
    Index("invitation_principal_index", "principal", "created"),
    Index("invitation_open_index", "created", postgresql_where=text("outcome IS NULL")),
)

# A role that one registrar proposes and another grants. The decider is none where there was no other yet.
role_proposal: Final = Table(
    "role_proposal",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("principal", Text(collation="C"), ForeignKey("principal.id"), nullable=False),
    Column("authority", Text(collation="C"), nullable=False),
    Column("role", Text, nullable=False),
    Column("proposed", DateTime(timezone=True), nullable=False),
    Column("proposed_by", Text(collation="C"), ForeignKey("principal.id"), nullable=False),
    Column("decided", DateTime(timezone=True)),
    Column("decided_by", Text(collation="C"), ForeignKey("principal.id")),
    Column("outcome", Text),
    CheckConstraint("id ~ '^g-[0-9a-f]{16}$'", name="id_opaque"),
    CheckConstraint("role IN ('submitter', 'approver', 'auditor', 'registrar')", name="role_known"),
    CheckConstraint("role <> 'registrar' OR authority = 'registrar'", name="registrar_at_home"),
    CheckConstraint("isfinite(proposed) AND isfinite(decided)", name="instants_finite"),
    CheckConstraint("proposed_by <> principal", name="nobody_to_themselves"),
    CheckConstraint("outcome IN ('granted', 'refused', 'expired')", name="outcome_known"),
    CheckConstraint("(outcome IS NULL) = (decided IS NULL)", name="outcome_whole"),
    CheckConstraint(
        "outcome <> 'granted' OR decided_by IS NULL OR decided_by <> proposed_by AND decided_by <> principal",
        name="granted_by_another",
    ),
    Index(
        "role_proposal_open", "principal", "authority", "role", unique=True, postgresql_where=text("outcome IS NULL")
    ),
    Index("role_proposal_principal_index", "principal", "proposed"),
)
