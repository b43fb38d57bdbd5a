"""What the files of a known publisher hold, told without Spark: for the source that reads them, and for the API, which
takes further ones.
"""

# Month-day-year in the sales whichever the mark ("01-02-2016" is 2 January), day-month-year elsewhere; the full
# publication writes the year first, which no other form does.
_ISO = "yyyy-MM-dd"
BIBITOR_SALES_DATES = ("M/d/yyyy", "M-d-yyyy", _ISO)
BIBITOR_OTHER_DATES = ("d-M-yyyy", "d/M/yyyy", _ISO)
BIBITOR_COLUMNS = {
    "sales": "InventoryId Store Brand Description Size SalesQuantity SalesDollars SalesPrice SalesDate Volume "
    "Classification ExciseTax VendorNo VendorName",
    "products": "Brand Description Price Size Volume Classification PurchasePrice VendorNumber VendorName",
    "purchases": "InventoryId Store Brand Description Size VendorNumber VendorName PONumber PODate ReceivingDate "
    "InvoiceDate PayDate PurchasePrice Quantity Dollars Classification",
    "invoices": "VendorNumber VendorName InvoiceDate PONumber PODate PayDate Quantity Dollars Freight Approval",
    "opening_stock": "InventoryId Store City Brand Description Size onHand Price startDate",
    "closing_stock": "InventoryId Store City Brand Description Size onHand Price endDate",
}
