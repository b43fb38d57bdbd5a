"""Which files are new, told from the ledger and from what is there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast import storage
from shelfcast.errors import SourceError
from shelfcast.sources.delta_tables import find_tables
from shelfcast.sources.files import Found, find_files
from shelfcast.sources.ledger import Intake, Line, fingerprint, plan, plan_anew


def file(name: str, content: str, modified: int = 1) -> Found:
    return Found(f"/inbox/{name}", len(content), modified, content=content)


def planned(known: Sequence[Line], found: Sequence[Found]) -> Intake:
    return plan("sales", known, found, lambda paths: {path: storage.content_hash(path) for path in paths})


def named(lines: Sequence[Line]) -> list[tuple[int, str, str]]:
    return [(line.delivery, line.file, line.content) for line in lines]


def test_the_first_files_are_one_delivery_and_the_next_ones_another() -> None:
    first = planned([], [file("a", "1"), file("b", "2")])
    assert named(first.new) == [(1, "a", "1"), (1, "b", "2")]
    second = planned(first.new, [file("a", "1"), file("c", "3")])
    assert named(second.new) == [(2, "c", "3")]
    assert second.delivery == 2
    assert {line.batch_id for line in first.new} != {line.batch_id for line in second.new}


def test_files_of_several_days_that_come_at_once_are_a_delivery_a_day() -> None:
    days = {"c": date(2017, 1, 2), "a": date(2017, 1, 9), "b": date(2017, 1, 2), "d": date(2017, 1, 4)}
    first = planned([], [file(name, name)._replace(delivered_on=day) for name, day in days.items()])
    assert [(line.delivery, line.file) for line in first.to_read] == [(1, "c"), (1, "b"), (2, "d"), (3, "a")]
    assert first.delivery == 3
    assert len({line.batch_id for line in first.new}) == 1
    assert named(planned(first.new, [file("e", "5")]).new) == [(4, "e", "5")]


def test_of_files_that_are_copies_the_one_of_the_earliest_day_is_read() -> None:
    days = {"a": date(2017, 1, 9), "b": date(2017, 1, 2)}
    lines = planned([], [file(name, "1")._replace(delivered_on=day) for name, day in days.items()]).new
    assert [(line.file, line.copy_of) for line in lines] == [("b", None), ("a", "b")]


def test_a_catalogue_that_returns_to_what_it_told_before_is_read() -> None:
    lines: tuple[Line, ...] = ()
    for name, content in (("may", "1"), ("june", "2"), ("july", "1")):
        lines += plan("products", lines, [file(name, content)], lambda _: {}).new
    assert [(line.file, line.copy_of) for line in lines] == [("may", None), ("june", None), ("july", None)]
    unread = replace(lines[-1], copy_of="may")
    assert named(plan("products", (*lines[:-1], unread), [file("july", "1")], lambda _: {}).new) == [(4, "july", "1")]
    anew = plan_anew(Intake((), lines), [file("may", "1"), file("june", "2"), file("july", "1")])
    assert [line.file for line in anew.to_read] == ["may", "june", "july"]


def test_a_file_that_changed_is_new_and_one_that_was_put_away_is_not_missed() -> None:
    first = planned([], [file("a", "1"), file("b", "2")])
    assert named(planned(first.new, [file("b", "22")]).new) == [(2, "b", "22")]
    assert planned(first.new, []).new == ()


def test_a_copy_is_told_of_and_not_read() -> None:
    first = planned([], [file("a", "1"), file("b", "1")])
    assert [(line.file, line.copy_of) for line in first.new] == [("a", None), ("b", "a")]
    assert [line.file for line in first.to_read] == ["a"]
    assert planned(first.new, [file("a", "1"), file("b", "1")]).new == ()


def test_a_copy_stands_for_what_was_read_of_a_file_that_has_changed_since() -> None:
    lines = planned([], [file("a", "1"), file("b", "1")]).new
    lines += planned(lines, [file("a", "2"), file("b", "1"), file("c", "1")]).new
    assert [(line.file, line.copy_of) for line in lines] == [("a", None), ("b", "a"), ("a", None), ("c", "a")]
    again = planned(lines, [file("a", "1")]).new
    assert [(line.file, line.copy_of) for line in again] == [("a", "a")]


def test_read_in_another_way_a_copy_of_what_is_not_there_any_more_is_read_itself() -> None:
    lines = planned([], [file("a", "1"), file("b", "1")]).new
    found = [file("a", "2"), file("b", "1")]
    anew = plan_anew(planned(lines, found), found)
    assert [(line.file, line.delivery) for line in anew.to_read] == [("b", 1), ("a", 2)]


def test_a_file_that_comes_back_as_it_once_was_is_new_again() -> None:
    lines = planned([], [file("a", "1")]).new
    lines += planned(lines, [file("a", "2")]).new
    assert named(planned(lines, [file("a", "1")]).new) == [(3, "a", "1")]


def test_a_file_of_the_same_size_and_time_is_not_read_for_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    lines = planned([], find_files(str(tmp_path), "a", "sales")).new
    about = path.stat()
    found = Found(str(tmp_path / "gone" / "a"), about.st_size, about.st_mtime_ns)
    assert planned(lines, [found]).new == ()
    path.write_text("two")
    assert [line.file for line in planned(lines, find_files(str(tmp_path), "a", "sales")).new] == ["a"]


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(SourceError, match="sales: two files of one name, /inbox/x/a and /inbox/y/a; wanted one each"):
        planned([], [file("x/a", "1"), file("y/a", "2")])


def test_read_in_another_way_the_deliveries_stay_what_they_were() -> None:
    first = planned([], [file("a", "1")])
    second = planned(first.new, [file("a", "1"), file("b", "2")])
    anew = plan_anew(second, [file("a", "1"), file("b", "2")])
    assert (anew.known, named(anew.new)) == ((), [(1, "a", "1"), (2, "b", "2")])
    assert [line.path for line in anew.new] == ["/inbox/a", "/inbox/b"]
    with pytest.raises(SourceError, match="sales: a came before and is not there now; wanted it again"):
        plan_anew(second, [file("b", "2")])


def test_what_is_told_whole_each_time_is_one_delivery_with_all_that_is_there() -> None:
    first = planned([], [file("a", "1"), file("b", "1")])
    found = [file("a", "2"), file("b", "1")]
    second = planned(first.new, found)
    assert (first.comes_again, second.comes_again) == (False, True)
    whole = plan_anew(second, found, as_one=True)
    assert (whole.known, named(whole.new)) == ((), [(2, "a", "2"), (2, "b", "1")])
    assert len({line.batch_id for line in whole.new}) == 1
    with pytest.raises(
        SourceError, match=r"sales: b came before and is not there now; .* one of the tables has changed"
    ):
        plan_anew(planned(first.new, found[:1]), found[:1], as_one=True)


def test_a_delivery_that_raw_has_and_no_line_tells_of_is_not_taken_for_the_next_one() -> None:
    (line,) = plan("sales", [], [file("a", "1")], lambda _: {}, newest_in_raw=2).new
    assert line.delivery == 3


@pytest.mark.parametrize("find", [find_files, find_tables], ids=["files", "delta-tables"])
def test_a_folder_that_is_away_is_not_one_without_news(tmp_path: Path, find: Callable[..., list[Found]]) -> None:
    assert find(str(tmp_path), "*.csv", "sales", is_needed=False) == []
    with pytest.raises(SourceError, match=r"/inbox: no such folder; wanted the one with the source's files"):
        find(str(tmp_path / "inbox"), "*.csv", "sales", is_needed=False)


def test_what_is_hidden_or_not_yet_whole_is_no_delivery(tmp_path: Path) -> None:
    for name in ("sales.csv", ".sales.csv", ".upload-1.csv.part", ".sales.csv.swp", "sales-2.csv._COPYING_"):
        (tmp_path / name).touch()
    (tmp_path / ".csv").mkdir()
    for folder in (str(tmp_path), tmp_path.as_uri()):
        assert [file.name for file in find_files(folder, "*.csv*", "sales")] == ["sales.csv"]


def test_a_file_of_whose_name_spark_reads_nothing_is_refused(tmp_path: Path) -> None:
    for name in ("sales.csv", "_sales.csv"):
        (tmp_path / name).touch()
    with pytest.raises(SourceError, match=r"/_sales\.csv: a name of which Spark reads nothing; wanted one that begins"):
        find_files(str(tmp_path), "*.csv", "sales")


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("12345"), max_size=3), max_size=8))
def test_whatever_comes_each_content_is_taken_in_where_it_is_new_and_a_second_look_finds_nothing(
    runs: list[dict[str, str]],
) -> None:
    lines: tuple[Line, ...] = ()
    for files in runs:
        found = [file(name, content) for name, content in files.items()]
        lines += planned(lines, found).new
        assert planned(lines, found).new == ()
        newest = {line.file: line.content for line in lines}
        assert files.items() <= newest.items()
    assert len({(line.delivery, line.file) for line in lines}) == len(lines)


def test_a_fingerprint_tells_names_contents_and_deliveries_apart_and_not_where_the_files_lie() -> None:
    (line,) = planned([], [file("a", "1")]).new
    assert fingerprint([replace(line, path="/elsewhere/a", modified=7)]) == fingerprint([line])
    others = [replace(line, **change) for change in ({"file": "b"}, {"content": "2"}, {"delivery": 2})]
    assert len({fingerprint([each]) for each in (line, *others)}) == 4
