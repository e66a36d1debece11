"""One model on the test split: how good, how large and how fast it is, and every tag it gives."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from accelerate import Accelerator

from pipeline.device import device_name, synchronize
from pipeline.encoding.batching import Batches
from pipeline.evaluation.calibration import calibration
from pipeline.evaluation.metrics import GOLD, compute_metrics
from pipeline.evaluation.tagged_split import tag_split
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.prediction import predict
from pipeline.storage.file_names import HISTORY, METRICS, PREDICTIONS, TRANSITIONS, WEIGHTS
from pipeline.storage.sealed_folder import new_folder

PASSES, ENOUGH_SECONDS = 3, 5.0  # over the split, for the speed: so many, or fewer that take so long together


@dataclass(frozen=True)
class Evaluation:
    """What a model gave on the split: metrics, transition scores, and a tag with its confidence per word.

    metrics: see `evaluate`.
    transitions: `tags`, and `scores` [N][N] of their pairs, row previous, column current.
    predicted: the tags.
    confidences: the marginal probability of each.
    """

    metrics: dict[str, Any]
    transitions: dict[str, Any]
    predicted: list[list[str]]
    confidences: list[list[float]]


def evaluate(
    model: ChainTagger,
    folder: Path,
    batches: Batches,
    gold: Sequence[Sequence[str]],
    accelerator: Accelerator,
) -> Evaluation:
    """Tag the split and say how well, how large and how fast.

    Args:
        model: the tagger.
        folder: where it was loaded from.
        batches: the test split.
        gold: its tags.
        accelerator: device and precision.

    Returns:
        The metrics are the tags' scheme; span precision, recall and f1, token_f1 and accuracy in percent;
        `constrained_f1`, the F1 of the best sequences that the scheme allows; the kept epoch and its F1 on
        development (0 and None for a teacher that was not trained here), and what that F1 compares with;
        parameters; megabytes (10⁶ bytes) of weights; sentences per second (median of up to PASSES passes,
        laying batches out included); device; `types`: precision, recall, f1 and the numbers of predicted and
        gold spans of each type; `calibration` (see there).
    """
    model.to(accelerator.device)
    predicted, allowed, confidences = tag_split(model, batches, accelerator)
    seconds = _seconds(model, batches, accelerator)
    reached = compute_metrics(gold, predicted, scheme=model.tag_set.scheme)
    history = json.loads((folder / HISTORY).read_text(encoding="utf-8"))
    trained = history["kept"] > 0
    metrics = {
        "scheme": model.tag_set.scheme,
        "precision": reached.precision,
        "recall": reached.recall,
        "f1": reached.f1,
        "constrained_f1": compute_metrics(gold, allowed, scheme=model.tag_set.scheme).f1,
        "token_f1": reached.token_f1,
        "accuracy": reached.accuracy,
        "development_f1": history["epochs"][history["kept"] - 1]["development_f1"] if trained else None,
        "kept_epoch": history["kept"],
        "development": history.get("made", {}).get("development", GOLD),
        "parameters": model.num_parameters(),
        "megabytes": (folder / WEIGHTS).stat().st_size / 1e6,
        "sentences_per_second": len(gold) / seconds,
        "device": device_name(accelerator.device),
        "types": {kind: asdict(rates) for kind, rates in reached.types.items()},
        "calibration": calibration(gold, predicted, confidences),
    }
    transitions = {"tags": list(model.tag_set.tags), "scores": model.transitions.detach().tolist()}
    return Evaluation(metrics, transitions, predicted, confidences)


def _seconds(model: ChainTagger, batches: Batches, accelerator: Accelerator) -> float:
    """The median time in which the split is tagged."""
    seconds: list[float] = []
    while len(seconds) < PASSES and sum(seconds) < ENOUGH_SECONDS:
        synchronize(accelerator.device)
        began = time.perf_counter()
        predict(model, batches, accelerator)
        synchronize(accelerator.device)
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def why_zero(gold: Sequence[Sequence[str]], *, trained: bool = True) -> str:
    """Why a tagger, `trained` here or not, may have an F1 of 0 on a split with these tags, and what to do."""
    if all(tag == "O" for tags in gold for tag in tags):
        return (
            "every tag of the split is O, so that there is no span to find; see the settings `tag` and "
            "`scheme` of the corpus, or give a test split with spans"
        )
    if not trained:
        return "check `teacher.types` and `teacher.scheme`, or choose another `teacher.model`"
    return "its training diverged or was too short; lower learning_rate, or raise epochs"


def save_evaluation(
    folder: Path, evaluation: Evaluation, words: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]
) -> None:
    """Write `metrics.json`, `transitions.json` and `predictions.parquet`.

    The last has the columns id, words, gold, predicted and confidence (float32).
    """
    columns = {"id": range(len(gold)), "words": words, "gold": gold, "predicted": evaluation.predicted}
    columns |= {"confidence": pa.array(evaluation.confidences, pa.list_(pa.float32()))}
    with new_folder(folder) as aside:
        for name, content in (
            (METRICS, json.dumps(evaluation.metrics, indent=1)),
            (TRANSITIONS, json.dumps(evaluation.transitions)),
        ):
            (aside / name).write_text(content + "\n", encoding="utf-8", newline="\n")
        pq.write_table(pa.table(columns), aside / PREDICTIONS, compression="zstd")
