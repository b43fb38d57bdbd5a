import pandas as pd
import pytest

from report_builders import PROVENANCE
from shelfcast.errors import SchemaError
from shelfcast.reporting.data import Headline, ReportData


def test_a_frame_without_a_needed_column_is_named_with_it() -> None:
    with pytest.raises(SchemaError, match="report frame weekly: no column units, revenue; found week"):
        ReportData(Headline(), PROVENANCE, "$", weekly=pd.DataFrame({"week": []}))


def test_further_columns_do_no_harm() -> None:
    weekly = pd.DataFrame({"week": [], "units": [], "revenue": [], "note": []})
    assert list(ReportData(Headline(), PROVENANCE, "$", weekly=weekly).weekly.columns) == [
        "week",
        "units",
        "revenue",
        "note",
    ]
