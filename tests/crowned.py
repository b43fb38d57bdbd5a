"""Networks as champions of the small chain, and what they say of the weeks ahead when they are asked alone."""

from datetime import date, timedelta

from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.networks.scoring import NetworkScorer
from shelfcast.panel import Axis
from shelfcast.promotion import standing
from shelfcast.runner import Runner

REGION = "complete_journey"
# As the chain's settings cut it: what is known, a season of four weeks, a horizon of three.
WEEKS = tuple(date(2017, 1, 2) + timedelta(weeks=n) for n in range(33))
Means = dict[tuple[str, str, int], float]


def crown(runner: Runner, model: str) -> None:
    """Make the model champion of all panels."""
    stands = standing(runner.lake.read(CHAMPIONS, REGION), runner.as_of)
    crowned = stands.withColumns({"model": F.lit(model), "decided_at": F.current_timestamp()})
    note = {"run_key": model, "job": "crown"}
    runner.lake.append_once(CHAMPIONS, crowned.select(*CHAMPIONS.names), {"region": REGION}, note)


def network_means(runner: Runner, panel: str, least_weeks: int) -> Means:
    """What the network that knows all weeks says, asked here, a bucket at a time."""
    of_panel = F.col("panel") == panel
    networks = runner.lake.read(schemas.NETWORK_REGISTRY, REGION).where(of_panel & (F.col("model") == "mlp"))
    newest = networks.orderBy(F.desc("cutoff")).first()
    assert newest["cutoff"] == WEEKS[-1]
    axis = Axis(WEEKS, season=4, horizon=3, from_first_sale=True)
    scorer = NetworkScorer(
        axis, {("mlp", len(WEEKS)): runner.lake.address(newest["artefact"])}, least_weeks, wanted={"mlp"}
    )
    rows = runner.lake.read(schemas.PANEL_DEMAND, REGION).where(of_panel).toPandas()
    scored = [scorer.score_bucket(bucket) for _, bucket in rows.groupby("bucket")]
    return {(row.store_id, row.item_id, row.step): row.y_hat for part in scored for row in part.itertuples()}


def published_means(runner: Runner, level: str, method: str) -> Means:
    rows = runner.lake.read(schemas.FORECASTS, REGION).where((F.col("level") == level) & (F.col("method") == method))
    return {(row.store_id, row.item_id, row.step): row["mean"] for row in rows.collect()}
