"""Charts of the pages, drawn with those of the report (shelfcast.reporting.charts), in the reader's numbers."""
