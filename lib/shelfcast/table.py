"""What a table of the lake is."""

from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from shelfcast.errors import SchemaError

# What a key says of a row that stands for all stores or all items.
ALL = "(all)"


@dataclass(frozen=True)
class Table:
    """A Delta table at `{lake}/{name}`: its columns as Spark DDL, its key, and what must hold of each row.

    rows_per_file: at most so many, where readers take files one by one.
    """

    name: str
    columns: str
    key: tuple[str, ...]
    checks: dict[str, str] = field(default_factory=dict)
    partitions: tuple[str, ...] = ("region",)
    sought_by: tuple[str, ...] = ()
    operational: tuple[str, ...] = ()
    rows_per_file: int | None = None

    @property
    def schema(self) -> StructType:
        """The columns as Spark reads them: needs a session, unlike `names`."""
        return _struct(self.columns)

    @property
    def is_by_date(self) -> bool:
        """Whether it keeps the rows of each as-of date."""
        return "forecast_date" in self.partitions

    @property
    def names(self) -> list[str]:
        return column_names(self.columns)


def _struct(columns: str) -> StructType:
    struct = StructType.fromDDL(columns)
    assert isinstance(struct, StructType), columns
    return struct


def column_names(columns: str) -> list[str]:
    """The names in a Spark DDL of columns parted by comma and blank."""
    return [column.split()[0].strip("`") for column in columns.split(", ")]


def require_schema(frame: DataFrame, table: Table) -> None:
    """Raise SchemaError unless `frame` has just the columns of `table`, in their types."""
    found = {field.name: field.dataType for field in frame.schema}
    wanted = {field.name: field.dataType for field in table.schema}
    problems = [f"no column {name}" for name in wanted if name not in found]
    problems += [f"unknown column {name}" for name in found if name not in wanted]
    problems += [
        f"{name} is {found[name].simpleString()}, wanted {wanted[name].simpleString()}"
        for name in wanted
        if name in found and found[name].simpleString() != wanted[name].simpleString()
    ]
    if problems:
        raise SchemaError(f"table {table.name}: {'; '.join(problems)}")
