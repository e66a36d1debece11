"""Every form of the report is written, from the same results; no half of one is left."""

import json
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.reporting.finished_results import Results
from pipeline.reporting.markdown_page import markdown_page
from pipeline.reporting.method_metrics import method_metrics
from pipeline.reporting.written_report import plotted_tables, write_report
from pipeline.storage.commit import working_name
from tests.helpers.html_results import results

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run() -> Results:
    return results(20)


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is drawn at once; tests/reporting/test_html_page.py has the other."""

    def drawn(results: Results, *, project: Path) -> str:
        return f"{results.summary['task']} of {project}\n"

    monkeypatch.setattr("pipeline.reporting.written_report.html_page", drawn)


def places(root: Path) -> tuple[Path, ...]:
    """Where summary, metrics, plots, page and text go."""
    return root / "summary.json", root / "metrics", root / "plots", root / "index.html", root / "summary.md"


def test_all_forms_are_written(run: Results, tmp_path: Path) -> None:
    summary, metrics, plots, page, text = places(tmp_path / "new")
    write_report(run, summary, metrics, plots, page, text, project=tmp_path)
    assert json.loads(summary.read_text()) == json.loads(json.dumps(run.summary))
    shown = {path.stem: json.loads(path.read_text()) for path in metrics.iterdir()}
    assert shown == method_metrics(run.summary)
    assert page.read_text() == f"toy of {tmp_path}\n"
    assert text.read_text() == markdown_page(run.summary, run.timing)
    tables = plotted_tables(run)
    assert {path.stem for path in plots.iterdir()} == tables.keys()
    for name, frame in tables.items():
        found = pd.read_csv(StringIO((plots / f"{name}.csv").read_text()), keep_default_na=False)
        assert [*found.columns] == [*frame.columns]
        assert len(found) == len(frame) > 0


def test_the_plots_are_those_of_dvc_yaml_with_the_columns_that_it_draws(run: Results) -> None:
    stage = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]["report"]
    drawn = {Path(path).stem: plot for entry in stage["plots"] for path, plot in entry.items()}
    tables = plotted_tables(run)
    assert tables.keys() == drawn.keys()
    for name, plot in drawn.items():
        assert {plot["x"], plot["y"]} <= {*tables[name].columns}


def test_transitions_are_compared_with_those_of_the_best_student(run: Results) -> None:
    best = run.best[0]
    assert [*plotted_tables(run)["transitions"]["matrix"].unique()] == ["teacher", best, f"{best} − teacher"]


@pytest.mark.parametrize("taken", range(5))
def test_a_place_that_cannot_be_written_is_one_line(run: Results, tmp_path: Path, taken: int) -> None:
    outs = places(tmp_path)
    if taken in (1, 2):
        outs[taken].write_text("a file where the folder should be")
    else:
        outs[taken].mkdir()
    with pytest.raises(UserError, match=f"^{outs[taken]}") as caught:
        write_report(run, *outs, project=tmp_path)
    assert "\n" not in str(caught.value)
    assert not any(working_name(out).exists() for out in outs)
