"""The page: sections in order, through the templates, into one string that needs nothing else to be shown."""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Section
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections import (
    alerts,
    demand,
    errors,
    forecast,
    insights,
    leaderboard,
    orders,
    quality,
    study,
    summary,
    tuning,
)

_TEMPLATES = files("shelfcast.reporting") / "templates"


def render(data: ReportData) -> str:
    """The report as one HTML page: no request leaves it, and the same data make the same page."""
    return _template("page.html").render(
        sections=_sections(data),
        region=formats.words(data.provenance.region).title(),
        as_of=formats.day(data.provenance.as_of),
        run_id=data.provenance.run_id,
        style=Markup(_read("style.css")),
        script=Markup(_script()),
    )


def render_blocks(blocks: Sequence[Block]) -> str:
    """Parts of the report as a page of their own."""
    return _template("blocks.html").render(blocks=blocks, style=Markup(_read("style.css")), script=Markup(_script()))


def render_index(regions: Sequence[str]) -> str:
    """The page that leads to each region's, which lies in a folder of the region's name; of one region at once."""
    named = {region: formats.words(region).title() for region in regions}
    return _template("index.html").render(regions=named, style=Markup(_read("style.css")))


def _template(name: str) -> Template:
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def _sections(data: ReportData) -> list[Section]:
    return [
        summary.summary(data),
        *insights.insights(data),
        quality.quality(data),
        alerts.alerts(data),
        demand.demand(data),
        demand.classes(data),
        leaderboard.leaderboard(data),
        errors.errors(data),
        *tuning.tuning(data),
        forecast.calibration(data),
        forecast.forecasts(data),
        *orders.plan(data),
        *orders.replayed(data),
        study.study(data),
        summary.provenance(data),
    ]


def _script() -> str:
    return "".join(map(_read, ("charts.js", "tables.js", "script.js")))


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
