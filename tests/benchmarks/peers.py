"""The usual tools on a panel, at one cutoff: LightGBM through mlforecast, and the simple models of statsforecast."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shelfcast.panel import FloatArray, Panel

LOSSES = {"lightgbm_l2": "l2", "lightgbm_l1": "l1"}
SIMPLE = ("SeasonalNaive", "WindowAverage", "Naive", "CrostonOptimized")
PEERS = (*LOSSES, *SIMPLE)
# name -> a number for each week, the weeks ahead too, the same in all stores
Planned = Mapping[str, FloatArray]
NOTHING_PLANNED: Planned = {}


@dataclass(frozen=True)
class Booster:
    """How LightGBM is set. scaled: each series by its own mean and deviation."""

    trees: int = 400
    rate: float = 0.05
    leaves: int = 63
    scaled: bool = False


AS_IT_COMES = Booster()
BOOSTERS = (
    AS_IT_COMES,
    Booster(trees=200),
    Booster(trees=800, rate=0.025),
    Booster(leaves=31),
    Booster(leaves=127),
    Booster(scaled=True),
)


def peer_forecasts(panel: Panel, horizon: int, threads: int) -> dict[str, FloatArray]:
    """What each of PEERS says of the next `horizon` weeks of every series, shape (n, horizon), as each tool comes."""
    made = {name: boosted_forecast(panel, horizon, threads, name, AS_IT_COMES) for name in LOSSES}
    return made | simple_forecasts(panel, horizon)


def boosted_forecast(
    panel: Panel, horizon: int, threads: int, name: str, booster: Booster, planned: Planned = NOTHING_PLANNED
) -> FloatArray:
    """What LightGBM says, shape (n, horizon), by one of LOSSES."""
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExpandingMean, RollingMean
    from mlforecast.target_transforms import LocalStandardScaler

    last_lag = panel.season if len(panel.periods) > panel.season + 20 else 12
    settings = {"n_estimators": booster.trees, "learning_rate": booster.rate, "num_leaves": booster.leaves}
    model = MLForecast(
        models={name: lgb.LGBMRegressor(objective=LOSSES[name], n_jobs=threads, verbose=-1, **settings)},
        freq=_frequency(panel),
        lags=[1, 2, 3, 4, 8, last_lag],
        lag_transforms={1: [RollingMean(4), RollingMean(8), RollingMean(13), ExpandingMean()]},
        date_features=["week", "month"],
        target_transforms=[LocalStandardScaler()] if booster.scaled else None,
    )
    weeks = len(panel.periods)
    known = _long(panel).assign(**{name: np.tile(values[:weeks], len(panel)) for name, values in planned.items()})
    model.fit(known, static_features=["store", "group"], dropna=False)
    return _forecasts(model.predict(horizon, X_df=_ahead(panel, horizon, planned)), name, horizon)


def simple_forecasts(panel: Panel, horizon: int) -> dict[str, FloatArray]:
    """What each of SIMPLE says, shape (n, horizon)."""
    from statsforecast import StatsForecast
    from statsforecast.models import CrostonOptimized, Naive, SeasonalNaive, WindowAverage

    models = [SeasonalNaive(panel.season), WindowAverage(min(13, len(panel.periods))), Naive(), CrostonOptimized()]
    frame = _long(panel)[["unique_id", "ds", "y"]]
    said = StatsForecast(models=models, freq=_frequency(panel), n_jobs=1).forecast(df=frame, h=horizon)
    return {name: _forecasts(said, name, horizon) for name in SIMPLE}


def _forecasts(said: pd.DataFrame, name: str, horizon: int) -> FloatArray:
    ordered = said.sort_values(["unique_id", "ds"])
    return ordered[name].to_numpy(dtype=np.float64).reshape(-1, horizon)


def _long(panel: Panel) -> pd.DataFrame:
    """unique_id (the row, as a number that sorts), ds, y, store, group."""
    weeks = len(panel.periods)
    codes = {key: panel.ids[key].astype("category").cat.codes for key in ("store_id", "item_id")}
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(panel)), weeks),
            "ds": np.tile(panel.periods.astype("datetime64[ns]"), len(panel)),
            "y": panel.y.ravel(),
            "store": np.repeat(codes["store_id"].to_numpy(), weeks),
            "group": np.repeat(codes["item_id"].to_numpy(), weeks),
        }
    )


def _ahead(panel: Panel, horizon: int, planned: Planned) -> pd.DataFrame | None:
    """The weeks ahead of each series, with what is planned for them; None where nothing is."""
    if not planned:
        return None
    weeks = len(panel.periods)
    ahead = panel.periods[-1] + np.arange(1, horizon + 1) * np.timedelta64(7, "D")
    rows = {name: np.tile(values[weeks : weeks + horizon], len(panel)) for name, values in planned.items()}
    keys = {"unique_id": np.repeat(np.arange(len(panel)), horizon)}
    return pd.DataFrame(keys | {"ds": np.tile(ahead.astype("datetime64[ns]"), len(panel))} | rows)


def _frequency(panel: Panel) -> str:
    return f"W-{pd.Timestamp(panel.periods[0]).day_name()[:3].upper()}"
