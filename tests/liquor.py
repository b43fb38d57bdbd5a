"""A few rows of each of Bibitor's files, written by hand, with every oddity of the published ones."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

SALES = (
    "InventoryId,Store,Brand,Description,Size,SalesQuantity,SalesDollars,SalesPrice,SalesDate,Volume,Classification,"
    "ExciseTax,VendorNo,VendorName"
)
FILES = {
    "sales": "SalesFINAL12312016.csv",
    "products": "2017PurchasePricesDec.csv",
    "purchases": "PurchasesFINAL12312016.csv",
    "invoices": "InvoicePurchases12312016.csv",
    "opening_stock": "BegInvFINAL12312016.csv",
    "closing_stock": "EndInvFINAL12312016.csv",
}
FIRST_DAY, WEEKS = date(2016, 1, 1), 9
_PRODUCTS = {"58": ("Black Sake", 12.99, 1), "62": ("Silver Cactus", 36.99, 1), "77": ("Red of the Hill", 7.5, 2)}
_VENDOR = "SHAW ROSS INT L IMP LTD    "


def sale(
    quantity: str = "2",
    day: str = "1/29/2016",
    store: str = "1",
    brand: str = "58",
    dollars: str = "25.98",
    price="12.99",
) -> str:
    name, _, kind = _PRODUCTS.get(brand, ("Nobody's", 0.0, 1))
    product = f"{store}_OLDTOWN_{brand},{store},{brand},{name},750mL"
    return f"{product},{quantity},{dollars},{price},{day},750,{kind},1.57,8320,{_VENDOR}"


def text_of(*rows: str, header: str = SALES, end: str = "\n") -> str:
    return end.join((header, *rows)) + end


def every_day() -> Iterator[str]:
    """Sales of two stores, dates now in one form, now in the other."""
    for day in range(7 * WEEKS):
        sold_on = FIRST_DAY + timedelta(days=day)
        form = f"{sold_on.month}/{sold_on.day}/{sold_on.year}" if day % 2 else f"{sold_on:%m-%d-%Y}"
        for store in ("1", "2"):
            for number, (brand, (_, price, _)) in enumerate(_PRODUCTS.items()):
                if day % (number + 1) == 0:
                    quantity = 1 + (day * 7 + number) % 3
                    yield sale(str(quantity), form, store, brand, f"{quantity * price:.2f}", str(price))


def write_files(folder: Path, **instead: str) -> Path:
    """The six files; `instead`: table -> its text."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = [
        f'{brand},"{name}",{price},"750mL","750",{kind},{price * 0.7:.2f},8320,"{_VENDOR}"'
        for brand, (name, price, kind) in _PRODUCTS.items()
    ]
    odd = ',"50mL 4 Pk","Unknown",1,3.5,480,"BACARDI USA INC            "'
    texts = {
        "sales": text_of(*every_day()),
        "products": text_of(
            *catalogue,
            f'90,"Small Ones",4.99{odd}',
            f'91,"A Price Below Zero",-1{odd}',
            header='"Brand","Description","Price","Size","Volume","Classification","PurchasePrice","VendorNumber",'
            '"VendorName"',
        ),
        "purchases": text_of(
            _purchase("1_OLDTOWN_58,1", "02-01-2016"),
            _purchase("2_NEWTOWN_58,2", "20-12-2015"),
            ",,,,,,,,,,,,18.18,12,109.08,1",
            header="InventoryId,Store,Brand,Description,Size,VendorNumber,VendorName,PONumber,PODate,ReceivingDate,"
            "InvoiceDate,PayDate,PurchasePrice,Quantity,Dollars,Classification",
        ),
        "invoices": text_of(
            f'8320,"{_VENDOR}","2016-01-04",8124,"2015-12-21","2016-02-16",12,109.08,3.47,"None"',
            '8320,"SHAW ROSS IMPORTERS        ","2016-01-05",8125,"2015-12-22","2016-02-16",1,9.09,0.1,"The Buyer"',
            header='"VendorNumber","VendorName","InvoiceDate","PONumber","PODate","PayDate","Quantity","Dollars",'
            '"Freight","Approval"',
        ),
        "opening_stock": text_of(
            "1_OLDTOWN_58,1,OLDTOWN,58,Black Sake,750mL,11,12.99,01-01-2016", header=_stock_header("startDate")
        ),
        "closing_stock": text_of(
            "1_OLDTOWN_58,1,OLDTOWN,58,Black Sake,750mL,7,12.99,31-12-2016",
            "1_OLDTOWN_62,1,OLDTOWN,62,Silver Cactus,750mL,-3,36.99,31-12-2016",
            *[",,,,,,,,"] * 5,
            header=_stock_header("endDate"),
        ),
    }
    for name, text in (texts | instead).items():
        (folder / FILES[name]).write_text(text, encoding="utf-8", newline="")
    return folder


def _stock_header(day: str) -> str:
    return f"InventoryId,Store,City,Brand,Description,Size,onHand,Price,{day}"


def _purchase(place: str, received: str) -> str:
    dates = f"21-12-2015,{received},04-01-2016,16-02-2016"
    return f"{place},58,Black Sake,750mL,8320,{_VENDOR},8124,{dates},9.09,6,54.54,1"
