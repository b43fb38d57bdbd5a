from pathlib import Path

import pytest
import yaml

from shelfcast.reference import reference

ROOT = Path(__file__).parents[1]


def rows_of(place: str) -> dict[str, list[str]]:
    """key -> its kind and its default, of a section of the page."""
    section = f"\n{reference()}".partition(f"\n## `{place}`\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")
    ]
    return {key.strip("`"): told for key, *told in cells}


def test_the_page_in_the_documentation_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "SETTINGS.md").read_text() == reference(), "wanted: make reference"


@pytest.mark.parametrize(
    ("place", "key", "kind", "default"),
    [
        ("inventory", "review_days", "whole number at least 1 and at most 28", ""),
        ("inventory", "fill_rate", "number above 0 and below 1 or nothing", "none"),
        ("inventory", "targets", "mapping of names to section", ""),
        ("inventory.targets.*", "kind", "`cycle_service`, `fill_rate`", ""),
        ("networks", "kinds", "list of `mlp`, `lstm`", "`[mlp]`"),
        ("networks", "calendar", "true or false", "`false`"),
        ("cleaning", "last_day", "day or nothing", "none"),
        ("serving", "limits", "section", "of its keys"),
        ("serving.limits", "threads", "whole number at least 1", "`1`"),
    ],
)
def test_a_key_is_told_by_its_kind_its_bounds_and_its_default(place: str, key: str, kind: str, default: str) -> None:
    assert rows_of(place)[key] == [kind, default]


def test_what_a_section_says_of_its_keys_stands_above_them() -> None:
    assert "lead_days: of vendors that no purchase tells of." in " ".join(reference().split())


@pytest.mark.parametrize("path", sorted((ROOT / "conf").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_section_that_a_configuration_of_ours_has_is_told(path: Path) -> None:
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_constructor("!include", lambda *_: {})
    sections = [key for key, value in yaml.load(path.read_text(), loader).items() if isinstance(value, dict)]
    assert [key for key in sections if f"\n## `{key}" not in reference()] == []
