"""The rows of the sales file."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd

from shelfcast.generator import names
from shelfcast.generator.demand import IntArray
from shelfcast.generator.dirt import Lines
from shelfcast.generator.files import money, plain
from shelfcast.generator.text import picked, rows_of, texts_of
from shelfcast.generator.world import Course, World

# As text a row takes 130 bytes or so, several times over: this many bound a task's memory.
CHUNK_ROWS = 200_000
# The state's tax as published rows show it: cents on 750 mL.
_TAX = {names.SPIRITS: 78.5, names.WINE: 11.25}


def sale_lines(world: World, seen: Course) -> Iterator[Lines]:
    """A row for each store, product and day on which something sold, in this order, in chunks."""
    products = seen.products
    vendors = world.vendors.iloc[products["vendor"]]
    days = [sale_day(world.chain.first_day + timedelta(days=number)) for number in range(world.chain.days)]
    goods = pair_texts(world, seen.pairs, products)
    sellers = [plain(row) for row in zip(vendors["number"], vendors["name"], strict=True)]
    kinds = [plain(row) for row in zip(_volumes(products), products["classification"], strict=True)]
    tax_a_unit = products["volume"].replace(0, 750).to_numpy() / 750 * products["classification"].map(_TAX).to_numpy()
    prices = daily_prices(products, len(days))
    all_pairs, all_days = np.nonzero(seen.sold.T)
    for first in range(0, len(all_pairs), CHUNK_ROWS):
        pair, day = all_pairs[first : first + CHUNK_ROWS], all_days[first : first + CHUNK_ROWS]
        product = seen.pairs["product"].to_numpy()[pair]
        units, price = seen.sold[day, pair], prices[day, product]
        texts = rows_of(
            picked(goods, pair),
            texts_of(units),
            texts_of(units * price, money),
            texts_of(price, money),
            picked(days, day),
            picked(kinds, product),
            texts_of(np.rint(units * tax_a_unit[product]).astype(np.int64), money),
            picked(sellers, product),
        )
        yield Lines(texts, units * price)


def _volumes(products: pd.DataFrame) -> list[str]:
    return [str(volume) if volume else "Unknown" for volume in products["volume"]]


def daily_prices(products: pd.DataFrame, days: int) -> IntArray:
    """The price in cents, shape (days, products)."""
    prices = np.empty((days, len(products)), dtype=np.int64)
    for column, spans in enumerate(products["prices"]):
        for span in spans:
            prices[max(span.first, 0) : max(span.last + 1, 0), column] = span.cents
    return prices


def sale_day(day: date) -> str:
    """Month before day; up to the twelfth of a month a spreadsheet took it for a date and wrote it in its own way."""
    return f"{day:%m-%d-%Y}" if day.day <= 12 else f"{day.month}/{day.day}/{day.year}"


def pair_texts(world: World, pairs: pd.DataFrame, products: pd.DataFrame) -> list[str]:
    """InventoryId, Store, Brand, Description and Size of each pair, as sales, purchases and stock begin."""
    stores = [(row.number, row.city) for row in world.stores.itertuples(index=False)]
    goods = [(row.number, row.description, row.size) for row in products.itertuples(index=False)]
    return [
        plain([f"{number}_{city}_{brand}", number, brand, description, size])
        for (number, city), (brand, description, size) in (
            (stores[store], goods[product]) for store, product in zip(pairs["store"], pairs["product"], strict=True)
        )
    ]
