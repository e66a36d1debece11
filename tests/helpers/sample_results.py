"""Small evaluations, and a timing.json, that the tests of the report and its neighbours share."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.evaluation.calibration import calibration
from pipeline.evaluation.metrics import compute_metrics
from pipeline.reporting.stage_outputs import SavedEvaluation
from pipeline.storage.sealed_folder import new_folder

WORDS = [["Ada", "Byron", "writes"], ["Rome"], ["the", "UN"], ["Bo", "sings"], ["it", "rains"]]
GOLD = [["B-PER", "I-PER", "O"], ["B-LOC"], ["O", "B-ORG"], ["B-PER", "O"], ["O", "O"]]


TRANSITIONS = {
    "tags": ["O", "B-PER", "I-PER"],
    "scores": [[0.5, 0.25, -3.0], [0.0, -1.0, 2.0], [0.5, -0.5, 1.0]],
}


def evaluation(
    *wrong: int, speed: float = 100.0, gold: list[list[str]] = GOLD, repeat: int = 1
) -> SavedEvaluation:
    """A model that tags GOLD right but for the sentences numbered `wrong`, where it finds nothing."""
    predicted = [["O"] * len(tags) if number in wrong else tags for number, tags in enumerate(gold)]
    gold, predicted = gold * repeat, predicted * repeat
    words = [word[: len(tags)] for word, tags in zip(WORDS * repeat, gold, strict=True)]
    confidences = [[0.875] * len(tags) for tags in gold]
    scores = compute_metrics(gold, predicted, scheme="iob2")
    metrics = {
        "scheme": "iob2",
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "constrained_f1": scores.f1 / 2,
        "token_f1": scores.token_f1,
        "accuracy": scores.accuracy,
        "development_f1": 90.0,
        "best_epoch": 3,
        "parameters": 17_300_000,
        "megabytes": 69.2,
        "sentences_per_second": speed,
        "device": "a <small> machine",
        "types": {kind: asdict(rates) for kind, rates in scores.types.items()},
        "calibration": calibration(gold, predicted, confidences),
    }
    return SavedEvaluation(
        Path("data/eval/x"), metrics, list(range(len(gold))), words, gold, predicted, confidences
    )


def write(folder: Path, result: SavedEvaluation) -> None:
    """Write an evaluation as the evaluating stage does."""
    with new_folder(folder) as new:
        (new / "metrics.json").write_text(json.dumps(dict(result.metrics)))
        (new / "transitions.json").write_text(json.dumps(TRANSITIONS))
        columns = {"id": result.ids, "words": result.words, "gold": result.gold}
        columns |= {"predicted": result.predicted, "confidence": result.confidences}
        pq.write_table(pa.table(columns), new / "predictions.parquet")


def phases(teacher: float, forward: float, backward: float) -> dict[str, float]:
    return {
        "teacher_forward": teacher,
        "student_forward": forward,
        "student_backward": backward,
        "total": teacher + forward + backward,
    }


TIMING: dict[str, Any] = {
    "task": "toy",
    "device": "a <slow> machine",
    "batches": 4,
    "epoch_batches": 40,
    "shape": {"teacher_layers": 6, "student_layers": 2, "hidden_size": 384},
    "published": {
        "vanilla": phases(0, 20, 30),
        "structural": phases(20, 30, 50),
        "efficient": phases(20, 5, 20),
    },
    "pipeline": {"vanilla": phases(0, 6, 20), "structural": phases(0, 7, 21), "efficient": phases(0, 5, 20)},
    "lower_bound": {"student_forward": 5.0, "student_backward": 20.0, "total": 25.0},
    "spread": {
        "published": {name: {"min": 24.0, "max": 101.0} for name in ("vanilla", "structural", "efficient")},
        "pipeline": {name: {"min": 23.0, "max": 29.0} for name in ("vanilla", "structural", "efficient")},
        "lower_bound": {"min": 24.5, "max": 25.5},
    },
}
