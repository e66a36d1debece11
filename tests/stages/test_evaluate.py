"""`evaluate` tags the test split, and says the F1 of the tags that it writes."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.evaluation.metrics import compute_metrics
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.tiny_inputs import SPLITS, write_split
from tests.helpers.workspace import METHOD, Workspace, seal
from tests.stages.conftest import Stage


def test_the_metrics_are_those_of_the_predicted_tags(stage: Stage, own: Workspace) -> None:
    status, out, _ = stage("evaluate", model=own.root / "students", item=f"evaluate@{METHOD}-1")
    assert status == 0
    folder = Path("out") / METHOD / "1"
    metrics = json.loads((folder / "metrics.json").read_text())
    table = pq.read_table(folder / "predictions.parquet")
    gold, predicted = (table[name].to_pylist() for name in ("gold", "predicted"))
    assert len(gold) == SPLITS["test"]
    assert metrics["f1"] == compute_metrics(gold, predicted, scheme="iob2").f1
    assert out.startswith(f"{own.root / 'students' / METHOD / '1'}: test F1 {metrics['f1']:.2f}, ")


def test_a_test_split_without_sentences_is_one_line(stage: Stage, own: Workspace, bert: Path) -> None:
    encoded = own.root / "encoded"
    (encoded / "seal.json").unlink()
    plain = encoded.rename(own.root / "plain")
    (plain / "test.parquet").unlink()
    (plain / "test.safetensors").unlink()
    write_split(plain / "test.parquet", [], bert)
    seal(plain, encoded)
    said = one_line(stage("evaluate"))
    assert f"{encoded / 'test.parquet'}: holds no sentence, so nothing can be evaluated; give" in said
    assert not Path("out").exists()
