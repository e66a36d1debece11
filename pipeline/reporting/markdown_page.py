"""The report as a short page in Markdown; metrics are computed in `pipeline.reporting.summary`."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.tables import (
    quality_notes,
    quality_table,
    timing_notes,
    timing_tables,
    training_warnings,
)


def markdown_page(summary: Mapping[str, Any], timing: Mapping[str, Any]) -> str:
    """The text of `reports/summary.md`: warnings, tables of metrics and epoch times, and notes."""
    warnings = [f"> **WARNING: {text}.**" for text in training_warnings(summary)]
    parts = [
        f"# Results on {summary['task']}",
        *warnings,
        "## Metrics",
        quality_table(summary),
        quality_notes(summary),
        "## Time of one epoch",
        *([timing_tables(timing)] if timing else []),
        timing_notes(timing),
    ]
    return "\n\n".join(parts) + "\n"
