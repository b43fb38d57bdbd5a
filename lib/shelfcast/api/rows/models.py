"""Rows of what is known of models and data."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field, Json

from shelfcast.api.rows.fields import Known, StoreId


class AlertRow(BaseModel):
    """Something about the sales or the forecast that somebody should look at."""

    alert_id: str
    severity: Literal["info", "warning", "critical"]
    check: str = Field(examples=["volume"])
    subject: str | None
    store_id: str | None
    day: date | None
    found: float | None
    wanted: float | None
    held: bool | None = Field(description="the day's sales are put aside, and its store is not planned")
    reason: str = Field(examples=["2016-12-20, store 7: 10.2 times its usual Tuesday"])


class LeaderboardRow(BaseModel):
    """How a model did in the backtest: at the last cutoff, which no choice has seen, and before it (earlier_*)."""

    panel: str = Field(examples=["product"])
    model: str = Field(examples=["tsb"])
    family: str | None
    minimises: str | None
    status: str | None
    detail: str | None
    earlier_wape: float | None
    earlier_rmse: float | None
    wape: float | None
    rmse: float | None
    mae: float | None
    bias: float | None
    r2: float | None
    rmsse: float | None
    seconds: float | None
    champion: str | None = Field(description="of what it is champion: mean, median, both")
    challenger: str | None
    members: str | None = Field(description="what an ensemble weighs")


class ChampionRow(BaseModel):
    """A decision on who forecasts a panel."""

    panel: str
    purpose: str
    as_of: date
    decided_at: Known
    model: str
    version: str | None
    since: date | None
    scores: Json[dict[str, float | None]] | None
    challenger: str | None
    challenger_scores: Json[dict[str, float | None]] | None
    difference: float | None
    lower: float | None
    upper: float | None
    stores: int | None
    decision: str | None
    reason: str | None


class BacktestRow(BaseModel):
    """What champion or challenger forecast of a category in a store, beside what came true."""

    model: str
    store_id: StoreId
    category_id: str
    cutoff: date
    step: int
    week: date
    y: float | None = Field(description="units that sold; null where nothing is known of the week")
    y_hat: float = Field(description="units forecast")


class MetricRow(BaseModel):
    """The errors of a model over a slice of the backtest: all, a step, a store or a category."""

    panel: str
    model: str
    cutoff: Known = Field(description="null: over all")
    slice: str
    value: Known
    rows: int | None
    units: float | None
    wape: float | None
    rmse: float | None
    mae: float | None
    bias: float | None
    rmsse: float | None


class FindingRow(BaseModel):
    """A sentence that a manager can act on, with the figure that it rests on."""

    topic: str
    rank: int
    subject: str | None
    figure: float | None
    unit: str | None
    sentence: str


class ModelRow(BaseModel):
    """A fitted model: what it was made with, and what it learned from."""

    panel: str
    model: str
    cutoff: Known
    version: str | None
    family: str | None
    status: str | None
    examples: int | None
    series: int | None
    fallbacks: int | None
    hyperparameters: Json[dict[str, Any]] | None
    training_tables: Json[dict[str, int]] | None
    code_version: str | None
    git_commit: str | None
    libraries: Json[dict[str, str]] | None


class TableRow(BaseModel):
    """Which run wrote a table as it is published, and from which versions of others."""

    table_name: str = Field(examples=["forecasts/demand"])
    version: int
    run_key: str | None
    job: str | None
    code_version: str | None
    reads: Json[dict[str, int]]
