"""What classes, segments, outliers and seasons say, in sentences: small frames in, findings out."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from shelfcast.insights.delisting import Rule
from shelfcast.insights.findings import Finding, Money, amount, count, in_words, is_known, share, things
from shelfcast.insights.labels import advice
from shelfcast.inventory.classes import CLASSES, Borders

# What an outlier does most unlike the others, and what these do on average.
_SAID = {
    "level": ("sells {} units a week, where the average is {}", "units a week"),
    "cv2": ("sells in amounts as uneven as a CV² of {}, where the average is {}", "CV²"),
    "adi": ("sells every {} weeks, where the average is every {}", "weeks"),
    "price": ("brings {} a unit, where the average is {}", "a unit"),
    "trend": ("changed by {} times its level in a year, where the average is {}", "times its level"),
    "season": ("has a season of strength {}, where the average is {}", "strength"),
    "discounted": ("gives the share {} of its value away in discounts, where the average is {}", "of its value"),
    "breadth": ("sells in {} stores, where the average is {}", "stores"),
}


def classes(by_class: pd.DataFrame, borders: Borders) -> Iterator[Finding]:
    """by_class: class, products, revenue, a row a class."""
    found = by_class.set_index("class").reindex(CLASSES, fill_value=0)
    products, revenue = found["products"], found["revenue"]
    if not products.sum() or not revenue.sum():
        yield Finding("classes", None, None, None, "Nothing has sold yet: there are no classes of products.")
        return
    whole, of_a, of_c = products.sum(), _of(products, "A"), _of(products, "C")
    text = (
        f"{things(of_a, 'product')} of {count(whole)} ({share(of_a / whole)}) {_bring(of_a)} "
        f"{share(_of(revenue, 'A') / revenue.sum())} of the revenue (class A): count their stock first and give them "
        f"the highest service."
    )
    yield Finding("classes", "A", 100 * of_a / whole, "% of products", text)
    text = (
        f"Of these {things(products['AX'], 'sells', 'sell')} steadily (AX: weekly demand varies by at most "
        f"{share(borders.x)} of its mean) and can be ordered unseen; {count(products['AZ'])} are erratic (AZ, by more "
        f"than {share(borders.y)}): look at them each week."
    )
    yield Finding("classes", "AX", float(products["AX"]), "products", text)
    text = (
        f"{things(of_c, 'product')} ({share(of_c / whole)}, class C) {_bring(of_c)} "
        f"{share(_of(revenue, 'C') / revenue.sum())} of the revenue: keep little of them."
    )
    yield Finding("classes", "C", 100 * of_c / whole, "% of products", text)


def _bring(products: float) -> str:
    return "brings" if products == 1 else "bring"


def _of(values: "pd.Series[Any]", letter: str) -> float:
    return float(values[[name for name in CLASSES if name.startswith(letter)]].sum())


def segments(kind: str, found: pd.DataFrame, most: int) -> Iterator[Finding]:
    """found: segment, label, items, revenue, a row a segment; segment 0 sold too seldom to tell."""
    topic = f"{kind}_segments"
    whole, revenue = found["items"].sum(), found["revenue"].sum()
    told = found[found["segment"] > 0].sort_values("segment").head(most)
    if told.empty:
        yield Finding(topic, None, None, None, f"No {kind} has sold in enough weeks to be told from another.")
    for row in told.to_dict("records"):
        part = row["revenue"] / revenue if revenue > 0 else 0.0
        label = str(row["label"])
        head = f"{things(row['items'], kind)} of {count(whole)} with {share(part)} of the revenue"
        text = f"{head}: {label}; {advice(label)}."
        yield Finding(topic, str(row["segment"]), 100 * part, "% of revenue", text)
    thin = float(found.loc[found["segment"] == 0, "items"].sum())
    if thin:
        text = (
            f"{things(thin, kind)} of {count(whole)} sold in too few weeks to be told from one another: forecast them "
            f"by their share of the category."
        )
        yield Finding(topic, "0", thin, f"{kind}s", text)


def outliers(
    kind: str, counts: Mapping[str, Any], found: pd.DataFrame, means: Mapping[str, float]
) -> Iterator[Finding]:
    """counts: items, outliers, and dense, null where nothing is; found: item_id, oddest, remoteness and the features,
    the most remote first; means: of each feature."""
    items, odd = counts["items"], counts["outliers"]
    if not items or not is_known(counts["dense"]):
        yield Finding("outliers", None, None, None, f"There are too few {kind}s to tell which of them are odd.")
        return
    ask = "look at the records of these first" if odd else "nothing is to be looked at"
    text = (
        f"{things(odd, kind)} of {count(items)} ({share(odd / items)}) {'is' if odd == 1 else 'are'} like no other in "
        f"demand, price and reach: {ask}."
    )
    yield Finding("outliers", None, 100 * odd / items, f"% of {kind}s", text)
    for row in found.to_dict("records"):
        name, subject = str(row["oddest"]), str(row["item_id"])
        said, unit = _SAID[name]
        does = said.format(amount(row[name]), amount(means[name]))
        text = f"{kind.capitalize()} {subject} {does}: check its record, then plan it by hand."
        yield Finding("outliers", subject, float(row[name]), unit, text)


def seasons(found: pd.DataFrame, weeks: int, season: int) -> Iterator[Finding]:
    """found: rows of insights/seasons, the largest categories first; weeks: known in all; season: weeks of a year."""
    if found.empty:
        yield Finding("seasons", None, None, None, "No category has sold yet.")
    elif not found["is_seasonal"].astype(bool).any():
        text = (
            f"Not enough history for season and trend: {weeks} weeks are known, and it takes {2 * season} to tell the "
            f"one from the other."
        )
        yield Finding("seasons", None, None, None, text)
    for row in found.to_dict("records"):
        yield _season(row) if row["is_seasonal"] else _year(row)


def _year(row: Mapping[Hashable, Any]) -> Finding:
    name, peak = str(row["category_id"]), float(row["peak"])
    text = (
        f"Category {name} sold most in the week of {in_words(row['peak_week'])}, {amount(peak)} times its average "
        f"week; whether that comes back each year is not known yet."
    )
    return Finding("seasons", name, peak, "times average", text)


def _season(row: Mapping[Hashable, Any]) -> Finding:
    name, week = str(row["category_id"]), in_words(row["peak_week"])
    low, growth, high = (float(row[part]) for part in ("growth_lower", "growth", "growth_upper"))
    interval = f"95 % interval {_signed(low)} to {_signed(high)}"
    if low > 0:
        trend = f"grows by {share(growth)} a year ({interval}): raise its orders"
    elif high < 0:
        trend = f"shrinks by {share(-growth)} a year ({interval}): lower its orders"
    else:
        trend = f"neither grows nor shrinks beyond chance ({_signed(growth)} a year, {interval})"
    text = (
        f"Category {name} {trend}. Its peak was last in the week of {week}, {amount(row['peak'])} times its trend: "
        f"order ahead of it (strength of the season {row['season']:.2f}, of the trend {row['trend']:.2f})."
    )
    return Finding("seasons", name, 100 * growth, "% a year", text)


def _signed(ratio: float) -> str:
    return f"{100 * ratio:+.1f} %"


def delisting(found: pd.DataFrame, total: int, products: int, rule: Rule, money: Money) -> Iterator[Finding]:
    """found: rows of insights/delistings, the dearest first; total: how many there are, of so many products."""
    stated = (
        f"earned less in the last {rule.weeks} weeks than holding their stock costs or, where costs or stock are not "
        f"known, sold {amount(rule.rate)} units a week or fewer in each store that lists them"
    )
    if not total:
        yield Finding("delisting", None, 0.0, "products", f"No products {stated}: none is to be delisted.")
        return
    text = f"{things(total, 'product')} of {count(products)} ({share(total / products)}) {stated}: delist those below."
    yield Finding("delisting", None, 100 * total / products, "% of products", text)
    for row in found.to_dict("records"):
        yield _delisted(row, rule.weeks, money)


def _delisted(row: Mapping[Hashable, Any], weeks: int, money: Money) -> Finding:
    name = str(row["product_id"])
    head = f"Product {name} (category {row['category_id']}), listed in {things(row['stores'], 'store')}, "
    if row["rule"] == "margin":
        lost = float(row["holding"]) - float(row["margin"])
        text = (
            f"{head}earned {money(row['margin'])} in {weeks} weeks, while holding its {things(row['on_hand'], 'unit')} "
            f"costs {money(row['holding'])}: sell them off and delist it."
        )
        return Finding("delisting", name, lost, "money", text)
    text = (
        f"{head}sold {amount(row['units'])} units in {weeks} weeks, {money(row['revenue'])} in all: delist it where it "
        f"did not sell."
    )
    return Finding("delisting", name, float(row["units"]), "units", text)
