"""What the commits in a Delta table's log say of themselves."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# The setting by which a statement that takes no options is told what its commit notes.
TOLD = "spark.databricks.delta.commitInfo.userMetadata"
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


def as_commit(version: int, text: str) -> Commit:
    """The commit as its file tells: a line of JSON each action, one of which is of itself (Delta protocol, Commit
    Provenance)."""
    actions = (json.loads(line) for line in text.splitlines())
    info: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    made_at = datetime.fromtimestamp(info.get("timestamp", 0) / 1000, UTC)
    rows = int(info.get("operationMetrics", {}).get("numOutputRows", 0))
    return Commit(version, json.loads(info.get("userMetadata", "{}")), rows, made_at, info.get("operation", ""))
