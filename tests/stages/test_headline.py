"""`headline` writes the figures of the chosen method, and where its words go wrong."""

import json
from io import StringIO
from pathlib import Path

import pandas as pd

from tests.helpers.own_corpus_stages import one_line
from tests.helpers.sample_results import evaluation
from tests.helpers.workspace import METHOD, Workspace
from tests.stages.conftest import Stage


def test_the_figures_and_the_words_are_those_of_the_method(stage: Stage) -> None:
    assert stage("headline") == (0, "", "")
    shown = json.loads(Path("out/headline.json").read_text())
    assert (shown["task"], shown["method"], shown["seeds"]) == ("mine", METHOD, 1)
    run = evaluation(1)
    assert (shown["f1"], shown["teacher_f1"]) == (run.metrics["f1"], run.metrics["f1"])
    words = pd.read_csv(StringIO(Path("out/confusion.csv").read_text()))
    assert [*words.columns] == ["actual", "predicted", "words"]
    assert words["words"].sum() == sum(map(len, run.gold))
    wrong = words[words["actual"] != words["predicted"]].to_dict("records")
    assert wrong == [{"actual": "B-LOC", "predicted": "O", "words": 1}]


def test_a_student_that_was_not_evaluated_is_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / f"eval/{METHOD}/1/seal.json").unlink()
    said = one_line(stage("headline"))
    assert said.endswith(f"eval/{METHOD}/1: missing or unfinished; run `dvc repro evaluate@{METHOD}-1`")
    assert not Path("out").exists()
