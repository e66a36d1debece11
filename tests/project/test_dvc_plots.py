"""`dvc plots` draws every picture of dvc.yaml without a network, from the report's definitions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.reporting import plot_tables
from pipeline.reporting.pictures import DEFINITIONS
from pipeline.reporting.written_report import plotted_tables
from tests.helpers.browser import CHROMIUM, tab
from tests.helpers.html_results import results

ROOT = Path(__file__).parents[2]


def test_each_template_is_the_definition_of_a_picture() -> None:
    templates = sorted((ROOT / ".dvc/plots").glob("*.json"))
    assert [path.name for path in templates] == sorted(path.name for path in DEFINITIONS.glob("*.json"))
    assert all(path.resolve() == DEFINITIONS / path.name for path in templates)


def test_only_the_page_of_dvc_plots_has_the_template_without_a_web_address() -> None:
    page = (ROOT / ".dvc/plots/offline.html").read_text(encoding="utf-8")
    assert page.count("{plot_divs}") == 1
    assert "<script src" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_dvc_plots_show_draws_all_without_a_request(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".dvc/plots", tmp_path / ".dvc/plots")
    shutil.copy(ROOT / ".dvc/config", tmp_path / ".dvc")
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    run = results(30)
    frames = plotted_tables(run) | {"confusion": plot_tables.confusion_frame(run.runs["efficient"])}
    for name, frame in frames.items():
        plot_tables.write_csv(tmp_path / "plots" / f"{name}.csv", frame)
    subprocess.run(["git", "init", "--quiet", "--template="], cwd=tmp_path, check=True)
    shown = subprocess.run(
        [sys.executable, "-m", "dvc", "plots", "show"],
        cwd=tmp_path,
        env=os.environ | {"DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "failed" not in shown.stdout + shown.stderr
    with tab() as page:
        page.open(tmp_path / "dvc_plots/index.html")
        page.call(
            "Runtime.evaluate", expression="new Promise(done => setTimeout(done, 1000))", awaitPromise=True
        )
        assert {address.partition(":")[0] for address in page.requests} <= {"file", "data"}
        assert [complaint for complaint in page.complaints if "exceptionDetails" in complaint] == []
        drawn = page.run(
            "[...document.querySelectorAll('canvas, svg.marks')].filter(p => p.clientWidth > 100).length"
        )
        assert drawn == len(frames) + 1  # and the training loss
