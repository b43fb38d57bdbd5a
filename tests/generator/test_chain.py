from pathlib import Path

import pytest

from shelfcast.errors import ConfigError
from shelfcast.generator.chain import Chain, load_chain

ROOT = Path(__file__).parents[2]
CHAINS = sorted((ROOT / "conf" / "chains").glob("*.yaml"))
TINY = (ROOT / "conf" / "chains" / "tiny.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", CHAINS, ids=lambda file: file.name)
def test_every_chain_of_the_project_loads_by_name_and_by_path(file: Path) -> None:
    assert load_chain(file.stem) == load_chain(file.name) == load_chain(str(file))
    assert load_chain(file.stem).name == file.stem


def test_rows_and_seed_replace_those_of_the_file(tiny: Chain) -> None:
    assert load_chain("tiny", rows=5000, seed=3) == tiny.model_copy(update={"rows": 5000, "seed": 3})


def test_an_unknown_chain_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="chain 'tinny': unknown; wanted a file, or one of bench, study, tiny"):
        load_chain("tinny")


@pytest.mark.parametrize(
    ("found", "instead", "wanted"),
    [
        pytest.param("vendors: 6", "vendor: 6", "vendor: unknown key (did you mean vendors?)", id="typo-in-a-key"),
        pytest.param("    too_long", "    too_lng", "dirt.sales.too_lng: unknown key", id="typo-in-a-kind-of-dirt"),
        pytest.param("assortment: 0.8", "assortment: 8", "assortment: found 8, wanted: less than 1", id="no-share"),
        pytest.param("smooth: {share: 0.2", "smooth: {share: 0.3", "the shares sum to 1.1, wanted 1", id="shares"),
        pytest.param("2015-11-02", "2015-11-03", "first_day: found Tuesday, wanted a Monday", id="half-a-week"),
    ],
)
def test_a_wrong_key_is_one_line_with_its_place(tmp_path: Path, found: str, instead: str, wanted: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TINY.replace(found, instead, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml") as error:
        load_chain(str(file))
    assert wanted in str(error.value)
    assert "\n" not in str(error.value)
