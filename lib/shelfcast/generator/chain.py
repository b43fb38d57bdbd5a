"""The typed chain file: what kind of chain is made, one YAML file in conf/chains/ each."""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shelfcast.errors import ConfigError
from shelfcast.resources import resource_folder
from shelfcast.settings.sections import PlainName, Section, read

Share = Annotated[float, Field(ge=0, le=1)]
CLASSES = ("smooth", "erratic", "intermittent", "lumpy")


class Shape(Section):
    """How a class of demand looks: the day's demand is 0, or with the chance `visit` negative binomial.

    share: of all products; weekly: least and greatest mean of a store's week, in units; dispersion: the negative
    binomial's k, variance = mean + mean^2 / k.
    """

    share: Share
    weekly: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    visit: float = Field(gt=0, le=1)
    dispersion: float = Field(gt=0)


class Classes(Section):
    """The four demand classes of Syntetos and Boylan (2005)."""

    smooth: Shape
    erratic: Shape
    intermittent: Shape
    lumpy: Shape

    def in_order(self) -> list[Shape]:
        return [self.smooth, self.erratic, self.intermittent, self.lumpy]


class Replenishment(Section):
    """Weekly review of (s, S) policies whose parameters rest on a misjudged mean.

    out_of_stock: the share of listed days on which the shelf was empty or demand found too little; estimate_error:
    standard deviation of the logarithm of the misjudgement; cover_days: what S - s should last.
    """

    out_of_stock: float = Field(gt=0, lt=0.5)
    estimate_error: float = Field(ge=0)
    cover_days: int = Field(ge=1)


class Surprises(Section):
    """What no model is told, as shares: of products; of stores (competitors); of promotions (cannibalised)."""

    launches: Share
    delistings: Share
    level_shifts: Share
    price_changes: Share
    promotions_a_year: float = Field(ge=0, le=13)
    cannibalised: Share
    competitors: Share


class FileDirt(Section):
    """What may happen to a row of any file, as a share of its rows."""

    duplicate: Share = 0
    comma_only: Share = 0
    cut_short: Share = 0
    too_long: Share = 0
    header_again: Share = 0
    missing_size: Share = 0


class MovementDirt(FileDirt):
    """What may happen to a row of sales or purchases; thousands_separators: of the rows of 1,000 and more."""

    blank_product: Share = 0
    blank_store: Share = 0
    unreadable_date: Share = 0
    date_out_of_range: Share = 0
    quantity_as_text: Share = 0
    impossible_quantity: Share = 0
    negative_price: Share = 0
    contradictory_signs: Share = 0
    thousands_separators: Share = 0
    no_keys: Share = 0


class Dirt(Section):
    """The dirt of each file; stock_tail: rows of nothing but commas after the closing stock, a row of stock."""

    sales: MovementDirt
    purchases: MovementDirt
    stock: FileDirt
    catalogue: FileDirt
    stock_tail: float = Field(ge=0)


class Chain(Section):
    """A chain file. block_products: products that one task makes; it alone decides how the files are cut."""

    name: PlainName
    first_day: date
    weeks: int = Field(ge=4)
    stores: int = Field(ge=1, le=120)
    products: int = Field(ge=1)
    vendors: int = Field(ge=1)
    assortment: float = Field(gt=0, lt=1)
    rows: int = Field(ge=1)
    block_products: int = Field(ge=1)
    seed: int = Field(ge=0)
    classes: Classes
    replenishment: Replenishment
    surprises: Surprises
    dirt: Dirt

    @property
    def days(self) -> int:
        return 7 * self.weeks

    @property
    def blocks(self) -> int:
        return -(-self.products // self.block_products)


def load_chain(name: str, rows: int | None = None, seed: int | None = None) -> Chain:
    """The chain file at the path `name`, or of that name in conf/chains/; `rows` and `seed` replace the file's.

    Raises ConfigError, one line, for an unknown chain and for a wrong key, with its file and line.
    """
    changes = {"rows": rows, "seed": seed}
    file = _find(name)
    chain = read(Chain, file, [f"{key}={value}" for key, value in changes.items() if value is not None])
    shares = sum(shape.share for shape in chain.classes.in_order())
    if abs(shares - 1) > 1e-9:
        raise ConfigError(f"{file}: classes: the shares sum to {shares:g}, wanted 1")
    if chain.first_day.weekday():
        raise ConfigError(f"{file}: first_day: found {chain.first_day:%A}, wanted a Monday: weeks are whole")
    return chain


def _find(name: str) -> Path:
    if Path(name).is_file():
        return Path(name)
    known = {Path(str(entry)).stem: Path(str(entry)) for entry in (resource_folder("conf") / "chains").iterdir()}
    stem = name.removesuffix(".yaml")
    if stem not in known:
        raise ConfigError(f"chain {name!r}: unknown; wanted a file, or one of {', '.join(sorted(known))}")
    return known[stem]
