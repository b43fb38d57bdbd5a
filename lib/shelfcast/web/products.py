"""What products are called: a source may know a number, a brand, a kind, or all of these."""

import json
from collections.abc import Sequence
from typing import Any

from shelfcast.api.view import View


def named_products(view: View, product_ids: Sequence[str]) -> dict[str, str]:
    """Of each product its name; its number where it has none."""
    query = "select * from products where product_id in (select value from json_each(?))"
    rows = view.index.rows(query, (json.dumps(sorted(set(product_ids))),))
    return {number: number for number in product_ids} | {row["product_id"]: name_of(row) for row in rows}


def name_of(row: dict[str, Any]) -> str:
    """The narrowest kind that is known, with brand and size."""
    kind = row["product_type"] or row["subcategory"] or ""
    brand = row["brand"] or ""
    parts = [brand, kind if kind.casefold() != brand.casefold() else "", row["package_size"] or ""]
    return " ".join(part for part in parts if part) or str(row["product_id"])
