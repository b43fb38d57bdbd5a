"""Rows of the study with ordinary values, and inputs drawn at random."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from shelfcast.study.representation import Encoder, Inputs

ROW: dict[str, Any] = {
    "product_id": "10",
    "store_id": "1",
    "classification": "GROCERY",
    "vendor_id": "69",
    "size": 340.0,
    "price": 2.0,
    "excise_tax": np.nan,
    "purchase_price": np.nan,
}


def row(**changes: Any) -> dict[str, Any]:
    return ROW | changes


def random_rows(n: int, seed: int, products: int = 6, stores: int = 3, vendors: int = 2) -> pd.DataFrame:
    """`n` rows with few products, stores, vendors and prices, so that many rows are alike, in units up to 9."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "product_id": draw.integers(products, size=n).astype(str),
            "store_id": draw.integers(stores, size=n).astype(str),
            "classification": draw.integers(2, size=n).astype(str),
            "vendor_id": draw.integers(vendors, size=n).astype(str),
            "size": draw.choice([340.0, 1000.0, np.nan], size=n),
            "price": draw.integers(1, 6, size=n) / 2,
            "excise_tax": np.nan,
            "purchase_price": draw.integers(1, 4, size=n) / 4,
            "units": draw.integers(1, 10, size=n).astype(float),
        }
    )


@st.composite
def encoded(draw: st.DrawFn) -> tuple[Inputs, Inputs]:
    """Training rows and queries; some queries hold categories that the training rows lack."""
    counts = {name: draw(st.integers(1, 6)) for name in ("products", "stores", "vendors")}
    train = random_rows(draw(st.integers(5, 60)), draw(st.integers(0, 10_000)), **counts)
    wider = {name: count + draw(st.integers(0, 1)) for name, count in counts.items()}
    queries = random_rows(draw(st.integers(1, 20)), draw(st.integers(0, 10_000)), **wider)
    encoder = Encoder.fit(train)
    return encoder.encode(train), encoder.encode(queries)
