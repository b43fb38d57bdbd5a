"""What every contestant is told of the chain's sales file: its columns, and the limits of conf/bench.yaml."""

from datetime import date
from pathlib import Path

CONFIG = Path(__file__).parents[2] / "conf" / "bench.yaml"
COLUMNS = (
    *("InventoryId", "Store", "Brand", "Description", "Size", "SalesQuantity", "SalesDollars", "SalesPrice"),
    *("SalesDate", "Volume", "Classification", "ExciseTax", "VendorNo", "VendorName"),
)
FIRST_DAY, LAST_DAY = date(2014, 6, 30), date(2016, 12, 25)
MAX_QUANTITY, MAX_PRICE = 100_000, 20_000
THOUSANDS = r"^-?\d{1,3}(,\d{3})+(\.\d*)?$"
REPLACEMENT = "\ufffd"
COUNTS = ("clean", "quarantined", "duplicates", "superseded", "blank")
