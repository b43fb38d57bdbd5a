"""SVG elements, scales and axes. Every text that enters an element is escaped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10

from markupsafe import Markup, escape

WIDE, HALF, NARROW = 1040, 500, 340
Attribute = str | float | None
Draw = Callable[[int], Markup]


def tag(name: str, *children: str | Markup, **attributes: Attribute) -> Markup:
    """An element. Attribute names lose a trailing underscore and get hyphens; None leaves one out; floats round."""
    # Escaped by hand: Markup.format does the same and takes most of a chart's time.
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{Markup('').join(children)}</{name}>")


def group(*children: Markup, **attributes: Attribute) -> Markup:
    return tag("g", *children, **attributes)


def text(content: str, x: float, y: float, **attributes: Attribute) -> Markup:
    return tag("text", escape(content), x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str, closed: bool = False) -> Markup:
    """A polyline through the points; an area if `closed`."""
    steps = " ".join(f"{'M' if i == 0 else 'L'}{_value(x)} {_value(y)}" for i, (x, y) in enumerate(points))
    return tag("path", d=steps + ("Z" if closed else ""), class_=class_)


def both_widths(draw: Draw, wide: int) -> Markup:
    """The chart drawn for a screen and for a phone; the style sheet shows one of the two."""
    return Markup('<div class="only-wide">{}</div><div class="only-narrow">{}</div>').format(draw(wide), draw(NARROW))


@dataclass(frozen=True)
class Canvas:
    """A drawing of `width` x `height` with room around the plot for its axes."""

    width: float
    height: float
    left: float = 52
    right: float = 16
    top: float = 14
    bottom: float = 28

    @property
    def x_range(self) -> tuple[float, float]:
        return self.left, self.width - self.right

    @property
    def y_range(self) -> tuple[float, float]:
        """From the bottom up: small values are low."""
        return self.height - self.bottom, self.top

    def draw(self, label: str, *marks: Markup) -> Markup:
        """The SVG; `label` says in words what it shows."""
        box = f"0 0 {_value(self.width)} {_value(self.height)}"
        return tag("svg", *marks, viewBox=box, role="img", aria_label=label, preserveAspectRatio="xMidYMid meet")


@dataclass(frozen=True)
class Scale:
    """A straight map of `domain` onto `range`; of its logarithm if `log`."""

    domain: tuple[float, float]
    range: tuple[float, float]
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (log10(v) if self.log else v for v in (*self.domain, value))
        start, end = self.range
        return start + (end - start) * ((at - low) / (high - low) if high > low else 0.5)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, from `low` or above to the first at `high` or beyond it."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    power = 10 ** floor(log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """The powers of ten within the domain."""
    return [10.0**power for power in range(ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9) + 1)]


def y_axis(canvas: Canvas, y: Scale, at: Sequence[float], label: Callable[[float], str]) -> Markup:
    """Grid lines with their values on the left."""
    left, right = canvas.x_range
    rows = [
        group(
            line(left, y(v), right, y(v), "grid"), text(label(v), left - 8, y(v) + 4, class_="tick", text_anchor="end")
        )
        for v in at
    ]
    return group(*rows, aria_hidden="true")


def x_axis(canvas: Canvas, x: Scale, at: Sequence[float], label: Callable[[float], str]) -> Markup:
    """Values under the plot."""
    baseline = canvas.height - canvas.bottom
    labels = [text(label(v), x(v), baseline + 18, class_="tick", text_anchor="middle") for v in at]
    return group(
        line(canvas.left, baseline, canvas.width - canvas.right, baseline, "axis"), *labels, aria_hidden="true"
    )


def month_axis(canvas: Canvas, x: Scale, first: date, last: date) -> Markup:
    """The months that begin between two days, thinned to what fits; January carries the year."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    # a first week that begins within a month's first days stands for the month
    months = [day for day in days if day.day == 1 or (day == first and day.day <= 7)]
    room = max(1, int((canvas.width - canvas.left - canvas.right) // 56))
    shown = months[:: max(1, ceil(len(months) / room))]
    names = {month.toordinal(): f"{month:%b %Y}" if not i or month.month == 1 else f"{month:%b}"
             for i, month in enumerate(shown)}  # fmt: skip
    return x_axis(canvas, x, list(names), lambda at: names[int(at)])


def _value(value: Attribute) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
