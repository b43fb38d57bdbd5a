from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.conftest import add, running, token_of
from shelfcast.api.routes import uploads
from shelfcast.api.uploads import form_of, judge
from shelfcast.cleaning.dates import find_date
from shelfcast.config import load
from shelfcast.resources import resource_folder
from shelfcast.sources.canonical import REQUIRED

SOURCE = (
    "{kind: mapped, path: %s, tables: {sales: {files: sales-*.csv, delimiter: ';', encoding: cp1252, decimal: ',', "
    "received: [Shop No, Article, Day, Pieces, Takings], columns: {store_id: Shop No, product_id: Article, "
    "sold_on: {from: Day, formats: [d.M.yyyy, yyyy-MM-dd]}, source_quantity: Pieces, revenue: Takings}}}}"
)
HEADER = "Shop No;Article;Day;Pieces;Takings"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def client(lake: Path, tmp_path: Path, inbox: Path) -> Iterator[TestClient]:
    with running(lake, tmp_path / "served", f"source={SOURCE % inbox}", "serving.limits.upload_bytes=5000") as client:
        client.headers.update(token_of(client, add(client, "planner", "planner", "north")))
        yield client


def bring(client: TestClient, *lines: str, encoding: str = "cp1252", **headers: str) -> Any:
    content = "\n".join((HEADER, *lines)).encode(encoding)
    return client.post("/v1/uploads", content=content, headers={"content-type": "text/csv", **headers})


def test_a_file_is_laid_where_the_next_ingestion_finds_it(client: TestClient, inbox: Path) -> None:
    answer = bring(client, "1;p1;2.1.2018;3;6,50", "2;café;2018-01-03;1.000,5;2", "", ";;;;")
    assert answer.status_code == 201, answer.text
    found = answer.json()
    told = {"rows": 2, "stores": ["1", "2"], "first_day": "2018-01-02", "last_day": "2018-01-03", "user": "planner"}
    assert told.items() <= found.items()
    (file,) = inbox.glob("sales-*.csv")
    assert file.name == found["file"]
    assert file.read_text(encoding="cp1252").splitlines()[2] == "2;café;2018-01-03;1.000,5;2"
    assert client.get("/v1/uploads").json() == [found]
    (row,) = client.get("/v1/audit").json()
    assert (row["action"], row["subject"], row["detail"]["rows"]) == ("uploaded", file.name, 2)


def test_the_same_file_is_taken_once(client: TestClient, inbox: Path) -> None:
    assert [bring(client, "1;p1;2.1.2018;3;6,50").status_code for _ in range(2)] == [201, 409]
    assert len(list(inbox.iterdir())) == 1


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_the_form_of_a_mapped_company_is_that_of_its_mapping(scheme: str, tmp_path: Path) -> None:
    form = form_of(load(Path(str(resource_folder("conf") / "tiny.yaml")), [f"source.path={scheme}{tmp_path}"]))
    assert form.folder == tmp_path
    assert (form.pattern, form.store, form.day, form.quantity) == (
        "SalesFINAL12312016-*.csv",
        "Store",
        "SalesDate",
        "SalesQuantity",
    )
    values = dict.fromkeys(form.columns, "1")
    days = ("12/25/2016", "01-02-2016", "2016-01-03", "25/12/2016")
    rows = [",".join({**values, "SalesDate": day}.values()) for day in days]
    (tmp_path / "brought").write_text("\n".join((",".join(form.columns), *rows)))
    judged = judge(tmp_path / "brought", form)
    assert (judged.rows, judged.stores, judged.first_day, judged.last_day) == (
        4,
        {"1"},
        date(2016, 1, 2),
        date(2016, 12, 25),
    )
    assert judged.problems == ["line 5: SalesDate is '25/12/2016'; wanted a day"]


@pytest.mark.parametrize("dated", ["yyyyMMdd", "dd.MM.yyyy"])
def test_a_file_that_is_brought_has_its_day_in_its_name(tmp_path: Path, dated: str) -> None:
    conf = Path(str(resource_folder("conf") / "walmart.yaml"))
    form = form_of(load(conf, [f"source={SOURCE % tmp_path}", f"source.tables.sales.dated={dated}"]))
    name = form.name("20160101", datetime(2018, 1, 8, 7, 30))
    assert find_date(name, dated) == date(2018, 1, 8)


WRONG = {
    "a line too short": (["1;p1;2.1.2018;3"], "file: line 2: 4 fields; wanted 5"),
    "no day": (["1;p1;2.1.2018;3;1", "1;p1;31.2.2018;3;1"], "file: line 3: Day is '31.2.2018'; wanted a day"),
    "no number": (["1;p1;2.1.2018;many;1"], "file: line 2: Pieces is 'many'; wanted a number"),
    "a number as none writes it": (["1;p1;2.1.2018;1_000;1"], "file: line 2: Pieces is '1_000'; wanted a number"),
    "a mark that parts no thousands": (["1;p1;2.1.2018;1.5;1"], "file: line 2: Pieces is '1.5'; wanted a number"),
    "no store": ([" ;p1;2.1.2018;1;1"], "file: line 2: Shop No is empty"),
    "a store with a blank that is no space": (["2\xa0;p1;2.1.2018;3;1"], r"file: line 2: Shop No is '2\xa0'; wanted"),
    "a row within quotes": (['2;"x', "1;p1;2.1.2018;1000;1", '";2.1.2018;1;1'], "file: line 2: a field of"),
    "a line's end within quotes": (['2;"x\ry";2.1.2018;1;1'], "file: line 2: a field of"),
    "no row": ([], "file: no rows"),
    "a quote that does not end": (['1;"p1;2.1.2018;3;1'], "file: no CSV"),
}


@pytest.mark.parametrize(("lines", "detail"), WRONG.values(), ids=WRONG)
def test_a_file_with_a_wrong_row_is_refused_and_the_line_named(
    client: TestClient, inbox: Path, lines: list[str], detail: str
) -> None:
    answer = bring(client, *lines)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)
    assert not inbox.exists()


def test_of_many_wrong_lines_the_first_are_named(client: TestClient) -> None:
    assert bring(client, *["1;p1;never;1;1"] * 100).json()["detail"].count("line") == 10


BODIES = {
    "other columns": (
        b"Store,Day\n1,2\n",
        422,
        "file: no column Shop No, Article, Day, Pieces, Takings; found",
    ),
    "nothing": (b"", 422, "file: no column Shop No"),
    "a packed file": (b"PK\x03\x04\x81", 422, "file: byte"),
    "too large": (HEADER.encode() + b"\n" + b"x" * 6000, 413, "body: wanted 5,000 bytes at most"),
}


@pytest.mark.parametrize(("content", "status", "detail"), BODIES.values(), ids=BODIES)
def test_what_is_no_such_file_is_refused(
    client: TestClient, inbox: Path, content: bytes, status: int, detail: str
) -> None:
    answer = client.post("/v1/uploads", content=content, headers={"content-type": "text/csv"})
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (status, detail)
    assert not inbox.exists()


FURTHER = {
    "one of its own": ("Day", "found Day, Day"),
    "one but for its case": ("day", "found Day, day"),
    "one but for a mark": ("Shop-No", "found Shop No, Shop-No"),
    "another twice": ("note;note", "found note, note"),
    "none twice": (";", "found , ;"),
    "one that the ingestion has": ("malformed_row", "found malformed_row"),
    "one that Spark has": ("_metadata", "found _metadata"),
    "one that cannot be quoted": ("no`te", "found no`te"),
    "one of two lines": ('"no\nte"', "names of more than"),
}


@pytest.mark.parametrize(("name", "detail"), FURTHER.values(), ids=FURTHER)
def test_a_further_column_has_a_name_that_ingestion_can_tell_from_all_others(
    client: TestClient, inbox: Path, name: str, detail: str
) -> None:
    content = f"{HEADER};{name}\n1;p1;2.1.2018;3;1;x\n"
    answer = client.post("/v1/uploads", content=content.encode("cp1252"), headers={"content-type": "text/csv"})
    wanted = f"file: line 1: {detail}"
    assert (answer.status_code, answer.json()["detail"][: len(wanted)]) == (422, wanted)
    assert not inbox.exists()


def test_a_further_column_of_another_name_is_brought_along(client: TestClient, inbox: Path) -> None:
    content = f"{HEADER};note\n1;p1;2.1.2018;3;1;x\n".encode("cp1252")
    assert client.post("/v1/uploads", content=content, headers={"content-type": "text/csv"}).status_code == 201
    assert [file.read_bytes() for file in inbox.iterdir()] == [content]


def test_nobody_brings_sales_of_a_store_that_is_not_theirs(client: TestClient, inbox: Path) -> None:
    own = token_of(client, add(client, "of store 2", "planner", "north/2"))
    answer = bring(client, "2;p1;2.1.2018;3;1", "1;p1;2.1.2018;3;1", **own)
    assert (answer.status_code, answer.json()["detail"]) == (403, "file: sales of store 1: not yours")
    assert not inbox.exists()
    assert bring(client, "2;p1;2.1.2018;3;1", **own).status_code == 201
    bring(client, "1;p1;2.1.2018;3;1")
    assert [row["stores"] for row in client.get("/v1/uploads", headers=own).json()] == [["2"]]


@pytest.mark.parametrize(
    ("key", "grant", "status"),
    [
        pytest.param("[product_id, sold_on]", "north/2", 403, id="a key of all stores, of who reaches one"),
        pytest.param("[product_id, sold_on]", "north", 201, id="a key of all stores, of who reaches all"),
        pytest.param("[store_id, product_id, sold_on]", "north/2", 201, id="a key of each store"),
        pytest.param("[]", "north/2", 201, id="no key"),
    ],
)
def test_a_file_takes_the_place_of_no_other_store_s_sales(
    lake: Path, tmp_path: Path, inbox: Path, key: str, grant: str, status: int
) -> None:
    changes = (f"source={SOURCE % inbox}", f"cleaning.keys.sales={key}")
    with running(lake, tmp_path / "served", *changes) as client:
        answer = bring(client, "2;p1;2.1.2018;3;1", **token_of(client, add(client, "p", "planner", grant)))
    assert (answer.status_code, inbox.exists()) == (status, status == 201)
    found = "region north: cleaning.keys.sales tells no stores apart (product_id, sold_on); wanted store_id in it"
    assert status == 201 or answer.json()["detail"].startswith(found)


def test_no_more_files_are_read_of_than_are_asked_for(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = [bring(client, f"{store};p1;2.1.2018;3;1").json() for store in (1, 2, 3)]
    read = []
    monkeypatch.setattr(uploads, "_as_row", lambda row: read.append(row["file"]) or uploads.UploadRow(**brought[2]))
    assert client.get("/v1/uploads?limit=1").json() == brought[2:]
    assert read == [brought[2]["file"]]


COLUMNS = ", ".join(f"{column}: shop" for column in REQUIRED["sales"])
PARQUET = f"{{format: parquet, files: sales-*.parquet, received: [shop], columns: {{{COLUMNS}}}}}"
NONE = [
    pytest.param("source.tables.sales.files=sales.csv", "sales are in sales.csv; wanted a pattern", id="one file"),
    pytest.param(f"source.tables.sales={PARQUET}", "sales cannot be judged here", id="another form"),
    pytest.param("source.path=s3a://shop/inbox", "sales are in s3a://shop/inbox; wanted a folder", id="in a store"),
    pytest.param(
        "source.tables.sales.files=s-*.csv.gz", "sales are in s-*.csv.gz, packed (gzip); wanted", id="by gzip"
    ),
    pytest.param("source.tables.sales.files=s-*.bz2*", "sales are in s-*.bz2*, packed (bz2); wanted", id="by bzip2"),
    pytest.param("source.tables.sales.files=null", "sales come in no files; wanted a folder of CSV files", id="none"),
]


@pytest.mark.parametrize(("change", "detail"), NONE)
def test_a_source_that_takes_no_further_files_says_so(
    lake: Path, tmp_path: Path, inbox: Path, change: str, detail: str
) -> None:
    with running(lake, tmp_path / "served", f"source={SOURCE % inbox}", change) as client:
        headers = token_of(client, add(client, "planner", "planner", "north"))
        answer = bring(client, "1;p1;2.1.2018;3;6,50", **headers)
        assert (answer.status_code, detail in answer.json()["detail"]) == (409, True)
