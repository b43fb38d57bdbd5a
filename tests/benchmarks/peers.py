"""The usual tools on a panel, at one cutoff: LightGBM through mlforecast, and the simple models of statsforecast."""

import numpy as np
import pandas as pd

from shelfcast.panel import FloatArray, Panel

PEERS = ("lightgbm_l2", "lightgbm_l1", "SeasonalNaive", "WindowAverage", "Naive", "CrostonOptimized")
_BOOSTER = {"n_estimators": 400, "learning_rate": 0.05, "num_leaves": 63, "verbose": -1}


def peer_forecasts(panel: Panel, horizon: int, threads: int) -> dict[str, FloatArray]:
    """What each of PEERS says of the next `horizon` weeks of every series, shape (n, horizon), as each tool comes."""
    long = _long(panel)
    frames = _lightgbm(panel, long, horizon, threads).merge(_simple(panel, long, horizon), on=["unique_id", "ds"])
    ordered = frames.sort_values(["unique_id", "ds"])
    return {name: ordered[name].to_numpy(dtype=np.float64).reshape(len(panel), horizon) for name in PEERS}


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


def _frequency(panel: Panel) -> str:
    return f"W-{pd.Timestamp(panel.periods[0]).day_name()[:3].upper()}"


def _lightgbm(panel: Panel, long: pd.DataFrame, horizon: int, threads: int) -> pd.DataFrame:
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExpandingMean, RollingMean

    last_lag = panel.season if len(panel.periods) > panel.season + 20 else 12
    losses = {
        f"lightgbm_{loss}": lgb.LGBMRegressor(objective=loss, n_jobs=threads, **_BOOSTER) for loss in ("l2", "l1")
    }
    model = MLForecast(
        models=losses,
        freq=_frequency(panel),
        lags=[1, 2, 3, 4, 8, last_lag],
        lag_transforms={1: [RollingMean(4), RollingMean(8), RollingMean(13), ExpandingMean()]},
        date_features=["week", "month"],
    ).fit(long, static_features=["store", "group"], dropna=False)
    return model.predict(horizon)


def _simple(panel: Panel, long: pd.DataFrame, horizon: int) -> pd.DataFrame:
    from statsforecast import StatsForecast
    from statsforecast.models import CrostonOptimized, Naive, SeasonalNaive, WindowAverage

    models = [SeasonalNaive(panel.season), WindowAverage(min(13, len(panel.periods))), Naive(), CrostonOptimized()]
    frame = long[["unique_id", "ds", "y"]]
    return StatsForecast(models=models, freq=_frequency(panel), n_jobs=1).forecast(df=frame, h=horizon)
