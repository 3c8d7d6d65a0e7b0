"""Who may come in, the audit log, and answers kept for repeated requests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
ROLES = "role IN ('viewer', 'operator', 'admin')"
NOT_COVERED = "NOT EXISTS (SELECT 1 FROM audit_log WHERE removed_through >= OLD.number)"
SQLITE_TRIGGERS = (
    (
        "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
    ),
    (
        f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log WHEN {NOT_COVERED} "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
    ),
)
POSTGRESQL_TRIGGERS = (
    (
        "CREATE FUNCTION jjm_audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    ),
    (
        "CREATE FUNCTION jjm_audit_log_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {NOT_COVERED} THEN "
        "RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation'; "
        "END IF; RETURN OLD; END $$"
    ),
    (
        "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION jjm_audit_log_refuse()"
    ),
    (
        "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION jjm_audit_log_delete()"
    ),
    (
        "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION jjm_audit_log_refuse()"
    ),
)


def upgrade() -> None:
    """Bring the schema forward."""
    _create_access()
    _create_audit_log()
    _create_idempotent_requests()


def _create_access() -> None:
    op.create_table(
        "access_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.CheckConstraint(ROLES, name=op.f("ck_access_keys_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_keys")),
    )
    op.create_table(
        "sign_in_tokens",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('link', 'oidc')", name=op.f("ck_sign_in_tokens_kind_known")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_tokens")),
    )
    op.create_index("ix_sign_in_tokens_expires_at", "sign_in_tokens", ["expires_at"], unique=False)
    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(ROLES, name=op.f("ck_web_sessions_role_known")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_sessions")),
    )
    op.create_index("ix_web_sessions_name", "web_sessions", ["name"], unique=False)
    op.create_index("ix_web_sessions_expires_at", "web_sessions", ["expires_at"], unique=False)


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("removed_through", sa.Integer(), nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_audit_log_number_from_one")),
        sa.CheckConstraint(
            "removed_through < number", name=op.f("ck_audit_log_removes_what_is_older")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"], unique=False)
    op.create_index("ix_audit_log_actor_number", "audit_log", ["actor", "number"], unique=False)
    op.create_index(
        "ix_audit_log_resource_number", "audit_log", ["resource", "number"], unique=False
    )
    op.create_index("ix_audit_log_removed_through", "audit_log", ["removed_through"], unique=False)
    is_server = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL_TRIGGERS if is_server else SQLITE_TRIGGERS:
        op.execute(sa.text(statement.replace(":", "\\:")))


def _create_idempotent_requests() -> None:
    op.create_table(
        "idempotent_requests",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=False),
        sa.Column("kept_until", MOMENT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotent_requests")),
    )
    op.create_index(
        "ix_idempotent_requests_kept_until", "idempotent_requests", ["kept_until"], unique=False
    )


def downgrade() -> None:
    """Take the schema back. Keys and the audit log are lost: older versions know nothing of them."""
    op.drop_table("idempotent_requests")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION jjm_audit_log_delete()")
        op.execute("DROP FUNCTION jjm_audit_log_refuse()")
    op.drop_table("web_sessions")
    op.drop_table("sign_in_tokens")
    op.drop_table("access_keys")
