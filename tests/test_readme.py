import json
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.reporting.readme import BEGIN, END, keep, pictures, section, update
from pipeline.reporting.summary import summarise
from tests.sample_results import TIMING, outcome

ROOT = Path(__file__).parent.parent
RUN = {
    "commit": "0123456789abcdef",
    "parameters": {"student": {"layers": 2}},
    "versions": {"torch": "2.13.0"},
    "date": "2030-01-02",
}


@pytest.fixture
def results(tmp_path):
    """Two kept runs, one with both files, one with times alone."""
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    students = {"vanilla": {1: outcome(0)}, "kbest": {1: outcome(1)}}
    summary = summarise(outcome(), students, task="toy", scheme="iob2", samples=10)
    (metrics / "summary.json").write_text(json.dumps(summary))
    (metrics / "timing.json").write_text(json.dumps(TIMING))
    keep(metrics, tmp_path / "results" / "toy-cpu", RUN)
    keep(metrics, tmp_path / "results" / "other-gpu", RUN)
    (tmp_path / "results" / "other-gpu" / "summary.json").unlink()
    return tmp_path / "results"


def test_kept_files_hold_the_metrics_and_the_run(results):
    kept = json.loads((results / "toy-cpu" / "timing.json").read_text())
    assert kept == TIMING | {"run": RUN | {"device": TIMING["device"]}}


def test_a_missing_metric_cannot_be_kept(tmp_path):
    with pytest.raises(UserError, match=r"summary\.json: missing; run `dvc repro"):
        keep(tmp_path, tmp_path / "results" / "x", RUN)
    assert not (tmp_path / "results").exists()


def test_the_section_shows_every_folder_and_its_pictures(results):
    text = section(results)
    other, toy = text.split("### toy-cpu")
    assert other.startswith("### other-gpu")
    assert "token F1" in toy
    assert "token F1" not in other
    assert "Commit 0123456789ab, a <slow> machine, 2030-01-02." in other
    assert "Commit 0123456789ab, a <small> machine, 2030-01-02." in toy
    drawn = {path.relative_to(results.parent).as_posix() for path in pictures(results)}
    shown = {part.split(")")[0] for part in text.split("](")[1:]}
    assert drawn == shown == {
        "results/other-gpu/epoch_time.svg", "results/toy-cpu/epoch_time.svg", "results/toy-cpu/f1.svg",
    }  # fmt: skip


def test_what_is_measured_beside_the_pipeline_is_shown_after_it(results):
    made = RUN | {"parameters": {"student": {"layers": 2, "epochs": 7}, "seeds": [1, 2]}}
    longer = made | {"parameters": {"student": {"layers": 2, "epochs": 9}, "seeds": [1, 2]}}
    both = {"task": "toy", "summary": json.loads((results / "toy-cpu" / "summary.json").read_text())}
    parts = {"sentences": {"train": 1_234, "text": 98_765}, "runs": {"labelled": made, "with text": longer}}
    (results / "toy-unlabelled-cpu.json").write_text(json.dumps(both | parts))
    (results / "toy-heads-cpu.json").write_text(json.dumps(both | {"runs": {"crf": made, "softmax": longer}}))
    row = {"model": "student", "threads": 3, "megabytes": 1.23, "latency_ms": 4.56}
    row |= {"sentences_per_second": 78.9, "times_teacher": 5.678, "f1": 91.234}
    (results / "latency.json").write_text(
        json.dumps({"commit": "abc", "device": "a machine", "sentences": 55, "rows": [row]})
    )
    _, toy = section(results).split("### toy, a tenth of it labelled")
    text, rest = toy.split("### toy, with a CRF and without")
    heads, exports = rest.split("### Exported students")
    assert "1,234 sentences with tags, 98,765 without" in text
    assert "epochs: 7 (labelled) and 9 (with text)" in text
    assert "over 2 seeds" in text
    assert "`kbest`" in text
    assert "`kbest`" in heads
    assert "students of 2 layers, mean ± standard deviation over 2 seeds." in heads
    assert "| student | 3 | 1.2 | 4.6 | 79 | 5.68 | 91.23 |" in exports
    (results / "latency.json").write_text("{")
    with pytest.raises(UserError, match=r"latency\.json: no JSON"):
        section(results)


def test_update_replaces_what_stands_between_the_markers(results):
    text = f"# Title\n\n{BEGIN}\nold\n{END}\nrest\n"
    new = update(text, results)
    assert new == f"# Title\n\n{BEGIN}\n\n{section(results)}\n\n{END}\nrest\n"
    assert update(new, results) == new


def test_without_results_the_section_is_empty(tmp_path):
    assert update(f"a\n{BEGIN}\nold\n{END}\nb\n", tmp_path / "results") == f"a\n{BEGIN}\n{END}\nb\n"


@pytest.mark.parametrize("text", ["", BEGIN, END + BEGIN, BEGIN + END + END, BEGIN + BEGIN + END])
def test_wrong_markers_are_refused(text, tmp_path):
    with pytest.raises(UserError, match=r"README\.md: must hold the lines"):
        update(text, tmp_path)


def test_a_damaged_results_file_is_named(results):
    (results / "toy-cpu" / "summary.json").write_text("{")
    with pytest.raises(UserError, match=r"toy-cpu/summary\.json: no JSON"):
        section(results)


def test_the_readme_and_its_pictures_are_what_the_results_say():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert update(readme, ROOT / "results") == readme
    for path, drawn in pictures(ROOT / "results").items():
        assert path.read_text(encoding="utf-8") == drawn
