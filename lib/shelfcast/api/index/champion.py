"""The model that forecast the products' means, laid into the index: its files may be gone when it is asked."""

import sqlite3
from datetime import date

from shelfcast.api.index.contest import STANDING
from shelfcast.api.index.packed import as_date, unpack
from shelfcast.api.index.parts import FORECAST_WEEKS
from shelfcast.api.index.writing import insert
from shelfcast.api.reader import Snapshot
from shelfcast.models import MODELS
from shelfcast.models.mlp import HEADS_SUFFIX, MEDIAN_SUFFIX
from shelfcast.weeks import WEEK

PANEL = "product"
_REGISTRIES = ("models/network_registry", "models/transfer_registry")
_COLUMNS = ("champion", "member", "weight", "library", "artefact")


def write_champion(file: sqlite3.Connection, snapshot: Snapshot) -> None:
    """Adds the table `scorers`: the champion's members with their weights, and of each the file that it is scored by;
    null of a model that needs none, or whose file is gone."""
    file.execute(f"create table scorers ({', '.join(_COLUMNS)}, primary key (member)) without rowid")
    titles = file.execute(STANDING, (snapshot.publication.forecast_date.isoformat(),)).fetchall()
    champion = next((model for panel, purpose, model, _ in titles if (panel, purpose) == (PANEL, "mean")), None)
    forecast = file.execute("select run_id from forecasts where level = 'product' limit 1").fetchone()
    if champion is None or forecast is None:
        return
    rows = []
    for member, weight in _members(file, champion):
        library = MODELS[member].library if member in MODELS else "keras"
        rows.append((champion, member, weight, library, _artefact(file, snapshot, member, library, forecast[0])))
    insert(file, "scorers", _COLUMNS, rows)


def _members(file: sqlite3.Connection, champion: str) -> list[tuple[str, float]]:
    """Of an ensemble its members as they were weighed last, else the champion itself."""
    query = (
        "select member, weight from ensembles where panel = ? and model = ? and cutoff = "
        "(select max(cutoff) from ensembles where panel = ? and model = ?)"
    )
    return file.execute(query, (PANEL, champion, PANEL, champion)).fetchall() or [(champion, 1.0)]


def _last_week(file: sqlite3.Connection) -> date:
    """The last week that the forecast knew: the one before its first."""
    weeks = file.execute("select weeks from forecasts where level = 'product' limit 1").fetchone()[0]
    return as_date(unpack(weeks, len(FORECAST_WEEKS))[0, 0]) - WEEK


def _artefact(file: sqlite3.Connection, snapshot: Snapshot, member: str, library: str, run_id: str) -> bytes | None:
    if library == "scikit-learn":
        region, last_week = snapshot.publication.region, _last_week(file)
        folder = f"models/_artefacts/{region}/{run_id}"
        return snapshot.file(f"{folder}/{PANEL}-{member}-{last_week}.skops")
    if library != "keras":
        return None
    # A store's own head is a part of the network that it belongs to.
    network = member.replace(HEADS_SUFFIX, "", 1).removesuffix(MEDIAN_SUFFIX)
    for registry in _REGISTRIES:
        for source in snapshot.rows(registry):
            fitted = source.to_table(["panel", "model", "cutoff", "status", "artefact"]).to_pylist()
            own = [row for row in fitted if (row["panel"], row["model"], row["status"]) == (PANEL, network, "fitted")]
            if own:
                return snapshot.file(max(own, key=lambda row: row["cutoff"])["artefact"])
    return None
