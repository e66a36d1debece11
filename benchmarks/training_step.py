"""Seconds of a student's training step as it is, and without what makes it cheaper.

`python -m benchmarks.training_step`, in a checkout where the pipeline has run. By `structural`, in turns, on
the same batches of the labelled corpus. The first form has all embeddings, PyTorch's dropout, and a thread
that lays batches out ahead; the second lays them out in the step; each of the others adds one thing to the
form before it. On a busy machine trust the ratios.
"""

import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from benchmarks.made_with import made_with
from benchmarks.measuring import in_turns
from benchmarks.stored_scores import stored_scores
from pipeline.encoding.batching import Batch
from pipeline.encoding.prefetch import prefetch
from pipeline.model.attention import use_cpu_attention
from pipeline.model.dropout import use_cpu_dropout
from pipeline.model.used_pieces import train_used_pieces
from pipeline.params import load_params
from pipeline.storage.sealed_folder import filled
from pipeline.storage.text_file import write_json
from pipeline.training.loop import reproducible
from pipeline.training.loss import LookupLoss, Loss
from pipeline.training.run import Inputs
from pipeline.training.student import new_student
from pipeline.training.student_loss import student_loss
from pipeline.training.training_state import TrainingState
from stages import command

METHOD = "structural"
FORMS = (
    "prefetch thread",
    "no prefetch thread",
    "+ embeddings of occurring pieces only",
    "+ 16-bit dropout",
    "+ CPU attention",
)

ELSEWHERE = torch.device("meta")  # batches for any device but a CPU are laid out by a thread


def main(
    data: Annotated[Path, typer.Option(help="Folder with what the pipeline made.")] = Path("data"),
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("results/training_step.json"),
    steps: Annotated[int, typer.Option(help="Steps in a turn.")] = 30,
    turns: Annotated[int, typer.Option(help="Turns of each form, after one to warm up.")] = 7,
    threads: Annotated[list[int], typer.Option(help="Of PyTorch; repeatable.")] = [1, 2],
) -> None:
    """Measure the forms in turns, for each number of threads."""
    params = load_params(Path("params.yaml"))
    student = params.student
    encoded = filled(data / "student_encoded", data / "encoded")
    encoder = filled(data / "student_encoder", data / "encoder")
    reproducible(0)
    inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
    scores = stored_scores(inputs, data)
    loss = student_loss(METHOD, params.settings(METHOD), scores, student.length(len(inputs.train)))
    runs: dict[str, TrainingState] = {}
    for form in FORMS:
        model = new_student(student, encoder, data / "teacher", inputs.train.encoded)
        if form in FORMS[2:]:
            train_used_pieces(model.encoder, inputs.pieces())
        if form in FORMS[3:]:
            use_cpu_dropout(model)
        if form == FORMS[4]:
            use_cpu_attention(model.encoder)
        runs[form] = TrainingState(model.train(), student, steps)
    order = [*inputs.train.shuffled(0)][:steps]
    rows = [{"threads": count, **compare(runs, loss, order, inputs, count, turns)} for count in threads]
    embeddings = [run.model.encoder.get_input_embeddings().weight.shape[0] for run in runs.values()]
    result = {
        "task": params.task,
        "method": METHOD,
        "layers": student.layers,
        "batch_size": student.batch_size,
        "pieces": {"all": embeddings[0], "occur": embeddings[-1]},
        "steps": steps,
        "turns": turns,
        "rows": rows,
        **made_with("transformers"),
    }
    write_json(output, result)
    for row in rows:
        print(row["threads"], "threads:", ", ".join(f"{form} {row['ratio'][form]:.2f}" for form in FORMS))


def compare(
    runs: dict[str, TrainingState], loss: Loss, order: list[Tensor], inputs: Inputs, threads: int, turns: int
) -> dict[str, Any]:
    """Median `seconds` of a step of each form, and the median `ratio` to the first form's of that turn."""
    assert isinstance(loss, LookupLoss)
    torch.set_num_threads(threads)

    def lay_out(ids: Tensor) -> Batch:
        return loss.look_up(inputs.train.collate(ids), 0)

    spent: dict[str, list[float]] = {form: [] for form in runs}
    for form in in_turns(list(runs), turns + 1):
        runs[form].step = 0
        began = time.perf_counter()
        place = ELSEWHERE if form == FORMS[0] else inputs.accelerator.device
        for batch in prefetch(order, lay_out, place):
            runs[form].update(batch, loss, inputs.accelerator)
        spent[form].append((time.perf_counter() - began) / len(order))
    timed = {form: seconds[1:] for form, seconds in spent.items()}
    first = timed[FORMS[0]]
    return {
        "seconds": {form: statistics.median(seconds) for form, seconds in timed.items()},
        "ratio": {
            form: statistics.median(own / whole for own, whole in zip(seconds, first, strict=True))
            for form, seconds in timed.items()
        },
    }


if __name__ == "__main__":
    command.run(main)
