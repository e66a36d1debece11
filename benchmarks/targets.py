"""What it costs a training step that a batch's targets come from the store, and not from a table.

Both ways take turns on the same batches, from the same weights (see pipeline.timing.measurement.measure). The
corpus, encoder, teacher and scores are those that the pipeline made in `data`:

    OMP_NUM_THREADS=1 python -m benchmarks.targets results/targets.json
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.made_with import made_with
from benchmarks.stored_scores import stored_scores
from pipeline.distillation.registry import method_settings
from pipeline.encoding.batching import Batch
from pipeline.params import load_params
from pipeline.storage.text_file import write_json
from pipeline.timing.measurement import measure, representative
from pipeline.timing.timed_steps import TimedStep, without_teacher
from pipeline.training import targets
from pipeline.training.run import Inputs
from pipeline.training.run_length import RunLength
from pipeline.training.settings import Student
from pipeline.training.student import new_student
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores
from stages import command

WAYS = ("table", "store")
METHODS = ("kbest", "structural", "posterior")  # `efficient` reads the store in any case


def timed_steps(scores: Sequence[PartScores], length: RunLength) -> list[TimedStep]:
    """Each method with its table and without."""
    found, room = [], targets.TABLE_BYTES
    for way in WAYS:
        targets.TABLE_BYTES = room if way == "table" else 0
        for method in METHODS:
            loss = student_loss(method, method_settings(method)(), scores, length)
            found.append(TimedStep(way, method, None, without_teacher(loss)))
    targets.TABLE_BYTES = room
    return found


def main(
    output: Annotated[Path, typer.Argument(help="JSON file for the figures")],
    data: Annotated[Path, typer.Option(help="folder with what the pipeline made")] = Path("data"),
    batches: Annotated[int, typer.Option(help="that are measured, of all sizes")] = 40,
    passes: Annotated[int, typer.Option(help="over them")] = 5,
) -> None:
    """Measure both ways, print a table and write sentences per second and the ratio of the times."""
    student = load_params(Path("params.yaml")).student
    inputs = Inputs.load(data / "encoded", batch_size=student.batch_size, precision=student.precision)
    chosen = [inputs.train.collate(ids) for ids in representative(inputs.train, batches)]
    rows = measured(chosen, student, inputs, data, passes)
    facts = made_with(device=inputs.accelerator.device.type)
    write_json(output, {**facts, "batch_size": student.batch_size, "batches": len(chosen), "rows": rows})
    show(rows)


def measured(
    chosen: Sequence[Batch], student: Student, inputs: Inputs, data: Path, passes: int
) -> list[dict[str, Any]]:
    """A row for each method: sentences per second in both ways, and the ratio of the times."""
    device, length = inputs.accelerator.device, student.length(len(inputs.train))
    scores = stored_scores(inputs, data)
    model = new_student(student, data / "encoder", data / "teacher", inputs.train.encoded).to(device)
    steps = timed_steps(scores, length)
    taken = measure(
        steps,
        model,
        [batch.to(device) for batch in chosen],
        student,
        steps=length.steps,
        passes=passes,
        accelerator=inputs.accelerator,
    )
    seconds = {
        (step.block, step.method): float(torch.tensor([sum(one.values()) for one in found]).median())
        for step, found in zip(steps, taken, strict=True)
    }
    sentences = sum(len(batch.ids) for batch in chosen)
    return [
        {
            "method": method,
            "table_sentences_per_s": sentences / seconds["table", method],
            "store_sentences_per_s": sentences / seconds["store", method],
            "store_to_table": seconds["store", method] / seconds["table", method],
        }
        for method in METHODS
    ]


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row per method."""
    table = Table("method", "table, sentences/s", "store, sentences/s", "time, store to table")
    for row in rows:
        speeds = (f"{row[f'{way}_sentences_per_s']:.1f}" for way in WAYS)
        table.add_row(row["method"], *speeds, f"{row['store_to_table']:.3f}")
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
