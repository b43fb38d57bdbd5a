"""demand/availability: what is known of where and when products could be had."""

from shelfcast.table import Table

CLOSED, NOT_DELIVERED, LOST = "closed", "not_delivered", "lost"
OUT_OF_STOCK, DELISTED = "out_of_stock", "delisted"

AVAILABILITY = Table(
    "demand/availability",
    # Spells, both ends in them; who has none was listed, in stock and open. A store's own have no item_id. is_stated:
    # its books of counts, receipts and sales say so, else silence does, with that probability. Each day is judged as it
    # was known at the next cutoff of the backtest. units: expected to have been lost.
    "region string, store_id string, item_id string, first_day date, last_day date, state string, is_stated boolean, "
    "probability double, units double",
    key=("region", "store_id", "item_id", "first_day", "state", "is_stated"),
    checks={
        "state_is_known": f"state in ('{CLOSED}', '{NOT_DELIVERED}', '{OUT_OF_STOCK}', '{DELISTED}')",
        "spell_has_days": "last_day >= first_day",
        "probability_is_a_share": "probability between 0 and 1",
        "nothing_is_lost_twice": "units >= 0",
    },
)
