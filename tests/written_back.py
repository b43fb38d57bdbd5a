"""A lake that publishes forecasts and orders, and the database that they are written back to."""

from datetime import date, datetime
from pathlib import Path

import yaml
from pyspark.sql import SparkSession

from builders import Row, frame
from servers import Sql
from shelfcast import config, schemas
from shelfcast.inventory.tables import ORDERS
from shelfcast.lake import Lake
from shelfcast.resources import resource_folder
from shelfcast.runner import Runner
from shelfcast.steps import write_back
from shelfcast.table import Table

CONF = Path(str(resource_folder("conf") / "walmart.yaml"))
SUNDAY, NEXT = date(2016, 11, 27), date(2016, 12, 4)
FORECAST = {
    "level": "product",
    "store_id": "1",
    "category_id": "2",
    "week": date(2016, 11, 28),
    "p50": 2.0,
    "method": "tsb",
}
ORDER = {"store_id": "1", "vendor_id": "v", "product_id": "ale", "need_by": NEXT, "is_due": True, "status": "suggested"}


class Shop:
    """A lake that publishes, and its database."""

    def __init__(self, spark: SparkSession, database: Sql, lake: Path) -> None:
        self.database, self._spark, self._lake = database, spark, lake
        database.run("drop table if exists shelfcast_forecasts, shelfcast_orders, shelfcast_publications;")

    @property
    def changes(self) -> list[str]:
        back = yaml.safe_dump({"database": self.database.asked})
        return [f"write_back={back}", "region=shop", f"lake={self._lake}"]

    def publish(self, run: int, means: dict[str, float], orders: dict[str, float] | None, *further: Row) -> None:
        """Publish forecasts (item -> mean, and further ones) and, where there is a plan, orders (order_id -> units)."""
        lake, scope = Lake(self._spark, str(self._lake)), {"region": "shop", "forecast_date": str(SUNDAY)}
        named = [{"item_id": item, "mean": mean} for item, mean in means.items()]
        forecasts = [{**FORECAST, "step": 1, **row} for row in (*named, *further)]
        rows: list[tuple[Table, list[Row]]] = [(schemas.FORECASTS, forecasts)]
        if orders is not None:
            ordered = [{**ORDER, "order_id": number, "quantity": units} for number, units in orders.items()]
            rows.append((ORDERS, ordered))
        versions = {}
        for table, told_rows in rows:
            dated = [{**row, **scope, "forecast_date": SUNDAY} for row in told_rows]
            commit = lake.replace(table, frame(self._spark, table, *dated), scope, {"run_key": f"{run}"})
            versions[table.name] = commit.version
        row = ("shop", SUNDAY, f"run {run}", datetime(2016, 12, 5, 1, run), versions)
        made = self._spark.createDataFrame([row], schemas.PUBLICATIONS.schema)
        lake.append_once(schemas.PUBLICATIONS, made, {"region": "shop"}, {"run_key": f"{run}", "job": "report"})

    def write_back(self) -> bool:
        runner = Runner(self._spark, config.load(CONF, self.changes))
        return runner.run(write_back.job(runner.config))

    def told(self, what: str) -> list[list[str]]:
        return self.database.run(f"select {what};")

    @property
    def means(self) -> dict[str, float]:
        return {item: float(mean) for item, mean in self.told("item_id, mean from shelfcast_forecasts")}

    @property
    def orders(self) -> dict[str, float]:
        return {number: float(units) for number, units in self.told("order_id, quantity from shelfcast_orders")}
