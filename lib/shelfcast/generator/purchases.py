"""The rows of the purchases and invoices files.

All that a vendor is asked for on a day, for any store, is one purchase order; it comes store by store, each after its
own lead time, and is invoiced as one. A block of products has purchase orders of its own.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from shelfcast.generator.dirt import Lines
from shelfcast.generator.files import INVOICES, LINE_END, PURCHASES, money, plain
from shelfcast.generator.sales import pair_texts
from shelfcast.generator.streams import stream
from shelfcast.generator.text import picked, rows_of, texts_of
from shelfcast.generator.world import WARM_UP, Course, World

_FIRST_NUMBER = 8000
# Days from the last receipt to the invoice, and freight as a share of the amount: least and greatest.
_INVOICE_DAYS, _FREIGHT = (1, 8), (0.003, 0.012)
_APPROVED = 0.07


@dataclass(frozen=True)
class Purchases:
    """The purchase orders of a block. lines: pair, order (position in `orders`), received (day), quantity, cents;
    orders: number, vendor (position), ordered, invoiced and paid (days), quantity, cents, freight, approval."""

    lines: pd.DataFrame
    orders: pd.DataFrame


def purchases(world: World, seen: Course, block: int) -> Purchases:
    """The purchase orders of which something is received on the first day or later, each whole.

    What is ordered before the last day's end and received after it belongs to them.
    """
    lines = pd.DataFrame(seen.flow.orders).rename(columns={"day": "ordered"})
    lines["ordered"] -= WARM_UP
    lines["received"] = lines["ordered"] + lines.pop("lead")
    product = seen.pairs["product"].to_numpy()[lines["pair"]]
    lines["vendor"] = seen.products["vendor"].to_numpy()[product]
    lines["cents"] = seen.products["purchase_price"].to_numpy()[product] * lines["quantity"]
    last_receipt = lines.groupby(["ordered", "vendor"])["received"].transform("max")
    lines = lines[last_receipt >= 0].sort_values(["ordered", "vendor", "pair"], ignore_index=True)
    grouped = lines.groupby(["ordered", "vendor"])
    lines["order"] = grouped.ngroup()
    orders = grouped.agg(received=("received", "max"), quantity=("quantity", "sum"), cents=("cents", "sum"))
    return Purchases(lines, _invoiced(world, orders.reset_index(), block))


def _invoiced(world: World, orders: pd.DataFrame, block: int) -> pd.DataFrame:
    n, rng = len(orders), stream(world.chain.seed, "invoice", block)
    invoiced = orders["received"] + rng.integers(*_INVOICE_DAYS, n)
    return orders.assign(
        number=_FIRST_NUMBER + np.arange(n) * world.chain.blocks + block,
        invoiced=invoiced,
        paid=invoiced + world.vendors["terms"].to_numpy()[orders["vendor"]],
        freight=np.rint(orders["cents"] * rng.uniform(*_FREIGHT, n)).astype(np.int64),
        approval=np.where(rng.random(n) < _APPROVED, "Regional Buyer", "None"),
    )


def purchase_lines(world: World, seen: Course, bought: Purchases) -> Lines:
    """The rows of the purchases file, by order, store and product."""
    products, pairs, lines = seen.products, seen.pairs, bought.lines
    vendors = world.vendors.iloc[products["vendor"]]
    sellers = [plain(row) for row in zip(vendors["number"], vendors["name"], strict=True)]
    pair = lines["pair"].to_numpy()
    product = pairs["product"].to_numpy()[pair]
    day = _days(world.chain.first_day, bought.orders)
    orders = bought.orders.to_dict("records")
    heads = [plain((row["number"], day[row["ordered"]])) for row in orders]
    ends = [plain((day[row["invoiced"]], day[row["paid"]])) for row in orders]
    order, cents = lines["order"].to_numpy(), lines["cents"].to_numpy()
    texts = rows_of(
        picked(pair_texts(world, pairs, products), pair),
        picked(sellers, product),
        picked(heads, order),
        texts_of(lines["received"].to_numpy(), lambda number: day[number]),
        picked(ends, order),
        texts_of(products["purchase_price"].to_numpy()[product], money),
        texts_of(lines["quantity"].to_numpy()),
        texts_of(cents, money),
        texts_of(products["classification"].to_numpy()[product]),
    )
    return Lines(texts, cents)


def sums_line(bought: Purchases) -> str:
    """The last row of the purchases file: no keys, only sums."""
    sums = (str(bought.orders["quantity"].sum()), money(int(bought.orders["cents"].sum())))
    place = PURCHASES.position("quantity")
    return PURCHASES.line([""] * place + [*sums, ""])


def invoice_lines(world: World, bought: Purchases) -> list[str]:
    """The rows of the invoices file: one for each purchase order, the sum of its rows."""
    first, vendors = world.chain.first_day, list(zip(world.vendors["number"], world.vendors["name"], strict=True))
    return [
        INVOICES.line(
            (
                *vendors[row["vendor"]],
                first + timedelta(days=row["invoiced"]),
                row["number"],
                first + timedelta(days=row["ordered"]),
                first + timedelta(days=row["paid"]),
                row["quantity"],
                money(row["cents"]),
                money(row["freight"]),
                row["approval"],
            )
        )
        + LINE_END
        for row in bought.orders.to_dict("records")
    ]


def _days(first_day: date, orders: pd.DataFrame) -> dict[int, str]:
    """Day before month, for each day that these orders can name."""
    numbers = range(-WARM_UP, int(orders["paid"].max()) + 1) if len(orders) else range(0)
    return {number: f"{first_day + timedelta(days=number):%d-%m-%Y}" for number in numbers}
