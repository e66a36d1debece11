"""params.yaml has the form in which DVC writes it: `-S` changes the line of its value and no other."""

import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml

from pipeline.params import load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "params.yaml", tmp_path))


def changed_lines(path: Path) -> list[tuple[str, str]]:
    """Lines that differ from the project's file, as (before, after)."""
    before, after = ((place / "params.yaml").read_text(encoding="utf-8") for place in (ROOT, path.parent))
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [(old, new) for old, new in pairs if old != new]


def test_a_write_that_changes_nothing_changes_no_byte(path: Path) -> None:
    with modify_yaml(path):
        pass
    assert path.read_bytes() == (ROOT / "params.yaml").read_bytes()


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("task=conll2003", "task: conll2003"),
        ("method=kbest", "method: kbest"),
        ("student.layers=2", "  layers: 2"),
        ("student.learning_rate=1e-4", "  learning_rate: 0.0001"),
        ("teacher.encoder=google-bert/bert-base-cased", "  encoder: google-bert/bert-base-cased"),
        ("distill.kbest.k=10", "    k: 10"),
        ("distill.efficient.epochs=9", "    epochs: 9"),
        ("unlabelled.files=data/own/mine/text.txt", "  files: data/own/mine/text.txt"),
        ("unlabelled.sentences=100000", "  sentences: 100000"),
        ("time_epochs.batches=null", "  batches:"),
    ],
)
def test_a_value_set_by_dvc_changes_its_line_alone(path: Path, setting: str, line: str) -> None:
    apply_overrides(path, [setting])
    ((before, after),) = changed_lines(path)
    assert after.partition("#")[0].rstrip() == line
    assert before.partition("#")[2] == after.partition("#")[2]  # the comment stays


def test_a_list_set_by_dvc_changes_its_items_alone(path: Path) -> None:
    apply_overrides(path, ["seeds=[1,2,3]"])
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8") == before.replace("\n- 1\n", "\n- 1\n- 2\n- 3\n", 1)
    assert load_params(path).seeds == (1, 2, 3)
    apply_overrides(path, ["methods=[vanilla,efficient]", "seeds=[1]"])
    dropped = "".join(f"- {name}\n" for name in ("kbest", "structural", "posterior"))
    assert path.read_text(encoding="utf-8") == before.replace(dropped, "").replace(
        "- efficient_emission\n", ""
    )
