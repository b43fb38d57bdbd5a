"""What the commits in a Delta table's log say of themselves."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# The setting by which a statement that takes no options is told what its commit notes.
TOLD = "spark.databricks.delta.commitInfo.userMetadata"
# In the note of a commit: the newest as-of date that its region's commits have told of until then.
_NEWEST = "newest_date"
# After all of them: of a commit that names no date.
_ANY = "9999-12-31"
# Commits that rearrange files, or say of a table what it may hold, and change no row.
_UPKEEP = (
    *("OPTIMIZE", "VACUUM START", "VACUUM END", "FSCK"),
    *("CREATE TABLE", "ADD COLUMNS", "ADD CONSTRAINT", "DROP CONSTRAINT", "SET TBLPROPERTIES"),
)


@dataclass(frozen=True)
class Commit:
    """A commit of a table: its version, what the run noted in it, the rows that it put out, when it was made, and what
    it did."""

    version: int
    note: dict[str, Any]
    rows: int
    made_at: datetime
    operation: str = "WRITE"

    @property
    def run_key(self) -> str:
        """The run that wrote it; a change made by hand counts as a run of its own."""
        return str(self.note.get("run_key", f"version {self.version}"))

    @property
    def changes_rows(self) -> bool:
        return self.operation not in _UPKEEP

    def touches(self, scope: dict[str, str]) -> bool:
        """Whether it may have changed rows of `scope`: one without a note of its own may have changed any."""
        noted = self.note.get("scope")
        return noted is None or all(noted.get(column, value) == value for column, value in scope.items())

    @property
    def newest_date(self) -> str:
        """The newest as-of date, in ISO's form, that it tells of."""
        return str(self.note.get(_NEWEST) or self.note.get("scope", {}).get("forecast_date", _ANY))

    def ends_search(self, scope: dict[str, str]) -> bool:
        """Whether none of its region's commits up to it is of the as-of date of `scope`: all were of earlier ones."""
        is_of_region = self.note.get("scope", {}).get("region") == scope["region"]
        return is_of_region and _NEWEST in self.note and self.newest_date < scope.get("forecast_date", "")


def last_of(commits: Iterable[Commit], scope: dict[str, str]) -> Commit | None:
    """The first of them, newest first, that changed rows of `scope`; None where there is none. The search for a date
    that is new is over at the region's last commit, and does not go through those of all years."""
    for commit in commits:
        if commit.touches(scope):
            return commit
        if commit.ends_search(scope):
            return None
    return None


def noted(note: dict[str, Any], scope: dict[str, str], before: Iterable[Commit]) -> str:
    """What a commit of rows of `scope` carries, as JSON. before: the table's commits until then, newest first."""
    newest = {_NEWEST: _newest_date(scope, before)} if "forecast_date" in scope else {}
    return json.dumps({**note, "scope": scope, **newest}, sort_keys=True)


def _newest_date(scope: dict[str, str], before: Iterable[Commit]) -> str:
    found = scope["forecast_date"]
    for commit in before:
        if commit.touches({"region": scope["region"]}):
            found = max(found, commit.newest_date)
            if _NEWEST in commit.note:
                break
    return found


def as_commit(version: int, text: str) -> Commit:
    """The commit as its file tells: a line of JSON each action, one of which is of itself (Delta protocol, Commit
    Provenance)."""
    actions = (json.loads(line) for line in text.splitlines())
    info: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    made_at = datetime.fromtimestamp(info.get("timestamp", 0) / 1000, UTC)
    rows = int(info.get("operationMetrics", {}).get("numOutputRows", 0))
    return Commit(version, json.loads(info.get("userMetadata", "{}")), rows, made_at, info.get("operation", ""))
