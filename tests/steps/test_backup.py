"""A lake copied, lost, and made again from the copy."""

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import backups, config, storage
from shelfcast.errors import LakeError, TransientError
from shelfcast.job import Job, Run
from shelfcast.lease import Lease
from shelfcast.runner import Runner
from shelfcast.steps.backup import backup
from shelfcast.steps.migrate import migrate
from shelfcast.steps.restore import restore
from shelfcast.table import Table

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
SALES, PLAN = (Table(name, "region string, number int", key=("region",)) for name in ("clean/sales", "inventory/plan"))
PAGE = "reports/north/index.html"


def put(table: Table):
    def work(run: Run) -> None:
        number = run.config.backtest.horizon
        run.write(table, run.spark.createDataFrame([(run.config.region, number)], table.schema))

    return work


JOBS = (
    Job("clean", (), (SALES,), ("backtest",), put(SALES), dated=False),
    Job("plan", (SALES,), (PLAN,), (), put(PLAN), dated=False),
)


class Site:
    """A lake whose jobs run with a horizon, and a place for its copy."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.root, self.copy = spark, folder / "lake", folder / "copy"
        self.ran(4)

    def runner(self, horizon: int = 4) -> Runner:
        changes = [f"lake={self.root}", "region=north", f"backtest.horizon={horizon}"]
        return Runner(self.spark, config.load(CONFIG, changes))

    def ran(self, horizon: int) -> list[bool]:
        return [self.runner(horizon).run(job) for job in JOBS]

    def number_at(self, version: int) -> int:
        return int(self.runner().lake.read(PLAN, "north", version).collect()[0]["number"])


@pytest.fixture
def site(spark: SparkSession, tmp_path: Path) -> Site:
    return Site(spark, tmp_path)


def test_a_restored_lake_is_that_of_the_backup_with_its_versions_and_nothing_to_do(site: Site) -> None:
    site.ran(5)
    hashes = [site.runner().lake.content_hash(table, "north") for table in (SALES, PLAN)]
    backup(site.runner(), str(site.copy))
    site.ran(6)
    shutil.rmtree(site.root)
    restore(site.runner(), str(site.copy))
    assert [site.runner().lake.content_hash(table, "north") for table in (SALES, PLAN)] == hashes
    assert [site.number_at(version) for version in (0, 1)] == [4, 5]
    assert site.ran(5) == [False, False]
    assert site.ran(7) == [True, True]


def test_a_second_backup_copies_what_is_new_and_drops_what_is_gone(site: Site) -> None:
    site.runner().lake.write_text("reports/old.html", "page")
    backup(site.runner(), str(site.copy))
    untouched = {path: path.stat().st_mtime_ns for path in site.copy.rglob("*.parquet")}
    site.ran(5)
    site.runner().lake.remove("reports")
    backup(site.runner(), str(site.copy))
    assert {path: path.stat().st_mtime_ns for path in untouched} == untouched
    assert len([*site.copy.rglob("*.parquet")]) == 2 * len(untouched)
    assert not (site.copy / "reports" / "old.html").exists()


def test_a_second_backup_copies_no_commit_and_no_model_again(site: Site) -> None:
    site.runner().lake.write_text("models/mlp.keras", "fitted")
    backup(site.runner(), str(site.copy))
    assert backups.back_up(site.spark, str(site.root), str(site.copy)).new == 0
    site.ran(5)
    untouched = {path: path.stat().st_mtime_ns for path in site.copy.rglob("[a-z0-9]*.*")}
    backup(site.runner(), str(site.copy))
    assert {path.suffix for path in untouched} >= {".json", ".keras", ".parquet"}
    assert {path: path.stat().st_mtime_ns for path in untouched} == untouched


def test_a_commit_of_the_same_number_and_size_is_copied_where_another_one_took_its_place(site: Site) -> None:
    """As in a lake that was restored from another copy and went on from there."""
    backup(site.runner(), str(site.copy))
    commit = site.root / SALES.name / "_delta_log" / "00000000000000000000.json"
    other = commit.read_text().replace("clean", "CLEAN")
    commit.write_text(other)
    backup(site.runner(), str(site.copy))
    shutil.rmtree(site.root)
    restore(site.runner(), str(site.copy))
    assert commit.read_text() == other


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_copy_is_that_of_before_until_the_next_one_is_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.runner().lake.write_text(PAGE, "four")
    backup(site.runner(), str(site.copy))
    site.ran(5)
    site.runner().lake.write_text(PAGE, "five")
    with monkeypatch.context() as context:
        context.setattr(backups, "_list", killed)
        with pytest.raises(KeyboardInterrupt):
            backup(site.runner(), str(site.copy))
    shutil.rmtree(site.root)
    restore(site.runner(), str(site.copy))
    assert site.runner().lake.read_text(PAGE) == "four"
    assert site.ran(4) == [False, False]


def test_files_that_workers_put_on_disks_of_their_own_are_no_copy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    backup(site.runner(), str(site.copy))
    site.ran(5)
    copy = backups._copy
    with monkeypatch.context() as context:
        context.setattr(backups, "_copy", lambda spark, pairs: copy(spark, dict([*pairs.items()][1:])))
        with pytest.raises(LakeError, match=rf"^{site.copy}: 1 of \d+ files are not there, such as .+; wanted a place"):
            backup(site.runner(), str(site.copy))
    shutil.rmtree(site.root)
    restore(site.runner(), str(site.copy))
    assert site.ran(4) == [False, False]


def test_what_changes_under_its_name_is_restored_as_it_was_last(site: Site) -> None:
    for text in ("one", "two", "six"):
        site.runner().lake.write_text(PAGE, text)
        backup(site.runner(), str(site.copy))
    assert len([*site.copy.glob(f"{PAGE}*")]) == 1
    shutil.rmtree(site.root)
    restore(site.runner(), str(site.copy))
    assert site.runner().lake.read_text(PAGE) == "six"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda copy: (copy / "_backup").unlink(), id="the-copying-was-killed"),
        pytest.param(lambda copy: next(copy.rglob("*.parquet")).unlink(), id="a-file-is-gone"),
        pytest.param(lambda copy: next(copy.rglob("*.parquet")).write_bytes(b"PAR1"), id="a-file-is-cut-short"),
    ],
)
def test_a_copy_that_is_not_whole_is_not_restored(site: Site, damage) -> None:
    backup(site.runner(), str(site.copy))
    damage(site.copy)
    shutil.rmtree(site.root)
    with pytest.raises(LakeError, match="wanted a whole backup"):
        restore(site.runner(), str(site.copy))
    assert not [*site.root.glob("[a-z]*")]


def test_a_backup_that_was_killed_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    backup(site.runner(), str(site.copy))
    site.ran(5)
    with monkeypatch.context() as context:
        context.setattr(backups, "_copy", killed)
        with pytest.raises(KeyboardInterrupt):
            backup(site.runner(), str(site.copy))
    backup(site.runner(), str(site.copy))
    shutil.rmtree(site.root)
    restore(site.runner(), str(site.copy))
    assert site.number_at(1) == 5


def test_a_restoring_that_was_killed_goes_on_and_no_job_takes_its_half_for_a_lake(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(site.runner(), str(site.copy))
    shutil.rmtree(site.root)
    copy = storage.copy

    def killed_at_a_plan(source: str, target: str) -> None:
        if "inventory/plan" in target:
            raise KeyboardInterrupt
        copy(source, target)

    with monkeypatch.context() as context:
        context.setattr(backups, "_copy", lambda _, pairs: [killed_at_a_plan(*pair) for pair in pairs.items()])
        with pytest.raises(KeyboardInterrupt):
            restore(site.runner(), str(site.copy))
    assert (site.root / SALES.name).exists()
    for deed in (lambda: site.ran(4), lambda: migrate(site.runner())):
        with pytest.raises(LakeError, match=rf"^lake {site.root}: half restored; wanted `shelfcast restore` done"):
            deed()
    restore(site.runner(), str(site.copy))
    assert site.ran(4) == [False, False]


def test_what_another_copy_has_half_restored_goes(site: Site) -> None:
    backup(site.runner(), str(site.copy))
    (site.root / "_restoring").touch()
    (site.root / SALES.name / "part-of-another.parquet").touch()
    restore(site.runner(), str(site.copy))
    assert not (site.root / SALES.name / "part-of-another.parquet").exists()
    assert site.ran(4) == [False, False]


def test_a_lake_with_files_is_not_restored_into(site: Site) -> None:
    backup(site.runner(), str(site.copy))
    with pytest.raises(LakeError, match="has files; wanted an empty folder to restore"):
        restore(site.runner(), str(site.copy))


def test_a_folder_of_something_else_is_not_made_a_backup(site: Site) -> None:
    site.copy.mkdir()
    (site.copy / "thesis.txt").write_text("mine")
    with pytest.raises(LakeError, match="found files that are no backup"):
        backup(site.runner(), str(site.copy))
    assert (site.copy / "thesis.txt").read_text() == "mine"


def test_a_lake_is_not_copied_into_itself(site: Site) -> None:
    place = site.root / "copy"
    with pytest.raises(LakeError, match=f"^{place}: lies in the lake {site.root}, or the lake in it; wanted a place"):
        backup(site.runner(), str(place))
    assert not place.exists()


def test_nothing_is_copied_while_any_region_is_at_work(site: Site) -> None:
    site.runner().lake.replace(SALES, site.spark.createDataFrame([("south", 1)], SALES.schema), {"region": "south"},
                               {"run_key": "1"})  # fmt: skip
    with Lease(site.runner().lake, "south"), pytest.raises(TransientError, match="region south: process"):
        backup(site.runner(), str(site.copy))
    assert not site.copy.exists()
