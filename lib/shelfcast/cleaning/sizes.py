"""Package sizes written by hand, read into amounts: "750mL", "1/2 GAL", "6 PK/12 OZ", "4/187 ML", "2 LB 3 OZ", "30 CT".

A size names up to two measures and perhaps a bare multiplier:

    4/187 ML        multiplier, measure       four bottles, 748 mL
    6 PK/12 OZ      packs, measure            each of the six holds 12 oz
    8 CT/16 OZ      pieces, measure           eight pieces share 16 oz
    1 PT/474 ML     one amount said twice     the second counts, unless it is what a powder makes ("1.5 OZ/6 QT")
    2 LB 3 OZ       pounds and ounces         their sum
    18-22 LB        a range                   its middle
    12 1/2 OZ       a mixed number; before a unit only n/2, n/3, n/4 and n/8 are fractions, "6/12 OZ" is six of twelve
    GAL, PT, L, DZ  a unit alone              one of it

What no rule reads (SMALL, 4 X 6 IN, PER LB, catalogue codes) is null. A capacity ("13 GAL" bags) is not told from
a content.
"""

from collections.abc import Callable
from functools import reduce
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

__all__ = ["Ounce", "package_size", "with_package_size"]

Ounce = Literal["weight", "fluid"]

# NIST Handbook 44 (2024), appendix C: exact, in mL and g.
ML_PER_FLUID_OUNCE = 29.5735295625
G_PER_OUNCE = 28.349523125
ML_PER_GALLON = 128 * ML_PER_FLUID_OUNCE
OUNCES_PER_POUND = 16

_OUNCE_WORDS = ("OZ", "OZS", "Z", "OUNCE", "OUNCES")
_US_VOLUME_WORDS = {
    **dict.fromkeys(("GAL", "GA", "GALLON", "GALLONS"), ML_PER_GALLON),
    **dict.fromkeys(("QT", "QTS", "QUART", "QUARTS"), ML_PER_GALLON / 4),
    **dict.fromkeys(("PT", "PTS", "PINT", "PINTS"), ML_PER_GALLON / 8),
}
_VOLUME_WORDS = {
    **dict.fromkeys(("ML", "MLL"), 1.0),
    "CL": 10.0,
    **dict.fromkeys(("L", "LT", "LTR", "LRT", "LL", "LITER", "LITERS", "LITRE", "LITRES"), 1000.0),
    **dict.fromkeys(("FL OZ", "FL. OZ", "FLOZ", "REC OZ"), ML_PER_FLUID_OUNCE),
    "CU FT": 28316.846592,
    "CU IN": 16.387064,
    **_US_VOLUME_WORDS,
}
_WEIGHT_WORDS = {
    **dict.fromkeys(("G", "GM", "GMS", "GR", "GS", "GRAM", "GRAMS"), 1.0),
    "KG": 1000.0,
    **dict.fromkeys(("LB", "LBS", "POUND", "POUNDS"), OUNCES_PER_POUND * G_PER_OUNCE),
}
_PACK_WORDS = dict.fromkeys(("PK", "PKS", "PCK", "PKG", "PKGS", "PACK", "PACKS", "P"), 1.0)
_SINGLE_WORDS = (
    *("CT", "C", "PC", "PCS", "EA", "EACH", "PAIR", "KIT", "KITS", "ROLL", "ROLLS", "SHEET", "SHEETS", "STEM", "STEMS"),
    *("SLICE", "SLICES", "STICK", "STICKS", "STRIPS", "BAG", "BAGS", "PADS", "BUNCHES", "SPOONS", "SQUARES"),
    # washes and doses are no pieces, but are counted like them and share the amount
    *("LD", "LDS", "LOAD", "LOADS", "USE", "USES", "DOSE", "DOSES"),
)
_PIECE_WORDS = {**dict.fromkeys(_SINGLE_WORDS, 1.0), **dict.fromkeys(("DZ", "DOZ", "DZN", "DOZEN"), 12.0)}
_LONE_WORDS = ("GAL", "GALLON", "QT", "QUART", "PT", "PINT", "L", "LITER", "LITRE", "DZ", "DOZ", "DOZEN")

# 50 gallons, 60 kg, 5,000 sheets: a larger number is a catalogue code or lost its sign ("998336 PK", "2416.9 OZ").
MAX_ML = 50 * ML_PER_GALLON
MAX_G = 60_000.0
MAX_PIECES = 5_000

_CLEANING = (
    (r"[\s|]+", " "),
    (r" ?\([^)]*\)? ?", " "),  # "13 OZ(6)", "(600) 4 LB": pieces in the wholesaler's case
    (r"^ | $", ""),
    (r"^HALF ", "1/2 "),
    (rf"^({'|'.join(_LONE_WORDS)})$", "1 $1"),
    (r"^[A-Z]+[ -]?\d+ (?=\d)(?!\d+/\d)", ""),  # "E15 40 CT", "SZ1 2 PK": a garment's or nappy's size
    (r"^[^\d.]+", ""),  # "P   16 OZ", "KIOSK20 OZ": price zones and displays
    (r"^\d ?T-\d ?T[/ ]", ""),  # "3 T-4 T/40 CT": toddlers' ages
    (r"^\d{3,} +(?!\d+/\d)(?=\.?\d)", ""),  # "22515 32 OZ": catalogue codes
    (r"^(?:\d+-\d+ OZ|\d\d-\d\d)/(?=\d)", ""),  # "4-6 OZ/1 LB", "51-60/16 OZ": fillets' weight, shrimps to the pound
)

_AMOUNT = r"\d+[ -]\d{1,2}/(?:[2348]|16)|1/[2348]|2/3|3/[48]|[57]/8|\d+\.?\d*|\.\d+"


def _any_of(*words: str) -> str:
    return "|".join(sorted(words, key=len, reverse=True)).replace(".", r"\.")


_UNIT = _any_of(*_OUNCE_WORDS, *_VOLUME_WORDS, *_WEIGHT_WORDS, *_PACK_WORDS, *_PIECE_WORDS)
_MEASURE = rf"({_AMOUNT})[ _-]*({_UNIT})(?![A-Z])"
_SIZE = rf"^(?:(\d+) ?[/X-] ?)??{_MEASURE}(?: ?[/-]? ?{_MEASURE})?"
_POUNDS_AND_OUNCES = rf"^(\d+) LBS? (\d+\.?\d*) (?:{_any_of(*_OUNCE_WORDS)})(?![A-Z])"
# "18-22 LB", "56/64 CT"; but "24-12 OZ", "6-1 LB" and "3/160 CT" are packs
_RANGE = r"^(\d+(?=-)|[2-9]\d(?=/\d\d CT))[-/](\d+\.?\d*) ?(?:LB|CT|STEMS?)(?![A-Z])"
_PATTERNS = {"size": (_SIZE, 5), "range": (_RANGE, 2), "weight": (_POUNDS_AND_OUNCES, 2)}  # pattern, its groups


def package_size(text: Column, ounce: Ounce) -> Column:
    """The amount in a whole package, as struct<size_ml: double, size_g: double, size_count: int>.

    size_ml: content in millilitres; size_g: net weight in grams; size_count: pieces, where the size says how many.
    A volume has no size_g and a weight no size_ml; all three are null where nothing could be read.
    ounce: what a plain OZ is, "weight" (avoirdupois) or "fluid" (US); FL OZ is always fluid.
    """
    numbers = _let(_let(_cleaned(text), _said), _numbers)
    return _let(_let(numbers, lambda said: _parts(said, ounce)), _whole_package)


def with_package_size(sized: DataFrame, column: str, ounce: Ounce) -> DataFrame:
    """`sized` with size_ml, size_g and size_count, read from its text column `column`."""
    return sized.withColumn("_size", package_size(F.col(column), ounce)).select(*sized.columns, "_size.*")


def _let(value: Column, body: Callable[[Column], Column]) -> Column:
    """body(value) with the value worked out once: repeated in place, these expressions would double at each step."""
    return F.transform(F.array(value), body)[0]


def _cleaned(text: Column) -> Column:
    return reduce(lambda done, rule: F.regexp_replace(done, *rule), _CLEANING, F.upper(text))


def _said(clean: Column) -> Column:
    """struct<size, range, weight: array<string>>: the groups of each pattern from index 1 on, none without a match."""
    return F.struct(*(_groups(clean, pattern, n).alias(name) for name, (pattern, n) in _PATTERNS.items()))


def _groups(text: Column, pattern: str, n: int) -> Column:
    # one match for all groups: regexp_extract would match again for each
    return F.split(F.regexp_replace(text, f"{pattern}.*$", "".join(f"|${i}" for i in range(1, n + 1))), r"\|")


def _numbers(said: Column) -> Column:
    """struct<first_unit, second_unit: string, multiplier, first, second, low, high, pounds, ounces: double>."""
    size, bounds, weight = said["size"], said["range"], said["weight"]
    return F.struct(
        _double(F.get(size, 1)).alias("multiplier"),
        _number(F.get(size, 2)).alias("first"),
        F.get(size, 3).alias("first_unit"),
        _number(F.get(size, 4)).alias("second"),
        F.get(size, 5).alias("second_unit"),
        _double(F.get(bounds, 1)).alias("low"),
        _double(F.get(bounds, 2)).alias("high"),
        _double(F.get(weight, 1)).alias("pounds"),
        _double(F.get(weight, 2)).alias("ounces"),
    )


def _double(text: Column) -> Column:
    return text.try_cast("double")


def _number(amount: Column) -> Column:
    """The number that an amount writes: "12", ".5", "3/4" or "10 3/4"; null for an empty text."""
    parts = F.split(amount, "[ /-]")  # [whole,] numerator, denominator
    fraction = _double(F.element_at(parts, -2)) / _double(F.element_at(parts, -1))
    whole = F.when(F.size(parts) == 3, _double(parts[0])).otherwise(0.0)
    return F.when(F.contains(amount, F.lit("/")), whole + fraction).otherwise(_double(amount))


def _parts(said: Column, ounce: Ounce) -> Column:
    """struct<is_range: boolean, packs, grams: double, first, second: struct<unit, ml, g, packs, pieces>>."""
    is_range = F.coalesce(said["low"] < said["high"], F.lit(False))
    first = F.when(is_range, (said["low"] + said["high"]) / 2).otherwise(said["first"])
    # from 16 oz on it is no remainder but the same weight again: "1 LB 16 OZ"
    pounds = F.when(said["ounces"] < OUNCES_PER_POUND, said["pounds"] + said["ounces"] / OUNCES_PER_POUND)
    return F.struct(
        is_range.alias("is_range"),
        F.when(~is_range, said["multiplier"]).alias("packs"),
        (pounds * OUNCES_PER_POUND * G_PER_OUNCE).alias("grams"),
        _measure(first, said["first_unit"], ounce).alias("first"),
        _measure(said["second"], said["second_unit"], ounce).alias("second"),
    )


def _measure(amount: Column, unit: Column, ounce: Ounce) -> Column:
    volume_words = _VOLUME_WORDS | dict.fromkeys(_OUNCE_WORDS if ounce == "fluid" else (), ML_PER_FLUID_OUNCE)
    weight_words = _WEIGHT_WORDS | dict.fromkeys(_OUNCE_WORDS if ounce == "weight" else (), G_PER_OUNCE)
    kinds = {"ml": volume_words, "g": weight_words, "packs": _PACK_WORDS, "pieces": _PIECE_WORDS}
    return F.struct(unit.alias("unit"), *((amount * _factor(unit, words)).alias(kind) for kind, words in kinds.items()))


def _factor(unit: Column, words: dict[str, float]) -> Column:
    pairs = (F.lit(part) for word in words.items() for part in word)
    return F.try_element_at(F.create_map(*pairs), unit)


def _whole_package(parts: Column) -> Column:
    first, second = parts["first"], parts["second"]
    packs = _product(parts["packs"], first["packs"], second["packs"])
    pieces = _product(packs, first["pieces"], second["pieces"])
    is_whole = parts["is_range"] | (pieces == F.floor(pieces))
    content = F.when(_second_is_content(first, second), second).otherwise(first)
    ml = F.when(parts["grams"].isNull(), _in_all(content["ml"], packs))
    g = F.coalesce(parts["grams"], _in_all(content["g"], packs))
    return F.struct(
        _within(ml, MAX_ML).alias("size_ml"),
        _within(g, MAX_G).alias("size_g"),
        _within(F.when(is_whole, F.floor(pieces)), MAX_PIECES).cast("int").alias("size_count"),
    )


def _second_is_content(first: Column, second: Column) -> Column:
    is_first_amount = F.coalesce(first["ml"], first["g"]).isNotNull()
    is_second_amount = F.coalesce(second["ml"], second["g"]).isNotNull()
    is_what_powder_makes = second["unit"].isin(*_US_VOLUME_WORDS)
    return is_second_amount & ~(is_first_amount & is_what_powder_makes)


def _product(*factors: Column) -> Column:
    """The product of the factors that are not null; null if all are."""
    product = reduce(lambda left, right: left * right, (F.coalesce(factor, F.lit(1.0)) for factor in factors))
    return F.when(F.coalesce(*factors).isNotNull(), product)


def _in_all(piece: Column, packs: Column) -> Column:
    # a "piece" above a gallon's worth is the whole already: "144 OZ/12 PK"
    return F.when(piece <= ML_PER_GALLON, piece * F.coalesce(packs, F.lit(1.0))).otherwise(piece)


def _within(amount: Column, most: float) -> Column:
    return F.when((amount > 0) & (amount <= most), amount)
