"""models/champions -> models/champions: the champions before the last promotions, restored"""

from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import promotion
from shelfcast.challengers import CHAMPIONS
from shelfcast.config import Config
from shelfcast.errors import LakeError
from shelfcast.job import Job, Run


def job(config: Config) -> Job:
    return Job("rollback", (CHAMPIONS,), (CHAMPIONS,), (), rollback)


def rollback(run: Run) -> None:
    """Add to the history of champions. Raises LakeError where nobody has been promoted since the last rollback."""
    restored = run.stage("restored", promotion.undone(run.read(CHAMPIONS), run.known_on))
    told = list(restored.select("panel", "purpose", "model", "challenger", "reason").toLocalIterator())
    if not told:
        raise LakeError(
            f"models/champions: nobody was promoted by {run.known_on} since champions were rolled back last; "
            f"wanted a promotion to roll back"
        )
    for row in told:
        run.say(f"{row['panel']} {row['purpose']}: {row['model']} instead of {row['challenger']}, {row['reason']}")
    run.append_once(CHAMPIONS, _completed(run, restored))


def _completed(run: Run, restored: DataFrame) -> DataFrame:
    """The rows with what tells of the run; of a comparison they tell nothing."""
    known = {
        "region": F.lit(run.config.region),
        "decided_at": F.lit(datetime.now(UTC)),
        "run_id": F.lit(run.key),
    }
    rows = restored.withColumns(known)
    missing = [field for field in CHAMPIONS.schema if field.name not in rows.columns]
    empty = {field.name: F.lit(None).cast(field.dataType) for field in missing}
    return rows.withColumns(empty).select(*CHAMPIONS.names)
