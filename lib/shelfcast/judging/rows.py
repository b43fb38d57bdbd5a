"""Received rows judged: the canonical frame of each source table, with what becomes of each row."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.cleaning import fate, rules, versions
from shelfcast.config import Cleaning, Config
from shelfcast.judging import contracts
from shelfcast.sources import open_source
from shelfcast.sources.canonical import CONDITIONS, canonical_columns

# The tables that keep the versions of a row; of the others the last one counts.
VERSIONED = (
    "sales", "products", "promotions", "purchases", "invoices", "opening_stock", "closing_stock", *CONDITIONS
)  # fmt: skip
_NO_KEY = "missing_key"


def judge(
    config: Config,
    name: str,
    raw: DataFrame,
    deliveries: DataFrame | None = None,
    keys: Mapping[str, DataFrame] = MappingProxyType({}),
) -> DataFrame:
    """The canonical frame of a raw one, with the fate that a row meets for itself, and the received row whole where it
    is refused. deliveries: where there are several, as `versions.as_deliveries` has them. keys: what the contracts'
    references are looked up in."""
    source = open_source(config)
    canonical, key = source.canonical(name, raw), config.cleaning.key_of(name)
    if deliveries is not None:
        canonical = versions.with_delivery(canonical, deliveries)
    rules = contracts.rules_of(config, name)
    canonical = contracts.join_references(canonical, rules, keys)
    refusals = {**source.refusals(name), **_rules(name, canonical.columns, config.cleaning)}
    if key:
        # Rows without their key would all be versions of one. What goes on everywhere is of no store.
        needed = [column for column in key if not (name in CONDITIONS and column == "store_id")]
        refusals[_NO_KEY] = reduce(or_, [F.col(column).isNull() for column in needed], F.lit(False))
    refusals |= contracts.violations([rule for rule in rules if rule.severity == "quarantine"])
    judged = fate.with_fate(canonical, refusals)
    if rules:
        judged = contracts.with_broken(judged, rules)
    is_last_word = not any(rule.unique for rule in rules)
    return fate.without_raw_of_the_kept(judged) if is_last_word else judged


def names_of_refusals(config: Config, name: str) -> set[str]:
    """The rules that refuse rows of a table whatever the contracts say."""
    own = _rules(name, [*canonical_columns(name)], config.cleaning)
    return {*open_source(config).refusals(name), *own, _NO_KEY}


def settle(config: Config, name: str, judged: DataFrame) -> DataFrame:
    """The judged frame with the fates of rows that tell of the same, where the table has a business key."""
    key, rules = config.cleaning.key_of(name), contracts.rules_of(config, name, "unique")
    return contracts.mark_repeated_values(_settle(judged, key), rules, key)


def _settle(judged: DataFrame, key: Sequence[str]) -> DataFrame:
    own = [column for column in judged.columns if not column.startswith("_")]
    told = [column for column in own if column not in (*key, "known_from", "known_until")]
    content = [fate.comparable(judged.schema[column]) for column in told]
    if versions.DELIVERY in judged.columns:
        return versions.mark_versions(judged, key, content) if key else versions.mark_overtaken(judged)
    version = [column for column in ("known_from",) if column in own and column not in key]
    return fate.mark_repeated(judged, (*key, *version), content) if key else judged


def _rules(name: str, columns: Sequence[str], settings: Cleaning) -> dict[str, Column]:
    of_prices = rules.price_rules() if "purchase_price" in columns else {}
    return {
        "sales": rules.sales_rules(settings),
        "products": rules.product_rules() | of_prices,
        "promotions": rules.promotion_rules(),
        "purchases": rules.purchase_rules(settings),
        "invoices": rules.invoice_rules(),
        "opening_stock": rules.stock_rules(settings),
        "closing_stock": rules.stock_rules(settings),
        **dict.fromkeys(CONDITIONS, rules.condition_rules()),
    }[name]
