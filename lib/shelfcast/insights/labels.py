"""A segment's name: what sets it apart from the other segments, in words, and what that asks of a manager."""

from collections.abc import Mapping, Sequence

# feature -> what much of it is called, and what little of it
_WORDS = {
    "product": {
        "level": ("fast", "slow"),
        "cv2": ("erratic", "steady"),
        "adi": ("sold now and then", "sold most weeks"),
        "price": ("dear", "cheap"),
        "trend": ("growing", "falling"),
        "season": ("seasonal", "without a season"),
        "discounted": ("often discounted", "hardly discounted"),
        "breadth": ("in many stores", "in few stores"),
    },
    "store": {
        "level": ("large", "small"),
        "cv2": ("erratic", "steady"),
        "adi": ("selling now and then", "selling every week"),
        "price": ("dear goods", "cheap goods"),
        "trend": ("growing", "falling"),
        "season": ("seasonal", "without a season"),
        "discounted": ("many discounts", "few discounts"),
        "breadth": ("wide range", "narrow range"),
    },
}
_ADVICE = {
    "fast": "see that they never run out",
    "slow": "order them late and little",
    "erratic": "let the simulated quantiles set their stock, not the average",
    "steady": "let the plan order them unseen",
    "sold now and then": "order them on demand rather than for stock",
    "sold most weeks": "order them every week",
    "dear": "look at each of their orders for the money in it",
    "cheap": "order them in larger lots",
    "growing": "raise their stock with them",
    "falling": "let their stock run down",
    "seasonal": "order ahead of their season",
    "without a season": "keep the same stock through the year",
    "often discounted": "plan their orders with the discounts",
    "hardly discounted": "try a discount before delisting any",
    "in many stores": "move them between stores before you order",
    "in few stores": "see whether other stores would sell them",
    "large": "plan these first",
    "small": "order for these less often",
    "selling now and then": "ask whether they are open every week",
    "selling every week": "deliver to these every week",
    "dear goods": "count their stock most often",
    "cheap goods": "send them full loads",
    "many discounts": "tell their orders of the discounts ahead",
    "few discounts": "try there what discounts bring elsewhere",
    "wide range": "look there first for products to delist",
    "narrow range": "see what the wider stores sell beside it",
}
# Of a standard deviation; nearer to the mean nothing is set apart.
_APART = 0.4
_MOST_WORDS = 3
PLAIN = "like the average"


def name_segments(kind: str, centres: Sequence[Mapping[str, float]]) -> list[str]:
    """A name for each segment, no two the same: the words of the features by which its centre, in standard deviations,
    is farthest from the mean; more words where two would be called alike, and in the end a number.

    >>> name_segments("product", [{"level": 1.2, "cv2": -0.9}, {"level": -1.0, "cv2": 0.1}])
    ['fast, steady', 'slow']
    """
    names = [", ".join(words[:_MOST_WORDS]) or PLAIN for words in (_apart(kind, centre) for centre in centres)]
    longer = [", ".join(_apart(kind, centre)) or PLAIN for centre in centres]
    names = [long if names.count(name) > 1 else name for name, long in zip(names, longer, strict=True)]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: at + 1].count(name)})" for at, name in enumerate(names)
    ]


def advice(label: str) -> str:
    """What the first words of a segment's name ask for; nothing special where it is like the average."""
    return _ADVICE.get(label.split(" (")[0].split(", ")[0], "plan them as the average")


def _apart(kind: str, centre: Mapping[str, float]) -> list[str]:
    farthest = sorted(centre, key=lambda name: (-abs(centre[name]), name))
    return [_WORDS[kind][name][centre[name] < 0] for name in farthest if abs(centre[name]) >= _APART]
