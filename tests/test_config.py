import re
from pathlib import Path

import pytest

from shelfcast import config
from shelfcast.errors import ConfigError

ROOT = Path(__file__).parents[1]
GOOD = (ROOT / "conf" / "complete_journey.yaml").read_text(encoding="utf-8")


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        file = tmp_path / "region.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize("file", sorted((ROOT / "conf").glob("*.yaml")), ids=lambda file: file.name)
def test_every_configuration_of_the_project_loads(file: Path) -> None:
    assert config.load(file).region


@pytest.mark.parametrize("file", sorted((ROOT / "conf").glob("*.yaml")), ids=lambda file: file.name)
def test_every_region_of_the_project_can_be_adjusted_and_decided_on(file: Path) -> None:
    """Each in files of its own, which the jobs read and the API writes."""
    found = config.load(file)
    assert (found.adjustments, found.inventory.decisions) == (
        f"adjustments/{file.stem}.yaml", f"decisions/{file.stem}",
    )  # fmt: skip


@pytest.mark.parametrize("key", ["adjustments", "monitoring.alerts_file"])
def test_a_file_that_is_written_in_its_place_is_of_this_machine(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key}: found 's3://bucket/a.yaml', wanted: a file of this machine"):
        config.load(ROOT / "conf" / "tiny.yaml", [f"{key}=s3://bucket/a.yaml"])


@pytest.mark.parametrize(
    ("found", "instead", "wanted"),
    [
        pytest.param(
            "horizon: 8",
            "horizen: 8",
            "backtest.horizen: unknown key (did you mean horizon?)",
            id="typo-in-a-key",
        ),
        pytest.param("  horizon: 8\n", "", "backtest.horizon: missing key", id="missing-key"),
        pytest.param(
            "horizon: 8",
            "horizon: soon",
            "backtest.horizon: found 'soon', wanted: a valid integer",
            id="wrong-type",
        ),
        pytest.param(
            "origins: 3",
            "origins: 2",
            "backtest.origins: found 2, wanted: greater than or equal to 3",
            id="too-few-cutoffs",
        ),
        pytest.param(
            "ounce: weight",
            "ounce: heavy",
            "cleaning.ounce: found 'heavy', wanted: 'weight' or 'fluid'",
            id="not-a-choice",
        ),
        pytest.param(
            "region: complete_journey",
            "region:",
            "region: found nothing, wanted: a valid string",
            id="a-key-without-a-value",
        ),
        pytest.param(
            "products: [product_id]",
            "products: [product_id, brand]",
            "products: [product_id], or no key of theirs",
            id="a-key-by-which-a-product-would-be-there-twice",
        ),
        pytest.param(
            "region: complete_journey",
            "region: Two Words",
            "region: found 'Two Words', wanted: a name of small letters, digits and underscores",
            id="region-is-no-path",
        ),
    ],
)  # fmt: skip
def test_a_wrong_key_is_one_line_with_its_place(written, found: str, instead: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.load(written(GOOD.replace(found, instead, 1)))
    assert wanted in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        pytest.param("tuning.trails=3", "tuning.trails: unknown key (did you mean trials?)", id="typo-in-a-key"),
        pytest.param("tuning.space.momentum=1", "tuning.space.momentum: unknown key", id="not-a-parameter"),
        pytest.param("tuning.space.units={low: 9, high: 8}", "low at most as large as high", id="bounds-the-other-way"),
        pytest.param("tuning.space.units={low: 0, high: 8}", "tuning.space.units.low: found 0", id="no-logarithm"),
        pytest.param("tuning.grid.dropout=[]", "tuning.grid.dropout: found []", id="a-grid-without-a-point"),
        pytest.param("tuning.method=random", "tuning.method: found 'random', wanted: 'tpe' or 'grid'", id="no-method"),
    ],
)
def test_a_search_that_cannot_be_is_refused(written, change: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.load(written(GOOD), [change])
    assert wanted in str(error.value)
    assert "\n" not in str(error.value)


def test_the_error_names_the_line(written) -> None:
    line = GOOD[: GOOD.index("horizon: 8")].count("\n") + 1
    with pytest.raises(ConfigError, match=rf"region\.yaml:{line}: backtest\.horizon"):
        config.load(written(GOOD.replace("horizon: 8", "horizon: soon")))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("a: 1\na: 2\n", "key 'a' is given twice", id="a-key-given-twice-does-not-win-in-silence"),
        pytest.param("a: [1\n", "not valid YAML", id="broken-yaml"),
        pytest.param("- a\n", "found list, wanted a mapping", id="not-a-mapping"),
        pytest.param("", "found nothing, wanted a mapping", id="empty-file"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(written, text: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=r"region\.yaml") as error:
        config.load(written(text))
    assert wanted in str(error.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("horizon: soon\n", r"part\.yaml:1: backtest\.horizon: found 'soon'", id="a-wrong-value"),
        pytest.param("origins: 3\nhorizen: 4\n", r"part\.yaml:2: backtest\.horizen: unknown key", id="a-typo"),
        pytest.param("horizon: [\n", r"part\.yaml:2: not valid YAML", id="broken-yaml"),
        pytest.param("reference: !include part.yaml\n", r"part\.yaml:1: not valid YAML: could not det", id="a-circle"),
    ],
)
def test_what_is_wrong_in_an_included_file_is_named_by_its_place_there(written, text: str, wanted: str) -> None:
    start, end = GOOD.index("\nbacktest:"), GOOD.index("\ntraining:")
    file = written(f"{GOOD[:start]}\nbacktest: !include part.yaml{GOOD[end:]}")
    (file.parent / "part.yaml").write_text(text)
    with pytest.raises(ConfigError, match=wanted):
        config.load(file)


def test_a_file_that_is_included_is_as_if_it_stood_there(written) -> None:
    start, end = GOOD.index("\nbacktest:\n") + len("\nbacktest:\n"), GOOD.index("\ntraining:")
    file = written(f"{GOOD[:start].rstrip()} !include part.yaml{GOOD[end:]}")
    (file.parent / "part.yaml").write_text(GOOD[start:end])
    assert config.load(file, ["backtest.horizon=4"]) == config.load(written(GOOD), ["backtest.horizon=4"])


def test_a_missing_include_is_named_with_the_line_that_wants_it(written) -> None:
    line = GOOD[: GOOD.index("runtime:")].count("\n") + 2
    text = GOOD[: GOOD.index("runtime:")] + "\nruntime: !include nowhere.yaml\n"
    with pytest.raises(
        ConfigError, match=rf"region\.yaml:{line}: !include nowhere\.yaml: .*nowhere\.yaml is not there"
    ):
        config.load(written(text))


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        pytest.param("country", "XX", "found 'XX', wanted: a country whose holidays are known", id="country"),
        pytest.param("backtest.product_models", "[zero, navie]", "found 'navie', wanted: one of zero,", id="model"),
        pytest.param("backtest.slow_models", "[navie]", "found 'navie', wanted: one of zero, naive", id="slow-model"),
        pytest.param("backtest.horizont", "4", r"unknown key \(did you mean horizon\?\)", id="typo"),
        pytest.param("cleaning.last_day", "2011-01-01", r"wanted: first_day, 2016-12-26, or later", id="days"),
    ],
)
def test_what_is_set_wrongly_is_named_by_the_change_that_set_it(written, key: str, value: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=rf"^--set {key}={re.escape(value)}: {key}[.\d]*: .*{wanted}"):
        config.load(written(GOOD), ["lake=elsewhere", f"{key}={value}"])


def test_what_is_wrong_in_the_file_is_named_by_its_line_whatever_is_set(written) -> None:
    text = GOOD.replace("country: US", "country: XX")
    line = text[: text.index("country:")].count("\n") + 1
    with pytest.raises(ConfigError, match=rf"region\.yaml:{line}: country: found 'XX'"):
        config.load(written(text), ["lake=elsewhere"])


@pytest.mark.parametrize(
    ("rule", "unlike"),
    [
        ("{name: a, table: nope, severity: count, required: [day]}", "unlike a of nope"),
        ("{name: a, table: sales, severity: count, reference: {column: store_id, table: nope}}", "unlike a of nope"),
    ],
)
def test_a_contract_is_of_tables_that_the_source_has(written, rule: str, unlike: str) -> None:
    file = written(f"{GOOD}\ncontracts:\n  - {rule}\n")
    with pytest.raises(ConfigError, match=rf"region\.yaml:\d+: contracts: .*rules of sales, products.*, {unlike}"):
        config.load(file)


def test_a_wrong_rule_of_many_is_named_by_its_own_line(written) -> None:
    text = f"{GOOD}\ncontracts:\n  - {{name: a, table: sales, severity: count, required: [store_id]}}\n"
    line = text.count("\n") + 1
    with pytest.raises(ConfigError, match=rf"region\.yaml:{line}: contracts\.1\.severity: found 'grave'"):
        config.load(written(f"{text}  - {{name: b, table: sales, severity: grave, required: [store_id]}}\n"))


def test_a_day_that_is_none_is_named_with_its_line_wherever_it_is_set(written, tmp_path: Path) -> None:
    line = GOOD[: GOOD.index("learn_until:")].count("\n") + 1
    wanted = "found 2016-13-02, wanted a day of the calendar"
    file = written(GOOD.replace("learn_until: 2017-07-16", "learn_until: 2016-13-02"))
    with pytest.raises(ConfigError, match=rf"region\.yaml:{line}: not valid YAML: {wanted}"):
        config.load(file)
    with pytest.raises(ConfigError, match=rf"--set as_of=2016-13-02: .*{wanted}"):
        config.load(written(GOOD), ["as_of=2016-13-02"])
    adjustments = tmp_path / "adjustments.yaml"
    adjustments.write_text("inventory.lead_days: 2016-13-02")
    with pytest.raises(ConfigError, match=rf"adjustments\.yaml: .*{wanted}"):
        config.load(written(GOOD), [f"adjustments={adjustments}"])


def test_a_file_with_a_character_that_no_text_has_is_named(written) -> None:
    with pytest.raises(ConfigError, match=r"region\.yaml:1: not valid YAML: special characters are not allowed"):
        config.load(written("lake: \0"))


def test_a_source_that_goes_on_has_no_last_day(written) -> None:
    assert config.load(written(GOOD.replace("  last_day: 2017-12-31\n", ""))).cleaning.last_day is None


def test_a_last_day_before_the_first_is_named(written) -> None:
    line = GOOD[: GOOD.index("last_day:")].count("\n") + 1
    wanted = rf"region\.yaml:{line}: cleaning\.last_day: found 2017-12-31, wanted: first_day, 2018-02-03, or later"
    with pytest.raises(ConfigError, match=wanted):
        config.load(written(GOOD.replace("first_day: 2016-12-26", "first_day: 2018-02-03")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read \(No such file or directory\)"):
        config.load(tmp_path / "nowhere.yaml")


def test_set_changes_one_key_and_leaves_the_others(written) -> None:
    plain, changed = (config.load(written(GOOD), changes) for changes in ([], ["backtest.horizon=4", "lake=elsewhere"]))
    assert changed.backtest.horizon == 4
    assert changed.lake == "elsewhere"
    assert changed.cleaning == plain.cleaning


@pytest.mark.parametrize("change", ["horizon", "=4", "lake.deep=1"])
def test_set_without_a_key_and_a_value_is_refused(written, change: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        config.load(written(GOOD), [change])


@pytest.mark.parametrize(
    ("lake", "root"),
    [("s3a://bucket/lake", "s3a://bucket/lake"), ("lake", str(Path.cwd() / "lake")), ("/data/lake", "/data/lake")],
)
def test_a_path_is_made_absolute_and_a_uri_stays(written, lake: str, root: str) -> None:
    assert config.load(written(GOOD), [f"lake={lake}"]).lake_root == root


@pytest.mark.parametrize(
    ("adjustments", "wanted"),
    [
        pytest.param("inventory.lead_days: soon", "inventory.lead_days: found 'soon'", id="a value that is none"),
        pytest.param("inventory.decisions: x", "found inventory.decisions; wanted keys", id="no planner's key"),
        pytest.param("- 1", "found list; wanted keys", id="no keys"),
        pytest.param("a: [", "not valid YAML", id="no YAML"),
    ],
)
def test_a_file_of_adjustments_that_is_none_is_named(tmp_path: Path, adjustments: str, wanted: str) -> None:
    file = tmp_path / "adjustments.yaml"
    file.write_text(adjustments, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        config.load(ROOT / "conf" / "tiny.yaml", [f"adjustments={file}"])
    assert wanted in str(error.value)
    assert str(file) in str(error.value)
