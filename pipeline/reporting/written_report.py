"""Writes all forms of the report: the HTML page, the short Markdown page, metrics, and the plots' tables."""

from pathlib import Path

import pandas as pd

from pipeline.reporting import plot_tables
from pipeline.reporting.finished_results import Results
from pipeline.reporting.html_page import html_page
from pipeline.reporting.markdown_page import markdown_page
from pipeline.reporting.method_metrics import write_method_metrics
from pipeline.storage.text_file import write_json, write_text


def write_report(
    results: Results, summary: Path, metrics: Path, plots: Path, page: Path, text: Path, *, project: Path
) -> None:
    """Write the results of a run.

    Args:
        results: see there.
        summary: JSON file: every figure.
        metrics: folder of a JSON file for each method.
        plots: folder of the CSV files that `dvc plots` reads.
        page: HTML file.
        text: Markdown file.
        project: the checkout, for the commit.

    Raises:
        UserError: one of them cannot be written.
    """
    write_json(summary, results.summary)
    write_method_metrics(metrics, results.summary)
    for name, frame in plotted_tables(results).items():
        plot_tables.write_csv(plots / f"{name}.csv", frame)
    write_text(page, html_page(results, project=project))
    write_text(text, markdown_page(results.summary, results.timing))


def plotted_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The tables of the plots that dvc.yaml defines, by the names of their CSV files."""
    return {
        "f1": plot_tables.f1_frame(results.summary),
        "f1_by_latency": plot_tables.f1_by_latency_frame(results.summary),
        "learning_curves": plot_tables.learning_curve_frame(*results.curves),
        "epoch_time": plot_tables.epoch_time_frame(results.timing),
        "reliability": plot_tables.reliability_frame(results.runs),
        "transitions": plot_tables.transitions_frame(*results.transitions, results.best[0]),
    }
