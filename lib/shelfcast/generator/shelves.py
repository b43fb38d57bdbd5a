"""The rows of the two stock files and of the catalogue."""

from datetime import timedelta

import numpy as np

from shelfcast.generator.files import CATALOGUE, LINE_END, OPENING, Layout, money
from shelfcast.generator.sales import daily_prices
from shelfcast.generator.world import Course, World


def stock_lines(world: World, seen: Course, layout: Layout) -> list[str]:
    """Stock as the first day begins (OPENING) or as the last one has ended: what is listed that day, or still there."""
    day, on_hand = (0, seen.opening) if layout is OPENING else (world.chain.days - 1, seen.closing)
    when = f"{world.chain.first_day + timedelta(days=day):%d-%m-%Y}"
    prices = daily_prices(seen.products, world.chain.days)[day]
    stores = [(row.number, row.city) for row in world.stores.itertuples(index=False)]
    goods = [(row.number, row.description, row.size) for row in seen.products.itertuples(index=False)]
    pairs = list(zip(seen.pairs["store"], seen.pairs["product"], strict=True))
    rows = []
    for pair in np.flatnonzero(seen.listed[day] | (on_hand > 0)):
        (number, city), (brand, description, size) = stores[pairs[pair][0]], goods[pairs[pair][1]]
        price = money(int(prices[pairs[pair][1]]))
        identifier = f"{number}_{city}_{brand}"
        fields = (identifier, number, city, brand, description, size, on_hand[pair], price, when)
        rows.append(layout.line(fields) + LINE_END)
    return rows


def catalogue_lines(world: World, seen: Course) -> list[str]:
    """A row for each product."""
    vendors = list(zip(world.vendors["number"], world.vendors["name"], strict=True))
    prices = daily_prices(seen.products, world.chain.days)[-1]
    return [
        CATALOGUE.line(
            (
                row["number"],
                row["description"],
                money(int(price)),
                row["catalogue_size"],
                row["volume"] or "Unknown",
                row["classification"],
                money(row["purchase_price"]),
                *vendors[row["vendor"]],
            )
        )
        + LINE_END
        for row, price in zip(seen.products.to_dict("records"), prices, strict=True)
    ]
