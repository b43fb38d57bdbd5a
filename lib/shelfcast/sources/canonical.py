"""What a source may tell: the canonical columns of each of its tables, and which of them a table cannot be without."""

from collections.abc import Mapping, Sequence

from shelfcast import schemas
from shelfcast.cleaning import supply
from shelfcast.errors import ConfigError
from shelfcast.table import Table

_CONDITIONS = Table("", "store_id string, day date, until date, known_from date", key=())
_STOCK = (supply.STOCK, {"price": "double"})
# Tables of what goes on by day and place, whose further columns are the conditions that the configuration names.
CONDITIONS = ("holidays", "weather", "campaigns")
# The clean table that a received one becomes, and what it tells beside that table's columns.
_BECOMES: Mapping[str, tuple[Table, Mapping[str, str]]] = {
    "sales": (schemas.SALES, {}),
    "products": (
        schemas.PRODUCTS,
        {"vendor_name": "string", "price": "double", "purchase_price": "double", "known_from": "date"},
    ),
    "promotions": (schemas.PROMOTIONS, {}),
    "purchases": (supply.PURCHASES, {"vendor_name": "string"}),
    "invoices": (supply.INVOICES, {"vendor_name": "string"}),
    "opening_stock": _STOCK,
    "closing_stock": _STOCK,
    **dict.fromkeys(CONDITIONS, (_CONDITIONS, {})),
}
# What cleaning makes of the others, and no source tells.
_DERIVED = {
    "sales": {"quantity", "capped_quantity", "is_outlier", "is_return", "known_until"},
    "products": {"size_ml", "size_g", "size_count"},
    "promotions": {"known_until"},
    "purchases": {"known_until"},
    "invoices": {"known_until"},
    "opening_stock": {"moment", "known_until"},
    "closing_stock": {"moment", "known_until"},
}
REQUIRED = {
    "sales": ("store_id", "product_id", "sold_on", "source_quantity", "revenue"),
    "products": ("product_id", "category_id"),
    "promotions": ("store_id", "product_id", "valid_from", "valid_to"),
    "purchases": ("vendor_id", "po_number", "store_id", "product_id", "ordered_on", "quantity"),
    "invoices": ("vendor_id", "po_number", "invoiced_on", "dollars"),
    "opening_stock": ("store_id", "product_id", "counted_on", "on_hand"),
    "closing_stock": ("store_id", "product_id", "counted_on", "on_hand"),
    **dict.fromkeys(CONDITIONS, ("day",)),
}
# The day on which a row is first known, where the configuration does not map `known_from`: a till's sale on the evening
# of its day.
KNOWN_FROM = {
    "sales": "sold_on",
    "purchases": "ordered_on",
    "invoices": "invoiced_on",
    "opening_stock": "counted_on",
    "closing_stock": "counted_on",
}


def clean_table(name: str) -> Table:
    """The clean table that rows of the table `name` of a source come to; one without a name where that is none of
    them."""
    return _BECOMES[name][0]


def canonical_columns(name: str) -> dict[str, str]:
    """The columns that the table `name` of a source may tell, and their types."""
    table, further = _BECOMES[name]
    pairs = (column.split() for column in table.columns.split(", "))
    own = {column: kind for column, kind in pairs if column not in {"region", *_DERIVED.get(name, ())}}
    return own | dict(further)


def require_keys(keys: Mapping[str, Sequence[str]]) -> None:
    """Raise ConfigError for a business key of a table that is none, or of a column that its table has not: the rows of
    the table that was meant would have no key."""
    if unknown := [name for name in keys if name not in REQUIRED]:
        raise ConfigError(f"cleaning.keys: no table {', '.join(unknown)}; wanted some of {', '.join(REQUIRED)}")
    for name, key in keys.items():
        known = canonical_columns(name)
        if absent := [column for column in key if column not in known]:
            raise ConfigError(f"cleaning.keys.{name}: no column {', '.join(absent)}; wanted some of {', '.join(known)}")
