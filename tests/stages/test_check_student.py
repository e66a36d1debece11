"""A student that its encoder cannot give is refused by a stage that runs before any teacher is trained."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.encoding.split_file import load, read_column
from pipeline.errors import UserError
from pipeline.settings import Head
from pipeline.storage.sealed_folder import check, new_folder
from stages.check_student import main
from tests.helpers.given_models import write_classifier
from tests.helpers.tiny_encoders import write_encoder
from tests.helpers.workspace import METHOD, ROOT, Workspace, seal


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return Workspace(shutil.copytree(workspace.root, tmp_path / "inputs"))


def checked(own: Workspace, out: str, **student: Any) -> Path:
    """What the stage wrote for a student."""
    own.set(student=student)
    return stage(own, out)


def stage(own: Workspace, out: str) -> Path:
    """What the stage wrote with the parameters as they are."""
    app = typer.Typer()
    app.command()(main)
    assert CliRunner().invoke(app, own.arguments("check_student", out), catch_exceptions=False).exit_code == 0
    return Path(out)


def test_what_the_encoder_does_not_have_is_one_line(own: Workspace) -> None:
    with pytest.raises(
        UserError, match=r"^student\.layers: 9, but the encoder in .*/encoder has 3; lower it$"
    ):
        checked(own, "out", layers=9)
    assert not Path("out").exists()


@pytest.mark.parametrize("kind", ["deberta", "xmod"])
def test_a_precision_that_the_encoder_cannot_be_computed_in_is_one_line(own: Workspace, kind: str) -> None:
    shutil.rmtree(own.root / "encoder")
    with new_folder(own.root / "encoder") as folder:
        shutil.copytree(write_encoder(own.root / kind, kind), folder, dirs_exist_ok=True)
    for key in PRECISIONS:
        own.set(**precisions(key))
        with pytest.raises(
            UserError, match=rf"^{key}\.precision: .* \({kind}\) .* in bfloat16 .*; set {key}\.prec"
        ):
            stage(own, "out")
    own.set(**precisions())
    assert check(stage(own, "out")) == {}


PRECISIONS = ("teacher", "dump", "student", "evaluate")


def precisions(*fast: str) -> dict[str, dict[str, Any]]:
    """Changes of params.yaml by which these groups are computed in bfloat16, and the others in float32."""
    return {key: {"precision": "bfloat16" if key in fast else "float32"} for key in PRECISIONS}


def test_a_precision_in_which_nothing_of_an_encoder_is_computed_is_not_tried(
    own: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(
        "pipeline.training.student_check.check_bfloat16", lambda encoder, folder, key: tried.append(key)
    )
    fast = precisions(*PRECISIONS)
    own.set(**fast)
    stage(own, "out")
    assert tried == [f"{key}.precision" for key in (*PRECISIONS, "evaluate")]
    tried.clear()
    own.set(
        teacher=fast["teacher"],
        dump=fast["dump"] | {"scores": "scores.parquet"},
        student=fast["student"] | {"network": "bilstm", "init": "pretrained", "bilstm": {"width": 4}},
        evaluate=fast["evaluate"],
    )
    stage(own, "bilstm")
    assert tried == ["teacher.precision", "evaluate.precision"]


def test_the_folder_is_the_same_for_every_student_so_that_no_teacher_is_trained_again(own: Workspace) -> None:
    one, two = (checked(own, f"out{layers}", layers=layers) for layers in (1, 2))
    assert check(one) == check(two) == {}
    assert (one / "seal.json").read_bytes() == (two / "seal.json").read_bytes()


def test_every_teacher_that_is_trained_waits_for_it() -> None:
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {name for name, stage in stages.items() if "data/student_check" in stage.get("deps", ())} == {
        "teacher",
        "further_teacher",
        "fold_teacher",
    }


def put(own: Workspace, plain: Path) -> None:
    """Make this folder the encoder, or the existing teacher."""
    shutil.rmtree(own.root / "encoder", ignore_errors=True)
    seal(plain, own.root / "encoder")


def use(own: Workspace, method: str) -> None:
    """Make this the only method of params.yaml."""
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(own.root / "params.yaml") | {"methods": [method], "method": method}
    yaml.dump(tree, own.root / "params.yaml")


def refusal(own: Workspace) -> str:
    with pytest.raises(UserError) as caught:
        stage(own, "out")
    assert not Path("out").exists()
    return str(caught.value)


HEADS: list[tuple[Head, Head]] = [("crf", "softmax"), ("softmax", "crf")]


@pytest.mark.parametrize(("teacher", "student"), HEADS)
def test_a_start_that_the_heads_do_not_allow_is_refused(own: Workspace, teacher: Head, student: Head) -> None:
    put(own, write_encoder(own.root / "modernbert", "modernbert"))
    heads: dict[str, dict[str, Any]] = {
        "teacher": {"head": teacher},
        "student": {"head": student, "init": "teacher"},
    }
    own.set(**heads)
    assert "`teacher` needs the same head for teacher and student over modernbert" in refusal(own)
    own.set(**heads, distill={METHOD: {"init": "pretrained"}})
    assert check(stage(own, "out")) == {}


MODEL = {"model": "org/model"}
SOFTMAX = {"head": "softmax", "init": "pretrained"}


def test_a_method_that_needs_the_transitions_of_an_existing_teacher_is_refused(own: Workspace) -> None:
    put(own, own.root / "teacher")
    own.set(teacher=MODEL, student=SOFTMAX)
    assert check(stage(own, "kbest")) == {}
    use(own, "efficient")
    assert refusal(own).startswith("student.head: softmax has no transitions, which efficient matches")
    own.set(teacher=MODEL, student=SOFTMAX, dump={"scores": "data/own/scores"})
    use(own, "efficient")
    assert check(stage(own, "imported")) == {}


def test_a_start_from_a_teacher_whose_labels_are_converted_is_refused(own: Workspace, bert: Path) -> None:
    put(own, write_classifier(own.root / "model", bert, ("B-LOC", "I-LOC", "I-PER", "O")))
    own.set(teacher=MODEL, student={"init": "teacher"})
    assert "`teacher` needs a teacher whose labels are the corpus's tags; set `pretrained`" in refusal(own)
    own.set(teacher=MODEL, student={"init": "pretrained"})
    assert check(stage(own, "out")) == {}


def import_rows(own: Workspace, change: Callable[[list[list[dict[str, float]]]], None], **dump: Any) -> None:
    """Make scores from elsewhere of the training sentences, with a change, those of the run."""
    split = own.root / "encoded" / "train.parquet"
    words, tags = read_column(split, "words"), load(split).tag_set.tags
    scores = [[dict.fromkeys(tags, 1.0) for _ in sentence] for sentence in words]
    change(scores)
    shutil.rmtree(own.root / "imported_scores")
    with new_folder(own.root / "imported_scores") as folder:
        table = pa.table({"words": [[*map(str, one)] for one in words][: len(scores)], "scores": scores})
        pq.write_table(table, folder / "scores.parquet")
    own.set(dump={"scores": "scores.parquet", **dump})


IMPORTED: list[tuple[Callable[[Any], Any], dict[str, str], str]] = [
    (lambda scores: scores.pop(), {}, r"^dump\.scores: 1 of \d+ sentences are in no row"),
    (lambda scores: scores[0].pop(), {}, r"row 1 has scores of \d+ words, and \d+ words"),
    (lambda scores: scores[1][0].update(O=float("nan")), {}, r"row 2 has scores that are NaN or infinite"),
    (lambda scores: scores[0][0].update(O=1e6), {"dtype": "float16"}, r"1e\+06|float16"),
]


@pytest.mark.parametrize(("change", "dump", "says"), IMPORTED)
def test_scores_from_elsewhere_that_do_not_fit_are_refused(
    own: Workspace, change: Callable[[Any], Any], dump: dict[str, str], says: str
) -> None:
    import_rows(own, change, **dump)
    assert re.search(says, refusal(own))
    import_rows(own, lambda scores: None, **dump)
    assert check(stage(own, "out")) == {}
