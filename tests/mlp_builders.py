"""Panels, designs and forecasters for tests of the networks."""

from datetime import date

import numpy as np
import pandas as pd

from shelfcast.models.mlp.forecaster import Forecaster
from shelfcast.models.mlp.network import Design, make_network
from shelfcast.panel import Panel

WEEKS = 30
WORDS = {"store_id": ["s0", "s1"], "item_id": ["i0", "i1", "i2"]}


def poisson_panel(weeks: int = WEEKS, season: int = 13, seed: int = 3) -> Panel:
    """Two stores of three items, promoted every fifth week."""
    draw = np.random.default_rng(seed)
    ids = pd.DataFrame([(store, item, "c") for store in WORDS["store_id"] for item in WORDS["item_id"]])
    ids.columns = pd.Index(["store_id", "item_id", "category_id"])
    periods = np.datetime64(date(2017, 1, 2), "D") + 7 * np.arange(weeks)
    promoted = np.tile(np.arange(weeks + 8) % 5 == 0, (len(ids), 1)).astype(float)
    levels = np.array([0.4, 2.0, 8.0, 1.0, 4.0, 30.0])[:, None]
    y = draw.poisson(levels * (1 + promoted[:, :weeks])).astype(float)
    return Panel(ids, periods, y, season, {"promoted": promoted})


def design(**changes: object) -> Design:
    chosen = {"kind": "mlp", "horizon": 4, "sizes": (3, 4), "units": 8, "blocks": 1, "dropout": 0.0, "calendar": True}
    return Design(**(chosen | changes))


def forecaster(seed: int = 7, **changes: object) -> Forecaster:
    """An untrained one, its weights drawn by `seed` so that every part of the network has a say."""
    made = make_network(design(**changes), seed=5)
    draw = np.random.default_rng(seed)
    made.set_weights([weight + draw.normal(0, 0.05, weight.shape) for weight in made.get_weights()])
    return Forecaster(design(**changes), made, WORDS, non_negative=True, country="US")
