"""Each chain of conf/chains/ has a configuration that takes it through the flow."""

from datetime import timedelta
from pathlib import Path

import pytest

from shelfcast import config
from shelfcast.generator.chain import load_chain
from shelfcast.generator.files import LAYOUTS
from shelfcast.plan import make_plan

CONF = Path(__file__).parents[2] / "conf"
CHAINS = sorted(path.stem for path in (CONF / "chains").glob("*.yaml"))


@pytest.mark.parametrize("name", CHAINS)
def test_a_configuration_reads_the_chain_of_its_name(name: str) -> None:
    chain, settings = load_chain(name), config.load(CONF / f"{name}.yaml")
    last_day = chain.first_day + timedelta(days=chain.days - 1)
    assert (settings.region, settings.source.path) == (name, f"data/{name}")
    assert (settings.cleaning.first_day, settings.cleaning.last_day) == (chain.first_day, last_day)
    assert {pattern.removesuffix("-*.csv") for pattern in settings.source.files.values()} == {
        layout.name for layout in LAYOUTS
    }


@pytest.mark.parametrize("name", CHAINS)
def test_what_chooses_knows_no_week_that_it_is_scored_on(name: str) -> None:
    settings = config.load(CONF / f"{name}.yaml")
    # Raises where the outlier bounds know weeks that the backtest is judged on, or the first cutoff too few.
    plan = make_plan(settings, settings.cleaning.first_day, settings.cleaning.last_day)
    *_, earlier, last = plan.cutoffs
    assert earlier + plan.horizon <= last
    assert last + plan.horizon == len(plan.weeks) == load_chain(name).weeks
