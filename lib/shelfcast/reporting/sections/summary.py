"""The headline numbers, and how the page was made."""

from collections.abc import Mapping

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Card, Cell, Column, Row, Section, Table
from shelfcast.reporting.data import Headline, Provenance, ReportData


def summary(data: ReportData) -> Section:
    headline = data.headline
    cards = [_transactions(headline), _places(headline), _champion(headline), _forecast(headline)]
    return Section("summary", "At a glance", lead=_verdict(headline), cards=cards)


def provenance(data: ReportData) -> Section:
    origin = data.provenance
    run = {"region": origin.region, "run": origin.run_id, "as of": formats.day(origin.as_of), **origin.versions}
    tables = {name: f"version {version}" for name, version in origin.tables.items()}
    blocks = [
        Block(
            layout="halves",
            tables=[
                _pairs("The run", "What", "Is", run),
                _pairs("Tables read, by their Delta version", "Table", "Version", tables),
            ],
        ),
        _settings(origin),
    ]
    lead = "The same inputs, settings and day give the same page, number for number."
    return Section("provenance", "How it was made", lead=lead, blocks=blocks)


def _settings(origin: Provenance) -> Block:
    if not origin.settings:
        return Block(title="Settings", empty="The run's settings were not recorded.")
    return Block(tables=[_pairs("Settings of the run", "Key", "Value", origin.settings, is_folded=True)])


def _pairs(caption: str, left: str, right: str, pairs: Mapping[str, str], is_folded: bool = False) -> Table:
    rows = [Row([Cell(name), Cell(value)]) for name, value in pairs.items()]
    return Table(caption, [Column(left, is_number=False), Column(right, is_number=False)], rows, is_folded=is_folded)


def _transactions(headline: Headline) -> Card:
    if headline.first_day is None or headline.last_day is None:
        return Card("Transactions", formats.count(headline.transactions))
    span = f"{formats.day(headline.first_day)} to {formats.day(headline.last_day)}"
    return Card("Transactions", formats.count(headline.transactions), span)


def _places(headline: Headline) -> Card:
    products = "" if headline.products is None else f"selling {formats.count(headline.products)} products"
    return Card("Stores", formats.count(headline.stores), products)


def _champion(headline: Headline) -> Card:
    context = f"WAPE of {formats.words(headline.champion)}" if headline.champion else "no model has been scored yet"
    return Card("Error of the champion", formats.share(headline.champion_wape), context)


def _forecast(headline: Headline) -> Card:
    if headline.forecast_series is None:
        return Card("Forecast series", formats.MISSING, "no forecast has been made yet")
    ahead = f"{formats.compact(headline.forecast_units)} units in the next {headline.horizon} weeks"
    return Card("Forecast series", formats.count(headline.forecast_series), ahead)


def _verdict(headline: Headline) -> str:
    if headline.champion is None or headline.champion_wape is None:
        return "No model has been scored yet."
    verdict = (
        f"The champion, {formats.words(headline.champion)}, errs by {formats.share(headline.champion_wape)} of demand "
        "over test weeks that it had not seen"
    )
    if headline.benchmark is None or headline.benchmark_wape is None:
        return f"{verdict}."
    gain = 1 - headline.champion_wape / headline.benchmark_wape
    than = formats.words(headline.benchmark)
    return (
        f"{verdict}: {formats.share(abs(gain), 0)} {'less' if gain >= 0 else 'more'} than {than}, the simple yardstick."
    )
