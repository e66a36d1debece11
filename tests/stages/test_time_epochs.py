"""`time_epochs` writes the epoch times of the run's methods."""

import json
from pathlib import Path

from pipeline.reporting.epoch_times import read_epoch_times
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import METHOD, Workspace
from tests.stages.conftest import Stage


def test_the_report_reads_what_it_writes(stage: Stage) -> None:
    assert stage("time_epochs")[0] == 0
    times = read_epoch_times(Path("out/timing.json"))
    assert times["task"] == "mine"
    assert times["published"].keys() == times["pipeline"].keys() == {METHOD}
    assert times == json.loads(Path("out/timing.json").read_text())


def test_scores_that_are_missing_are_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "scores/1/1/seal.json").unlink()
    assert "scores/1/1: not a finished output of the pipeline" in one_line(stage("time_epochs"))
    assert not Path("out").exists()
