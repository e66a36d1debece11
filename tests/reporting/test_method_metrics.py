import json

import pytest

from pipeline.reporting.method_metrics import method_metrics, write_method_metrics
from pipeline.reporting.summary import summarise
from pipeline.reporting.tables import quality_table
from tests.helpers.sample_results import evaluation


def summary_of(students):
    return summarise(evaluation(), students, task="toy", scheme="iob2", samples=10)


def test_four_figures_a_method_that_fit_into_a_narrow_table():
    students = {"vanilla": {1: evaluation(0, 1), 2: evaluation(0)}, "kbest": {1: evaluation(1)}}
    summary = summary_of(students)
    shown = method_metrics(summary)
    assert list(shown) == ["teacher", "vanilla", "kbest"]
    figures = summary["methods"]["kbest"]
    assert shown["kbest"] == {
        "f1": pytest.approx(figures["f1"]["mean"], abs=0.005),
        "gap_closed": pytest.approx(figures["gap_closed"], abs=0.005),
        "megabytes": 69.2,
        "sentences_per_second": 100,
    }
    assert set(shown["teacher"]) == set(shown["kbest"]) - {"gap_closed"}
    assert all(len(str(value)) <= 6 for figures in shown.values() for value in figures.values())


def test_a_gap_that_is_not_known_is_null():
    assert method_metrics(summary_of({"kbest": {1: evaluation()}}))["kbest"]["gap_closed"] is None


def test_a_share_that_rounds_to_nothing_has_no_sign():
    summary = summary_of({"vanilla": {1: evaluation(0)}, "kbest": {1: evaluation(1)}})
    summary["methods"]["kbest"]["gap_closed"] = -0.0012
    assert str(method_metrics(summary)["kbest"]["gap_closed"]) == "0.0"
    assert "| 0% |" in quality_table(summary)


def test_files_of_methods_that_are_gone_are_removed(tmp_path):
    first = summary_of({"vanilla": {1: evaluation(0)}, "kbest": {1: evaluation(1)}})
    write_method_metrics(tmp_path, first)
    second = summary_of({"vanilla": {1: evaluation(0)}})
    write_method_metrics(tmp_path, second)
    assert {path.stem: json.loads(path.read_text()) for path in tmp_path.iterdir()} == method_metrics(second)


def test_dvc_prints_a_row_for_each_method(tmp_path, monkeypatch, capsys):
    from dvc.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    write_method_metrics(tmp_path / "metrics", summary_of({"vanilla": {1: evaluation(0)}}))
    assert main(["init", "--no-scm", "--quiet"]) == 0
    (tmp_path / "dvc.yaml").write_text("metrics: [metrics]\n")
    capsys.readouterr()
    assert main(["metrics", "show", "--md"]) == 0
    header, _, *rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in header.strip("|").split("|")] == [
        "Path", "f1", "gap_closed", "megabytes", "sentences_per_second",
    ]  # fmt: skip
    assert [row.split()[1] for row in rows] == ["metrics/teacher.json", "metrics/vanilla.json"]
    assert len(header) < 120
