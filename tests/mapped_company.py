"""A company whose tables are mapped by its configuration, and its rows once they are judged."""

from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import DataFrame, Row, SparkSession

from builders import received
from shelfcast.cleaning import fate
from shelfcast.config import Config, load
from shelfcast.resources import resource_folder
from shelfcast.sources import open_source
from shelfcast.sources.raw import as_raw

CONF = Path(str(resource_folder("conf") / "walmart.yaml"))
RECEIVED = ["Shop No", "Article", "Day", "Pieces", "Takings"]
SALE = {
    "store_id": "Shop No",
    "product_id": "Article",
    "sold_on": {"from": "Day", "formats": ["d.M.yyyy", "yyyy-MM-dd"]},
    "source_quantity": "Pieces",
    "revenue": "Takings",
}
HEADER = "Shop No;Article;Day;Pieces;Takings"


def config(folder: Path, name: str = "sales", **told: Any) -> Config:
    """A company with one further table `name` (or its sales alone), described by `told`."""
    parted = {"delimiter": ";"} if name != "sales" or told.get("format", "csv") == "csv" else {}
    sales = {"files": "sales.*", "received": RECEIVED, "columns": SALE, "decimal": ",", **parted}
    tables = {"sales": sales | told} if name == "sales" else {"sales": sales, name: told}
    source = yaml.safe_dump({"kind": "mapped", "name": "corner", "path": str(folder), "tables": tables})
    return load(CONF, [f"source={source}", "cleaning.keys={}"])


def rows_of(spark: SparkSession, settings: Config, name: str = "sales") -> list[Row]:
    source = open_source(settings)
    parts = [as_raw(part, source.raw[name], "here", {}, "batch") for part in received(spark, source, name)]
    raw = reduce(DataFrame.unionByName, parts)
    judged = fate.with_fate(source.canonical(name, raw), source.refusals(name))
    return judged.collect()
