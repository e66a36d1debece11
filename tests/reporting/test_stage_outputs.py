import json
from dataclasses import replace

import pytest

from pipeline.errors import UserError
from pipeline.reporting.stage_outputs import (
    FIGURES,
    read_evaluation,
    read_history,
    read_output,
    read_transitions,
)
from pipeline.storage.sealed_folder import new_folder
from tests.helpers.sample_results import TRANSITIONS, evaluation, write


def test_an_outcome_comes_back_as_it_was_written(tmp_path):
    written = evaluation(1)
    write(tmp_path / "1", written)
    read = read_evaluation(tmp_path / "1", target="evaluate@kbest-1")
    assert replace(read, folder=written.folder) == written


def test_a_missing_outcome_names_folder_and_command(tmp_path):
    with pytest.raises(UserError, match=r"kbest/1: missing.*`dvc repro evaluate@kbest-1`"):
        read_evaluation(tmp_path / "kbest" / "1", target="evaluate@kbest-1")


def test_a_damaged_outcome_is_refused(tmp_path):
    write(tmp_path / "1", evaluation())
    (tmp_path / "1" / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json: damaged"):
        read_evaluation(tmp_path / "1", target="evaluate@kbest-1")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("metrics.json", b"{", r"metrics\.json: cannot be read"),
        ("metrics.json", b"[]", r"metrics\.json: holds no JSON object"),
        ("metrics.json", b'{"precision": "high"}', r"metrics\.json: `precision` is 'high', must be a number"),
        ("metrics.json", b'{"precision": true}', r"metrics\.json: `precision` is True"),
        ("metrics.json", None, r"metrics\.json: missing; run `dvc repro stage`"),
        ("predictions.parquet", b"PAR1", r"predictions\.parquet: cannot be read"),
        ("predictions.parquet", None, r"predictions\.parquet: cannot be read"),
    ],
)
def test_a_sealed_folder_with_the_wrong_content_is_refused(tmp_path, name, content, complaint):
    write(tmp_path / "whole", evaluation())
    with new_folder(tmp_path / "1") as new:
        for file in ("metrics.json", "predictions.parquet"):
            (new / file).write_bytes((tmp_path / "whole" / file).read_bytes())
        (new / name).unlink()
        if content is not None:
            (new / name).write_bytes(content)
    with pytest.raises(UserError, match=complaint) as caught:
        read_evaluation(tmp_path / "1", target="stage")
    assert "\n" not in str(caught.value)
    assert "dvc repro" in str(caught.value)


@pytest.mark.parametrize("name", [*FIGURES, "scheme", "device"])
@pytest.mark.parametrize("value", [None, [1], float("nan")])
def test_each_figure_that_is_used_must_be_there(tmp_path, name, value):
    metrics = dict(evaluation().metrics)
    if value is None:
        del metrics[name]
    else:
        metrics[name] = value
    write(tmp_path / "1", replace(evaluation(), metrics=metrics))
    with pytest.raises(UserError, match=rf"^{tmp_path}/1/metrics\.json: `{name}` is .*, must be") as caught:
        read_evaluation(tmp_path / "1", target="stage")
    assert str(caught.value).isprintable()
    assert "dvc repro --single-item --force stage" in str(caught.value)


def test_history_is_read_and_checked(tmp_path):
    epoch = {"epoch": 1, "loss": 0.5, "development_f1": 80.0, "learning_rate": 1e-4, "seconds": 2.0}
    for name, content in {"good": {"epochs": [epoch]}, "bad": {}, "poor": {"epochs": [{"epoch": 1}]}}.items():
        with new_folder(tmp_path / name) as new:
            (new / "history.json").write_text(json.dumps(content))
    assert read_history(tmp_path / "good", target="teacher") == [epoch]
    with pytest.raises(UserError, match="lacks the list `epochs`"):
        read_history(tmp_path / "bad", target="teacher")
    with pytest.raises(UserError, match="`loss` is None"):
        read_history(tmp_path / "poor", target="teacher")


def test_a_missing_json_file_names_the_stage_that_writes_it(tmp_path):
    with pytest.raises(UserError, match=r"timing\.json: missing; run `dvc repro time_epochs`"):
        read_output(tmp_path / "timing.json", target="time_epochs")


def test_a_json_file_of_a_million_lists_is_refused(tmp_path):
    (tmp_path / "timing.json").write_text("[" * 1_000_000)
    with pytest.raises(UserError, match=r"timing\.json: cannot be read"):
        read_output(tmp_path / "timing.json", target="time_epochs")


def test_transitions_are_read_and_checked(tmp_path):
    write(tmp_path / "1", evaluation())
    tags, scores = read_transitions(tmp_path / "1", target="stage")
    assert (tags, scores) == (TRANSITIONS["tags"], TRANSITIONS["scores"])
    (tmp_path / "1" / "transitions.json").write_text(json.dumps({"tags": tags, "scores": scores[1:]}))
    with pytest.raises(UserError, match=r"transitions\.json: holds no `scores` for each pair.*--force stage"):
        read_transitions(tmp_path / "1", target="stage")
