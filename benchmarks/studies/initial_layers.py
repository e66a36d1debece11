"""Which of the teacher's layers a student starts from, and whether it matches what these layers give too.

All students learn only from the labelled sentences, by `structural`, from what the pipeline made in `data`;
nothing there is changed. A stopped study goes on behind its last row:

    python -m benchmarks.studies.initial_layers conll2003 --device cpu --layers 2 --epochs 10
    python -m benchmarks.studies.initial_layers conll2003 --device cpu --matched attention-relations
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import measured as apart
from benchmarks.pages.provenance import provenance
from benchmarks.pages.recorded_runs import read_result
from benchmarks.stored_scores import stored_scores
from benchmarks.studies.experiment import PARAMS, RESULTS, Device, Layers, Seeds, Task
from benchmarks.studies.matched_layers import (
    Matched,
    MatchedHiddenStates,
    MatchedRelations,
    evenly_spaced,
    layers_of,
)
from pipeline.device import accelerator, device_name
from pipeline.distillation.schedule import weight_at
from pipeline.distillation.settings import Scheduled
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load, read_column
from pipeline.evaluation.metrics import compute_metrics
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.model.prediction import predict
from pipeline.params import Params, load_params
from pipeline.storage.text_file import write_json
from pipeline.training.loop import reproducible
from pipeline.training.run import Inputs, Run, train_and_save
from pipeline.training.settings import Student
from pipeline.training.student_loss import student_loss
from stages import command

METHOD = "structural"


class What(StrEnum):
    """What of the teacher's layers is matched."""

    HIDDEN_STATES = "hidden-states"
    RELATIONS = "attention-relations"


MATCHED: Mapping[What, type[Matched]] = {
    What.HIDDEN_STATES: MatchedHiddenStates,
    What.RELATIONS: MatchedRelations,
}


@dataclass(frozen=True)
class Row:
    """One kind of student: where it starts, and the weight of the difference; the distillation loss has 1."""

    start: str
    weight: float


ROWS: Mapping[What, Sequence[Row]] = {
    What.HIDDEN_STATES: (
        *(Row(start, 0.0) for start in ("first", "evenly spaced", "last")),
        *(Row("first", weight) for weight in (0.1, 1.0, 10.0)),
        Row("evenly spaced", 1.0),
    ),
    What.RELATIONS: tuple(Row("first", weight) for weight in (0.0, 0.1, 1.0)),
}


def chosen(start: str, layers: int, of: int) -> list[int]:
    """The numbers of the teacher's layers that a student starts from."""
    if start == "evenly spaced":
        return evenly_spaced(layers, of)
    return list(range(layers) if start == "first" else range(of - layers, of))


def start_from(teacher: Path, numbers: Sequence[int], student: Student) -> ChainTagger:
    """A student with the teacher's head, and those of its layers that have these numbers."""
    model = ChainTagger.from_teacher(teacher, layers=len(numbers), dropout=student.dropout, head=student.head)
    theirs = layers_of(ChainTagger.load(teacher).encoder)
    for layer, number in zip(layers_of(model.encoder), numbers, strict=True):
        layer.load_state_dict(theirs[number].state_dict())
    return model


def train(what: What, row: Row, seed: int, params: Params, data: Path, scratch: Path) -> dict[str, Any]:
    """Train a student: its `folder` in `scratch`."""
    student, own = params.student, params.settings(METHOD)
    assert isinstance(own, Scheduled)
    teacher = data / "teacher"
    inputs = Inputs.load(data / "encoded", batch_size=student.batch_size, precision=student.precision)
    length = student.length(len(inputs.batches))
    reproducible(seed)
    whole = ChainTagger.load(teacher).eval().to(inputs.accelerator.device)
    numbers = chosen(row.start, student.layers, whole.encoder.config.num_hidden_layers)
    model = start_from(teacher, numbers, student)
    loss = student_loss(METHOD, own, stored_scores(inputs, data), length)
    if row.weight:
        weight = partial(
            weight_at, own.schedule, row.weight, steps=length.steps, last_epoch_start=length.last_epoch_start
        )
        loss = MATCHED[what](loss, model, whole, weight, inputs.accelerator.autocast)
    name = f"{row.start.replace(' ', '-')}-{row.weight:g}-{seed}"
    label = f"{row.start} layers, {what} {row.weight:g}, seed {seed}"
    train_and_save(
        model,
        inputs,
        loss,
        student,
        Run(METHOD, own.model_dump(mode="json"), seed, name, label),
        depends_on=[teacher],
        tokenizer=data / "encoder",
        root=scratch,
        out=scratch / name,
    )
    return {"folder": scratch / name}


def f1_of(folder: Path, encoded: Path, split: str, params: Params) -> float:
    """Span F1 of a model on a split, in percent."""
    runner, path = accelerator(params.evaluate.precision), encoded / f"{split}.parquet"
    model = load_model(folder).to(runner.device)
    predicted = predict(model, Batches(load(path), params.evaluate.batch_size), runner)
    return compute_metrics(read_column(path, "tags"), predicted, scheme=model.tag_set.scheme).f1


def show(result: Mapping[str, Any]) -> None:
    """Print a row for each kind of student."""
    table = Table(
        "starts from",
        f"weight of {result['matched'].replace('-', ' ')}",
        "F1 on development",
        "F1 on test",
        title=result["task"],
    )
    for row in result["rows"]:
        means = (f"{mean(row[split].values()):.2f}" for split in ("development_f1", "test_f1"))
        table.add_row(row["start"], f"{row['weight']:g}", *means)
    Console().print(table)


def _is_of(found: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Whether the rows `found` before were made as those of `result` will be, maybe on another day."""
    old, new = ({**one, "rows": [], "run": {**one["run"], "date": None}} for one in (found, result))
    return old == new


def main(
    task: Task,
    device: Device,
    layers: Layers = 2,
    epochs: Annotated[int, typer.Option(help="Epochs of each student.")] = 10,
    seeds: Seeds = [1],
    data: Annotated[Path, typer.Option(help="Folder with what the pipeline made of the task.")] = Path(
        "data"
    ),
    matched: Annotated[What, typer.Option(help="What of the teacher's layers is matched.")] = (
        What.HIDDEN_STATES
    ),
) -> None:
    """Train the students and write results/TASK-initial-layers-MATCHED-DEVICE.json after each."""
    given = load_params(PARAMS)
    student = given.student.model_copy(update={"layers": layers, "epochs": epochs, "init": "teacher"})
    params = given.model_copy(update={"task": task, "student": student, "seeds": tuple(seeds)})
    path, encoded = RESULTS / f"{task}-initial-layers-{matched}-{device}.json", data / "encoded"
    result: dict[str, Any] = {
        "task": task,
        "layers": layers,
        "matched": str(matched),
        "device": device_name(accelerator(params.evaluate.precision).device),
        "teacher": {split: f1_of(data / "teacher", encoded, split, params) for split in ("dev", "test")},
        "rows": [],
        "run": provenance(params),
    }
    if path.exists() and _is_of(found := read_result(path), result):
        result["rows"] = found["rows"]
    for row in ROWS[matched][len(result["rows"]) :]:
        f1: dict[str, dict[str, float]] = {"development_f1": {}, "test_f1": {}}
        for seed in seeds:
            with TemporaryDirectory() as scratch:
                folder = apart(train, matched, row, seed, params, data, Path(scratch))["folder"]
                for key, split in (("development_f1", "dev"), ("test_f1", "test")):
                    f1[key][str(seed)] = f1_of(folder, encoded, split, params)
        result["rows"].append({"start": row.start, "weight": row.weight, **f1})
        write_json(path, result)
    show(result)


if __name__ == "__main__":
    command.run(main)
