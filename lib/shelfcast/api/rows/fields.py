"""Columns that many rows have."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

Level = Literal["product", "unlisted", "category", "store", "region"]
Decision = Literal["approved", "amended", "rejected"]
# A key that is not known is the empty text in the index, and null here.
Known = Annotated[str | None, BeforeValidator(lambda value: value or None)]
StoreId = Annotated[str, Field(description="a store", examples=["7"])]
ProductId = Annotated[str, Field(description="a product", examples=["1082185"])]
