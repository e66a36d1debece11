"""Through the stages: a student with its own encoder, a BiLSTM, several teachers, and imported scores."""

import json
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.encoding.split_file import load, read_column, read_sentences, read_words_digest
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model, load_model_and_tokenizer
from pipeline.params import load_params
from pipeline.scores.store import ScoreStore
from pipeline.storage.sealed_folder import check, new_folder
from stages.items import teacher_and_fold_of
from tests.helpers.workspace import METHOD, SPLITS, Workspace, place_of, seal

yaml = YAML(typ="safe", pure=True)
EXACTLY = {"precision": "float32"}


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    copy = Workspace(shutil.copytree(workspace.root, tmp_path / "inputs"))
    copy.set(teacher=EXACTLY, student=EXACTLY)
    yield copy
    torch.use_deterministic_algorithms(False)


def run(own: Workspace, stage: str, **options: str) -> Path:
    """What the stage wrote; `options` replace those of its command line."""
    words = own.arguments(stage, stage)
    for option, value in options.items():
        name = f"--{option.replace('_', '-')}"
        words = [*words, name, value] if name not in words else words
        words[words.index(name) + 1] = value
    app = typer.Typer()
    app.command()(import_module(f"stages.{stage}").main)
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return place_of(stage, Path(stage)) if "item" not in options else Path(stage)


def student_text(own: Workspace) -> Path:
    """The text, encoded for the students' own encoder."""
    folders = {"encoder": "student_encoder", "encoded": "student_encoded"}
    return run(own, "encode_text", **{name: str(own.root / folder) for name, folder in folders.items()})


def distilled(own: Workspace) -> Path:
    """The student, after it was also evaluated."""
    student = run(own, "distill")
    metrics = run(own, "evaluate", model=str(student), student_encoded=str(own.root / "student_encoded"))
    assert 0 <= json.loads((metrics / "metrics.json").read_text())["f1"] <= 100
    timing = run(own, "time_epochs") / "timing.json"
    assert json.loads(timing.read_text())["pipeline"][METHOD]["total"] > 0
    return student


def test_a_student_with_an_encoder_of_its_own(own: Workspace, encoder: Callable[[str], Path]) -> None:
    kind = "roberta"
    shutil.rmtree(own.root / "student_encoder")
    seal(encoder(kind), own.root / "student_encoder")
    own.set(teacher=EXACTLY, student={"encoder": "mine", "layers": 2, "init": "pretrained"} | EXACTLY)
    shutil.copytree(run(own, "prepare_student"), own.root / "student_encoded", dirs_exist_ok=True)
    shutil.rmtree(own.root / "student_text_encoded")
    shutil.copytree(student_text(own), own.root / "student_text_encoded")
    for split in SPLITS:
        files = [own.root / name / f"{split}.parquet" for name in ("encoded", "student_encoded")]
        assert list(read_sentences(files[0])) == list(read_sentences(files[1]))
        assert read_words_digest(files[0]) == read_words_digest(files[1])
        assert load(files[0]).tag_set == load(files[1]).tag_set
        assert load(files[0]).layout.identity != load(files[1]).layout.identity
    model, _ = load_model_and_tokenizer(distilled(own))
    assert (model.encoder.config.model_type, model.encoder.config.num_hidden_layers) == (kind, 2)


def test_a_bilstm_student(own: Workspace) -> None:
    own.set(
        student={"network": "bilstm", "bilstm": {"width": 8, "hidden": 5, "layers": 1}, "init": "pretrained"}
        | EXACTLY
    )
    model, _ = load_model_and_tokenizer(distilled(own))
    assert (model.encoder.config.model_type, model.encoder.config.hidden_size) == ("bilstm", 10)


def test_without_an_own_encoder_corpus_and_text_are_not_cut_twice(own: Workspace) -> None:
    assert check(run(own, "prepare_student")) == {}
    assert check(student_text(own)) == {}


def set_teachers(own: Workspace, numbers: list[int]) -> None:
    params = own.root / "params.yaml"
    tree = yaml.load(params.read_text())
    with params.open("w") as file:
        yaml.dump(tree | {"teachers": numbers}, file)
    assert load_params(params).teachers == tuple(numbers)


def test_several_teachers(own: Workspace) -> None:
    one = load_model(run(own, "distill")).state_dict()
    set_teachers(own, [1, 2])
    teachers = own.root / "scoring_teachers"
    shutil.copytree(run(own, "further_teacher", item="2") / "2", teachers / "further/2")
    weights = [load_model(place).state_dict() for place in (own.root / "teacher", teachers / "further/2")]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    shutil.copytree(run(own, "dump", item="2-1") / "2", own.root / "scores/2")
    shutil.copytree(run(own, "dump_text", item="2") / "2", own.root / "text_scores/2")
    shutil.rmtree("distill")
    both = load_model(run(own, "distill")).state_dict()
    assert any(not torch.equal(both[name], one[name]) for name in one)
    shutil.rmtree(own.root / "scores/2")
    with pytest.raises(UserError, match="scores/2/1: not a finished output"):
        run(own, "distill")


def test_imported_scores_are_a_teacher(own: Workspace) -> None:
    """A file with the emissions of a teacher whose chain has no transitions teaches what the teacher does."""
    encoded = own.root / "encoded/train.parquet"
    store = ScoreStore.open(own.root / "scores/1/1")
    text = ScoreStore.open(own.root / "text_scores/1")
    sentences = list(read_sentences(encoded))
    rows = [(store, row) for row in range(len(sentences))] + [(text, row) for row in range(text.sentences)]
    scores = [
        [dict(zip(store.tags, word, strict=True)) for word in of.words(torch.tensor([row]))[0].tolist()]
        for of, row in rows
    ]
    words = [*read_column(encoded, "words"), *read_column(own.root / "text_encoded/text.parquet", "words")]
    shutil.rmtree(own.root / "imported_scores")
    with new_folder(own.root / "imported_scores") as folder:
        (folder / "files").mkdir()
        table = pa.table({"words": words, "scores": scores})
        pq.write_table(table, folder / "files/mine.parquet")
    dumped = run(own, "dump")
    again = ScoreStore.open(dumped)
    every = torch.arange(len(sentences))
    assert torch.equal(store.words(every)[0], again.words(every)[0])
    assert not any(part.any() for part in again.parameters)
    shutil.rmtree(own.root / "scores")
    shutil.copytree("dump", own.root / "scores")
    run(own, "dump_text")
    shutil.rmtree(own.root / "text_scores")
    shutil.copytree("dump_text", own.root / "text_scores")
    distilled(own)


@pytest.mark.parametrize("item", ["1", "dump@x-1", "0-1", "1-1-1", ""])
def test_an_item_that_is_no_teacher_and_fold_is_refused(item: str) -> None:
    with pytest.raises(UserError, match="is not a TEACHER-FOLD"):
        teacher_and_fold_of(item)
