"""A teacher that exists goes the whole way through the stages, as docs/any-teacher.md says."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML

from pipeline.encoding.split_file import load
from pipeline.model.label_conversion import LabelConversion
from pipeline.scores.dump import origin_of
from pipeline.scores.store import ScoreStore
from pipeline.storage.sealed_folder import check, identity
from tests.helpers import tiny_inputs
from tests.helpers.given_models import logits_by_word, write_classifier
from tests.helpers.pages import blocks
from tests.helpers.params_cases import TREE, load_from
from tests.helpers.tiny_corpus import TAG_SET, columns, sentences
from tests.helpers.tiny_project import commands, invoke, lay_out

LAST = ("evaluate_teacher", "time_epochs", "headline", "report")
SPLITS = {"train": 40, "dev": 12, "test": 12}
RENAMED = ("I-PERSON", "B-LOC", "O", "B-PERSON", "I-LOC")
IOB1 = ("B-LOC", "I-LOC", "I-PER", "O")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    for number, (split, count) in enumerate(SPLITS.items()):
        Path(f"{split}.txt").write_text(columns(sentences(count, seed=number)))
    return tmp_path


def set_up(place: Path, encoder: Path, methods: Sequence[str], **teacher: Any) -> None:
    """params.yaml with these settings of the teacher."""
    lay_out(place, encoder, {"files": {split: f"{split}.txt" for split in SPLITS}}, methods, [1])
    change(teacher=teacher)


def change(**groups: Any) -> None:
    """Set values in groups of params.yaml."""
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(Path("params.yaml"))
    for group, values in groups.items():
        tree[group] |= values
    yaml.dump(tree, Path("params.yaml"))


def command_of(stage: str, methods: Sequence[str] = ()) -> str:
    """The command of one stage, such as teacher."""
    (found,) = (line for line in commands(methods, [1], LAST) if line.startswith(f"DVC_STAGE={stage} "))
    return found


def read(path: str) -> Any:
    return json.loads(Path(path).read_text())


def test_a_token_classifier_teaches_and_nothing_of_it_is_trained(place: Path, bert: Path) -> None:
    model = write_classifier(place / "model", bert, RENAMED)
    methods = ["vanilla", "structural", "efficient"]
    set_up(place, Path("no/such/encoder"), methods, model=str(model), types={"PERSON": "PER"}, head="crf")
    for command in commands(methods, [1], LAST):
        said = invoke(command)
        if command.startswith("DVC_STAGE=teacher "):
            assert said == (
                "teacher: not trained here; its 5 labels are in iob2, by their names; set teacher.scheme if "
                "they are in another\n"
            )
    store = ScoreStore.open(
        Path("data/scores/1/1"), expect=origin_of(Path("data/encoded/train.parquet"), Path("data/teacher"))
    )
    order = [RENAMED.index(tag.replace("PER", "PERSON")) for tag in TAG_SET.tags]
    for row, sentence in enumerate(sentences(SPLITS["train"])):
        stored, _ = store.batch(torch.tensor([row]))
        wanted = logits_by_word(model, sentence.words)[:, order]
        torch.testing.assert_close(stored[0], wanted, rtol=1e-4, atol=1e-4)

    # What was not trained has no epochs, and every reader of a history says so.
    history = read("data/teacher/history.json")
    assert (history["epochs"], history["kept"]) == ([], 0)
    assert str(model) not in json.dumps(history)  # addresses may hold secrets
    assert set(pd.read_csv("plots/learning_curves.csv")["model"]) == set(methods)
    assert read("data/eval/teacher/metrics.json")["development_f1"] is None
    assert read("reports/summary.json")["teacher"]["trained_here"] is False
    assert "The teacher was not trained here (`teacher.model`)" in Path("reports/summary.md").read_text()
    card = (
        "python -m stages.publish --model data/students/efficient/1 --eval data/eval/efficient/1 --out card"
    )
    invoke(card)
    text = Path("card/README.md").read_text()
    assert "- Teacher: the model `model`, not trained here; of its types, `PERSON` is `PER` here.\n" in text
    assert "from the base model `model`" in text


@pytest.mark.thorough
def test_labels_in_iob1_are_converted_on_the_way_to_the_store(place: Path, bert: Path) -> None:
    model = write_classifier(place / "model", bert, IOB1)
    set_up(place, bert, ["posterior"], model=str(model))
    change(student={"init": "pretrained"})
    for command in commands(["posterior"], [1]):
        invoke(command)
    store = ScoreStore.open(
        Path("data/scores/1/1"), expect=origin_of(Path("data/encoded/train.parquet"), Path("data/teacher"))
    )
    conversion = LabelConversion(IOB1, "iob1", {}, TAG_SET)
    for row, sentence in enumerate(sentences(SPLITS["train"])):
        stored, _ = store.batch(torch.tensor([row]))
        wanted = conversion(logits_by_word(model, sentence.words)[None])
        torch.testing.assert_close(stored, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.thorough
def test_a_tagger_of_this_project_teaches_as_it_does_at_home(place: Path, bert: Path) -> None:
    """A teacher that was trained here and then given has the same scores."""
    set_up(place, bert, ["structural"])
    for command in commands(["structural"], [1]):
        invoke(command)
    kept = Path("data/scores/1/1").rename("kept")
    Path("data/teacher").rename("mine")
    change(teacher={"model": "mine"})
    for command in commands(["structural"], [1]):
        invoke(command)
    one, other = (
        ScoreStore.open(store, expect=origin_of(Path("data/encoded/train.parquet"), Path(teacher)))
        for store, teacher in ((kept, "mine"), (Path("data/scores/1/1"), "data/teacher"))
    )
    rows = torch.arange(SPLITS["train"])
    assert torch.equal(one.batch(rows)[0], other.batch(rows)[0])
    assert all(torch.equal(*pair) for pair in zip(one.parameters, other.parameters, strict=True))
    # Students start from its layers, whether as the encoder or as the teacher.
    change(student={"init": "teacher"})
    invoke(command_of("distill@structural-1", ["structural"]))


@pytest.mark.thorough
def test_a_student_learns_each_language_from_a_teacher_of_its_own(place: Path, bert: Path) -> None:
    (block,) = blocks("docs/any-teacher.md", "python")[1:]
    Path("german.txt").write_text(columns(sentences(30, seed=9)))
    scored: dict[tuple[str, ...], Any] = {}
    set_up(place, bert, ["posterior"])
    others = {"dev": "dev.txt", "test": "test.txt"}
    for language, file in (("english", "train.txt"), ("german", "german.txt")):
        change(corpora={"tiny": {"files": {"train": file, **others}}})
        for stage in ("fingerprint", "download@corpus", "download@encoder", "prepare", "teacher"):
            invoke(command_of(stage))
        found: dict[str, Any] = {}
        exec(block.replace("english", language), found)
        scored |= dict(
            zip(map(tuple, found["words"]), found["teacher"].marginals(found["words"]), strict=True)
        )
    change(corpora={"tiny": {"files": {"train": ["train.txt", "german.txt"], **others}}})
    change(dump={"scores": "data/own/probabilities"}, student={"init": "pretrained"})
    for command in commands(["posterior"], [1]):
        invoke(command)
    store = ScoreStore.open(Path("data/scores/1/1"))
    assert store.sentences == SPLITS["train"] + 30
    words = pd.read_parquet("data/encoded/train.parquet", columns=["words"])["words"]
    for row, sentence in enumerate(words):
        stored, _ = store.batch(torch.tensor([row]))
        wanted = torch.from_numpy(scored[tuple(sentence)])
        torch.testing.assert_close(stored[0].exp(), wanted, rtol=1e-4, atol=1e-6)


def test_a_mismatch_is_one_line_and_leaves_nothing(place: Path, bert: Path) -> None:
    model = write_classifier(place / "model", bert, RENAMED)
    set_up(place, bert, ["structural"], model=str(model))
    for stage in ("fingerprint", "download@corpus", "download@encoder", "prepare"):
        invoke(command_of(stage))
    invoke(command_of("teacher"), status=1)  # UserError, which stages.command prints in one line
    assert not Path("data/teacher").exists()
    change(teacher={"types": {"PERSON": "PER"}})
    invoke(command_of("teacher"))
    check(Path("data/teacher"))


def test_training_settings_make_no_other_teacher_of_a_model(place: Path, bert: Path) -> None:
    set_up(place, bert, ["structural"], model=str(write_classifier(place / "model", bert, IOB1)))
    for stage in ("fingerprint", "download@corpus", "download@encoder", "prepare", "teacher"):
        invoke(command_of(stage))
    before = identity(Path("data/teacher"))
    change(teacher={"learning_rate": 0.5, "epochs": 9, "head": "softmax"})
    invoke(command_of("teacher"))
    assert identity(Path("data/teacher")) == before


@pytest.mark.thorough
def test_a_softmax_student_cannot_match_pairs_of_a_crf(place: Path, bert: Path) -> None:
    """Whether a model has a CRF is known only when it is read."""
    encoded = tiny_inputs.write_corpus(place / "other", bert)
    tiny_inputs.write_teacher(place / "model", bert, encoded)
    set_up(place, bert, ["efficient"], model="model", head="softmax")
    change(student={"head": "softmax"})
    run = [*commands(["efficient"], [1])]
    check = next(number for number, command in enumerate(run) if "stages.check_student" in command)
    for command in run[:check]:
        invoke(command)
    invoke(run[check], status=1)
    assert not Path("data/student_check").exists()
    assert load(Path("data/encoded/train.parquet")).tag_set == TAG_SET


def without_labels(place: Path, encoder: Path, model: Path, test: bool = True) -> None:
    """params.yaml for students that learn from the text in text.txt alone."""
    files = {"test": "test.txt"} if test else {}
    lay_out(place, encoder, {"files": files}, ["structural", "efficient"], [1])
    constant = {"schedule": "constant", "weight": 1.0}
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(Path("params.yaml"))
    tree["teacher"]["model"] = str(model)
    tree["unlabelled"]["files"] = "text.txt"
    for method in ("structural", "efficient"):
        tree["distill"][method] |= constant
    yaml.dump(tree, Path("params.yaml"))
    Path("text.txt").write_text("\n".join(" ".join(s.words) for s in sentences(60, seed=7, shortest=2)))


def test_a_student_learns_without_any_labelled_sentence(place: Path, bert: Path) -> None:
    model = write_classifier(place / "model", bert, ("B-PER", "I-PER", "O", "B-LOC", "I-LOC"))
    without_labels(place, Path("no/such/encoder"), model)
    methods = ["structural", "efficient"]
    for command in commands(methods, [1], LAST):
        invoke(command)
    assert load(Path("data/encoded/train.parquet")).tag_set == TAG_SET
    assert not check(Path("data/scores/1/1"))
    history = read("data/students/efficient/1/history.json")
    assert history["made"]["development"] == "agreement with the teacher"
    assert len(history["epochs"]) == 2
    # A student that is its teacher agrees with it wholly; these have learned something.
    assert max(epoch["development_f1"] for epoch in history["epochs"]) > 0
    assert read("reports/summary.json")["development"] == "agreement with the teacher"
    page = Path("reports/summary.md").read_text()
    assert "is the agreement with the teacher on the last sentences of the unlabelled text" in page
    assert "No epoch was timed, as the corpus has no labelled sentences." in page
    invoke(
        "python -m stages.publish --model data/students/efficient/1 --eval data/eval/efficient/1 --out card"
    )
    assert (
        "on development (agreement with the teacher on unlabelled text) was"
        in Path("card/README.md").read_text()
    )


def test_the_parameters_of_the_page_are_taken(place: Path) -> None:
    for block in blocks("docs/any-teacher.md", "yaml"):
        merged = merge(copy.deepcopy(TREE), YAML(typ="safe", pure=True).load(block))
        assert load_from(place / "params.yaml", merged).encoder.source == "dslim/bert-base-NER"


def merge(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The tree with `changes` in it, group by group."""
    for key, value in changes.items():
        tree[key] = merge(tree.get(key, {}), value) if isinstance(value, dict) else value
    return tree


def test_without_a_test_set_there_is_a_student_and_no_metrics(place: Path, bert: Path) -> None:
    model = write_classifier(place / "model", bert, ("O", "B-PER", "I-PER"))
    without_labels(place, bert, model, test=False)
    *before, evaluation = [
        line
        for line in commands(["structural", "efficient"], [1])
        if "efficient" in line or "@structural" not in line
    ]
    before = [line for line in before if "structural" not in line]
    for command in before:
        invoke(command)
    assert load(Path("data/encoded/train.parquet")).tag_set.tags == ("O", "B-PER", "I-PER")
    check(Path("data/students/efficient/1"))
    invoke(evaluation, status=1)
    assert not Path("data/eval/efficient/1").exists()
