"""Made-up names in the shape of a liquor chain's: cities, vendors, labels, package sizes."""

from typing import NamedTuple

_CITY_STARTS = ("ASH", "BRAM", "CORN", "DUN", "ELM", "FAR", "GLEN", "HOLLOW", "KEL", "LARK", "MOSS", "THORN")
_CITY_ENDS = ("BURROW", "COMBE", "FORDE", "HAVEN", "LEIGH", "MERE", "RIDGE", "STEAD", "WATER", "WICK")
_VENDOR_STARTS = ("AMBER", "BADGER", "COPPER", "DRIFT", "EMBER", "FALCON", "GRANITE", "HERON", "IVORY", "JUNIPER")
_VENDOR_MIDDLES = ("VALLEY", "HARBOR", "CROWN", "RIVER", "NORTH", "SUMMIT", "ORCHARD")
_VENDOR_ENDS = ("SPIRITS INC", "WINE COMPANY", "IMPORTS,(USA) LLC", "DISTILLERS CO", "BEVERAGE")
_LABEL_STARTS = ("Old", "Copper", "Silver", "Black", "Quiet", "Golden", "Lost", "Stone", "Wild", "Twin", "High", "Red")
_LABEL_MIDDLES = ("Heron", "Mill", "Anchor", "Fox", "Lantern", "Meadow", "Bridge", "Raven", "Quarry", "Harbor", "Oak")
_SPIRITS = ("Vodka", "Gin", "Rye Whiskey", "Bourbon", "Spiced Rum", "Tequila, Silver", "Scotch VAP", "Cordial & Cream")
_WINES = ("Cab Svgn", "Chard", "Pnt Nr", "Merlot", "Svgn Bl", "Riesling", "Rose, Dry", "Red Blend")

# As the real files write it: blanks fill a vendor's name up to this width, and a longer one stands as it is.
VENDOR_WIDTH = 27
SPIRITS, WINE = 1, 2


class Size(NamedTuple):
    """How sales and stock write a size, how the catalogue does, and the bottle's mL (0: nobody knows)."""

    text: str
    catalogue: str
    volume: int


# With the weights that they have among products, about as in a real catalogue.
SIZES = {
    SPIRITS: {
        Size("750mL", "750mL", 750): 60,
        Size("1.75L", "1750mL", 1750): 14,
        Size("Liter", "1000mL", 1000): 9,
        Size("375mL", "375mL", 375): 7,
        Size("50mL", "50mL", 50): 5,
        Size("50mL 4 Pk", "50mL 4 Pk", 50): 2,
        Size("750mL + 2/", "750mL + 2/", 750): 1.5,
        Size("3/100mL", "100mL 3 Pk", 100): 1,
        Size("Unknown", "Unknown", 0): 0.5,
    },
    WINE: {
        Size("750mL", "750mL", 750): 84,
        Size("1.5L", "1500mL", 1500): 7,
        Size("375mL", "375mL", 375): 3,
        Size("3L", "3000mL", 3000): 2,
        Size("187mL 4 Pk", "187mL 4 Pk", 187): 2,
        Size("5L", "5000mL", 5000): 1,
        Size("1500mL", "1500ml", 1500): 0.5,
        Size("Unknown", "Unknown", 0): 0.5,
    },
}


def city(number: int) -> str:
    """The city of store `number` (from 0): no two of the first 120 share one."""
    # 12 and 10 share the factor 2: the whole turns move on by one, so that every pair comes up once.
    return _CITY_STARTS[number % 12] + _CITY_ENDS[(number + number // 60) % 10]


def vendor(number: int) -> str:
    """The name of vendor `number` (from 0), filled up with blanks as in the files."""
    start, rest = number % len(_VENDOR_STARTS), number // len(_VENDOR_STARTS)
    words = (_VENDOR_STARTS[start], _VENDOR_MIDDLES[(start + rest) % len(_VENDOR_MIDDLES)])
    return " ".join((*words, _VENDOR_ENDS[(number + number // 70) % len(_VENDOR_ENDS)])).ljust(VENDOR_WIDTH)


def label(number: int, classification: int) -> str:
    """The description of product `number`; labels repeat, as those of one maker's sizes and vintages do."""
    kinds = _SPIRITS if classification == SPIRITS else _WINES
    start, middle = _LABEL_STARTS[number % 12], _LABEL_MIDDLES[number // 12 % 11]
    return f"{start} {middle} {kinds[number // 132 % len(kinds)]}"
