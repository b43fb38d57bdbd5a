"""The tables of users and of what they did. Moments are whole seconds since 1970, in UTC: each database has those."""

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()
_OF_USER = ("user_id", Integer)


def _user() -> Column[int]:
    return Column(*_OF_USER, ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


USERS = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    # Null until the user has chosen one by the one-time link.
    Column("password", String(256)),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", Integer, nullable=False, default=0),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created_at", Integer, nullable=False),
)
GRANTS = Table(
    "grants",
    METADATA,
    Column(*_OF_USER, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("region", String(64), primary_key=True),
    Column("store", String(128), primary_key=True),
)
TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    _user(),
    Column("label", String(64), nullable=False),
    Column("secret", String(256), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("revoked_at", Integer),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    # Of what the cookie holds the hash alone: who reads the table cannot sign in with it.
    Column("digest", String(64), primary_key=True),
    _user(),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("seen_at", Integer, nullable=False),
)
LINKS = Table(
    "links",
    METADATA,
    Column("digest", String(64), primary_key=True),
    _user(),
    Column("expires_at", Integer, nullable=False),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    # The name as it was then: the user may be gone.
    Column("user", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("region", String(64)),
    Column("store", String(128)),
    Column("detail", Text, nullable=False, default="{}"),
    Column("address", String(64), nullable=False),
    Column("request_id", String(64), nullable=False),
    Index("audit_by_region", "region", "id"),
)
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("region", String(64), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("store_id", String(128), nullable=False),
    Column("vendor_id", String(128)),
    Column("product_id", String(128), nullable=False),
    Column("from_store", String(128)),
    Column("need_by", Date, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("quantity", Float, nullable=False),
    # The day of the plan that suggested the order: the next plan has to know the decision, whenever it was made.
    Column("decided_on", Date, nullable=False),
    Column("decided_at", Integer, nullable=False),
    Column("user", String(64), nullable=False),
    Column("note", Text),
    Index("decisions_by_order", "region", "order_id", "id"),
    Index("decisions_by_day", "region", "decided_on"),
)
UPLOADS = Table(
    "uploads",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("region", String(64), nullable=False),
    Column("file", String(256), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("stores", Text, nullable=False),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("uploaded_at", Integer, nullable=False),
    Column("user", String(64), nullable=False),
    Index("uploads_by_digest", "region", "digest", unique=True),
)
