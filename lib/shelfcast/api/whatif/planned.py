"""What the plan has of a series, from the index: its policy, and how long its orders take."""

from dataclasses import dataclass
from datetime import date

from shelfcast.api.index.reading import Index, Row
from shelfcast.api.whatif.series import Published


@dataclass(frozen=True)
class Planned:
    """policy: its row; days, chances: of the lead time, the chances of at most so many; first_day: the first day ahead,
    from the Monday of the first week."""

    policy: Row
    days: tuple[int, ...]
    chances: tuple[float, ...]
    first_day: int


def planned_of(index: Index, series: Published) -> Planned | None:
    """None where nothing is ordered of the series."""
    query = "select * from policies where store_id = ? and product_id = ?"
    rows = index.rows(query, (series.store_id, series.product_id))
    if not rows or rows[0]["order_quantity"] is None:
        return None
    first_day = (date.fromisoformat(index.origin["forecast_date"]) - series.first_week).days + 1
    return Planned(rows[0], *_lead_time(index, rows[0]), max(first_day, 0))


def _lead_time(index: Index, policy: Row) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Days and chances: those of the store's orders, else of the vendor's."""
    query = (
        "select j.value as days, (select value from json_each(chances) where key = j.key) as chances from "
        "(select * from lead_times where vendor_id = ? and store_id in (?, '(all)') "
        "order by store_id = '(all)' limit 1), json_each(days) as j order by j.key"
    )
    rows = index.rows(query, (policy["vendor_id"], policy["store_id"]))
    if not rows:
        return (round(policy["lead_days"] or 0),), (1.0,)
    return tuple(int(row["days"]) for row in rows), tuple(float(row["chances"]) for row in rows)
