from pathlib import Path

import pytest
from sqlalchemy import select

from shelfcast.api.access.audit import Origin, record, visible_to
from shelfcast.api.access.database import Database
from shelfcast.api.access.principal import ROLES, Grant, Principal
from shelfcast.api.access.tables import AUDIT
from shelfcast.settings.serving import Serving

ROWS = [("north", "1"), ("north", "2"), ("north", None), ("south", "1"), ("south", None), (None, None)]
SEEN = {
    "an admin of all": ("admin", ["*"], ROWS),
    "a planner of all": ("planner", ["*"], ROWS[:5]),
    "of a region": ("admin", ["north"], ROWS[:3]),
    "of a store": ("admin", ["north/1"], ROWS[:1]),
    "of stores and a region": ("planner", ["south", "north/2", "north/3"], [ROWS[1], *ROWS[3:5]]),
    "of a store wherever it is": ("planner", ["*/1"], [ROWS[0], ROWS[3]]),
    "of nothing": ("admin", [], []),
    "of more stores than a condition is deep": ("planner", [f"north/{n}" for n in range(2, 3000)], ROWS[1:2]),
}


@pytest.mark.parametrize(("role", "grants", "seen"), SEEN.values(), ids=SEEN)
def test_the_audit_is_seen_as_far_as_a_user_reaches(
    role: str, grants: list[str], seen: list[tuple[str | None, str | None]], tmp_path: Path
) -> None:
    principal = Principal(1, "ada", ROLES[role], frozenset(map(Grant.parse, grants)), "token")
    database = Database(Serving(folder=str(tmp_path)))
    with database.begin() as connection:
        for region, store in ROWS:
            record(connection, Origin("here", "1"), "ada", "approved", "order 1", region=region, store=store)
        query = select(AUDIT.c.region, AUDIT.c.store).where(visible_to(principal)).order_by(AUDIT.c.id)
        assert [tuple(row) for row in connection.execute(query)] == seen
    database.close()
