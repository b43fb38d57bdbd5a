"""The chain's sales with DuckDB: read, judge, keep the first of each key, sum by week; three Parquet files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
from chain_rules import COLUMNS, FIRST_DAY, LAST_DAY, MAX_PRICE, MAX_QUANTITY, REPLACEMENT, THOUSANDS

_KEY = "store_id, product_id, sold_on"
_CONTENT = "source_quantity, unit_price, revenue, excise_tax"


def open_engine(threads: int, scratch: Path) -> Callable[[Sequence[str], Path], Mapping[str, int]]:
    connection = duckdb.connect(config={"threads": threads, "temp_directory": str(scratch)})

    def run(files: Sequence[str], out: Path) -> Mapping[str, int]:
        _read(connection, files)
        _judge(connection)
        return _write(connection, out)

    return run


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    for table in ("reject_scans", "reject_errors", "judged", "repeated"):
        connection.execute(f"drop table if exists {table}")
    columns = dict.fromkeys(COLUMNS, "varchar")
    connection.execute(f"""create or replace temp view received as select * from read_csv(
        {list(files)}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {columns},
        store_rejects = true)""")


def _judge(connection: duckdb.DuckDBPyConnection) -> None:
    """The canonical columns with each row's rule, null where it has none; the received row where it is refused."""
    names = {"store_id": "Store", "product_id": "Brand"}
    numbers = {
        "source_quantity": "SalesQuantity",
        "unit_price": "SalesPrice",
        "revenue": "SalesDollars",
        "excise_tax": "ExciseTax",
    }
    parsed = [f"nullif(trim({column}), '') as {name}" for name, column in names.items()]
    parsed += [f"{_number(column)} as {name}" for name, column in numbers.items()]
    connection.execute(f"""create temp table judged as
        with parsed as (
            select *, try_strptime(trim(SalesDate), ['%m/%d/%Y', '%m-%d-%Y', '%Y-%m-%d'])::date as sold_on,
                {", ".join(parsed)} from received),
        ruled as (select *, {_rule()} as rule from parsed)
        select {_KEY}, {_CONTENT}, rule,
            case when rule not in ('blank') then to_json({{{", ".join(f"'{n}': {n}" for n in COLUMNS)}}}) end as row
        from ruled""")


def _number(column: str) -> str:
    text = f"trim({column})"
    plain = f"case when regexp_matches({text}, '{THOUSANDS}') then replace({text}, ',', '') else {text} end"
    return f"try_cast({plain} as double)"


def _rule() -> str:
    rules = {
        "blank": " and ".join(f"coalesce(trim({name}), '') = ''" for name in COLUMNS),
        "repeated_header": f"trim({COLUMNS[0]}) = '{COLUMNS[0]}'",
        "undecodable_text": " or ".join(f"contains({name}, '{REPLACEMENT}')" for name in COLUMNS),
        "missing_store": "store_id is null",
        "missing_product": "product_id is null",
        "missing_or_unreadable_date": "sold_on is null",
        "missing_or_unreadable_quantity": "source_quantity is null or isnan(source_quantity)",
        "missing_or_unreadable_revenue": "revenue is null or isnan(revenue)",
        "date_out_of_range": f"sold_on not between date '{FIRST_DAY}' and date '{LAST_DAY}'",
        "impossible_quantity": f"abs(source_quantity) > {MAX_QUANTITY}",
        "impossible_price": f"unit_price < 0 or unit_price > {MAX_PRICE}",
        "contradictory_signs": "source_quantity * revenue < 0",
    }
    return "case " + " ".join(f"when {condition} then '{name}'" for name, condition in rules.items()) + " end"


def _write(connection: duckdb.DuckDBPyConnection, out: Path) -> Mapping[str, int]:
    connection.execute(f"""create temp table repeated as
        select {_KEY}, {_CONTENT}, row_number() over key as place,
            first_value(({_CONTENT})) over key is not distinct from ({_CONTENT}) as same
        from judged semi join (
            select {_KEY}, count(*) as n from judged where rule is null group by all having n > 1) twice
        using ({_KEY}) where rule is null
        window key as (partition by {_KEY} order by {_CONTENT})""")
    connection.execute(f"""create or replace temp view sales as
        select {_KEY}, {_CONTENT}, sold_on as known_from from judged anti join repeated using ({_KEY})
        where rule is null
        union all select {_KEY}, {_CONTENT}, sold_on from repeated where place = 1""")
    connection.execute(f"copy sales to '{out}/sales.parquet'")
    connection.execute(f"""copy (
        select 'sales' as source_table, rule, row from judged where rule is not null and rule != 'blank'
        union all select 'sales', 'malformed_row', to_json({{'malformed_row': trim(csv_line, e'\\r\\n')}})
        from (select distinct file_id, line, csv_line from reject_errors)) to '{out}/quarantine.parquet'""")
    connection.execute(f"""copy (
        select store_id, product_id, date_trunc('week', sold_on)::date as week, sum(source_quantity) as quantity,
            sum(revenue) as revenue, count(*) as sales
        from '{out}/sales.parquet' where source_quantity > 0 group by all) to '{out}/weekly.parquet'""")
    return _tally(connection, out)


def _tally(connection: duckdb.DuckDBPyConnection, out: Path) -> Mapping[str, int]:
    counts = {
        "clean": f"from '{out}/sales.parquet'",
        "quarantined": f"from '{out}/quarantine.parquet'",
        "duplicates": "from repeated where place > 1 and same",
        "superseded": "from repeated where place > 1 and not same",
        "blank": "from judged where rule = 'blank'",
    }
    return {name: connection.execute(f"select count(*) {query}").fetchall()[0][0] for name, query in counts.items()}
