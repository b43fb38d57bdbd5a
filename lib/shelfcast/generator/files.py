"""The six files as the chain keeps them: names, columns, quoting; and part files that are there whole or not at all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

LINE_END = "\r\n"


@dataclass(frozen=True)
class Layout:
    """A file's name, its columns in order, and those whose text is always quoted (in their header, all then are).

    Columns that mean the same in several files are found by what they mean: product, store, day, quantity, price,
    amount.
    """

    name: str
    columns: tuple[str, ...]
    meanings: tuple[tuple[str, str], ...] = ()
    quoted: frozenset[str] = frozenset()

    def position(self, meaning: str) -> int:
        """Where the column stands that means this."""
        return self.columns.index(dict(self.meanings)[meaning])

    @property
    def header(self) -> str:
        return ",".join(f'"{name}"' for name in self.columns) if self.quoted else ",".join(self.columns)

    def line(self, fields: Sequence[object]) -> str:
        """A row's text, without the line's end; more or fewer fields than columns are written as they are."""
        names = zip_longest(self.columns[: len(fields)], fields)
        return ",".join(f'"{field}"' if name in self.quoted else plain([field]) for name, field in names)


def plain(fields: Sequence[object]) -> str:
    """Fields as text, quoted only where a comma is in them."""
    return ",".join(f'"{field}"' if "," in str(field) else str(field) for field in fields)


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MEANINGS = (("product", "Brand"), ("store", "Store"), ("size", "Size"))
_STOCK_MEANINGS = (*_MEANINGS, ("quantity", "onHand"))
SALES = Layout(
    "SalesFINAL12312016",
    _columns(
        "InventoryId Store Brand Description Size SalesQuantity SalesDollars SalesPrice SalesDate Volume "
        "Classification ExciseTax VendorNo VendorName"
    ),
    (
        *_MEANINGS,
        ("day", "SalesDate"),
        ("quantity", "SalesQuantity"),
        ("price", "SalesPrice"),
        ("amount", "SalesDollars"),
    ),
)
PURCHASES = Layout(
    "PurchasesFINAL12312016",
    _columns(
        "InventoryId Store Brand Description Size VendorNumber VendorName PONumber PODate ReceivingDate InvoiceDate "
        "PayDate PurchasePrice Quantity Dollars Classification"
    ),
    (*_MEANINGS, ("day", "ReceivingDate"), ("quantity", "Quantity"), ("price", "PurchasePrice"), ("amount", "Dollars")),
)
OPENING = Layout(
    "BegInvFINAL12312016",
    _columns("InventoryId Store City Brand Description Size onHand Price startDate"),
    _STOCK_MEANINGS,
)
CLOSING = Layout(
    "EndInvFINAL12312016",
    _columns("InventoryId Store City Brand Description Size onHand Price endDate"),
    _STOCK_MEANINGS,
)
CATALOGUE = Layout(
    "2017PurchasePricesDec",
    _columns("Brand Description Price Size Volume Classification PurchasePrice VendorNumber VendorName"),
    (("product", "Brand"), ("size", "Size"), ("price", "Price")),
    frozenset(_columns("Description Size Volume VendorName")),
)
INVOICES = Layout(
    "InvoicePurchases12312016",
    _columns("VendorNumber VendorName InvoiceDate PONumber PODate PayDate Quantity Dollars Freight Approval"),
    quoted=frozenset(_columns("VendorName InvoiceDate PODate PayDate Approval")),
)
LAYOUTS = (SALES, PURCHASES, OPENING, CLOSING, CATALOGUE, INVOICES)


def part_name(layout: Layout, block: int) -> str:
    """The name of a block's part of a file."""
    return f"{layout.name}-{block:05}.csv"


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which gets its name when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as stream:
        yield stream
    os.replace(part, path)


def money(cents: int) -> str:
    """Dollars as the files write them, without zeros at the end: 16.49, 37.4, 219."""
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02}".rstrip("0").rstrip(".")
