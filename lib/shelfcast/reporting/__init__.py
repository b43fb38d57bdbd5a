"""The report: one self-contained page that says what the data are, how good the models are, and what they foresee."""

from shelfcast.reporting.data import Headline, Provenance, ReportData
from shelfcast.reporting.page import render

__all__ = ["Headline", "Provenance", "ReportData", "render"]
