"""Seconds of a training step as it is, and of one that reads its loss and lays its batch out itself.

`python -m benchmarks.host_waits`. Both kinds train the same model on the same batches in turns, in float32
and, on a GPU, in bfloat16. The model has BERT-base's shape with 3 layers and random weights; sentences are
synthetic.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from accelerate.state import AcceleratorState

from benchmarks.made_with import made_with
from benchmarks.synthetic_corpus import TAG_SET, synthetic_sentences
from pipeline.device import accelerator, synchronize
from pipeline.encoding.batching import Batch, Batches
from pipeline.encoding.prefetch import prefetch
from pipeline.model.chain_tagger import ChainTagger
from pipeline.settings import Precision
from pipeline.storage.text_file import write_json
from pipeline.timing.shapes import bert_base
from pipeline.training.loop import reproducible
from pipeline.training.loss import gold_loss
from pipeline.training.settings import Training
from pipeline.training.training_state import TrainingState
from stages import command

AHEAD, WAITING = "ahead", "waiting"
SETTINGS = Training(epochs=1, batch_size=32, learning_rate=1e-5, head_learning_rate=1e-4)


def main(
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("results/host_waits.json"),
    steps: Annotated[int, typer.Option(help="Steps in a turn.")] = 100,
    turns: Annotated[int, typer.Option(help="Turns of each kind.")] = 7,
    small: Annotated[bool, typer.Option(help="A tiny model and few steps, to try the script.")] = False,
) -> None:
    """Measure both kinds in turns."""
    from tests.helpers.tiny_encoders import write_encoder
    from tests.helpers.tiny_inputs import write_split

    if small:
        steps, turns = 5, 2
    reproducible(0)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        encoder = write_encoder(Path(folder, "encoder"), "bert")
        count = steps * SETTINGS.batch_size
        split = write_split(
            Path(folder, "train.parquet"), synthetic_sentences(count), encoder, tag_set=TAG_SET
        )
        batches = Batches(split, SETTINGS.batch_size)
        precisions: list[Precision] = ["float32"]
        if torch.cuda.is_available():
            precisions.append("bfloat16")
        for precision in precisions:
            model = ChainTagger.from_encoder(encoder, split) if small else bert_base(split, layers=3)
            rows.append({"precision": precision, **_compare(model, batches, precision, steps, turns)})
    device = "cuda" if torch.cuda.is_available() else "cpu"
    write_json(output, {**made_with(device=device), "steps": steps, "turns": turns, "rows": rows})
    for row in rows:
        print(f"{row['precision']}: {row['ahead_to_waiting']:.3f} of the seconds of a step that waits")


def _compare(
    model: ChainTagger, batches: Batches, precision: Precision, steps: int, turns: int
) -> dict[str, Any]:
    AcceleratorState._reset_state(reset_partial_state=True)  # a process may have one precision alone
    runner = accelerator(precision)
    run = TrainingState(model.to(runner.device).train(), SETTINGS, steps * (2 * turns + 2))
    ids = [*batches.shuffled(0)][:steps]
    seconds: dict[str, list[float]] = {AHEAD: [], WAITING: []}
    for turn in range(turns + 1):
        for kind, spent in seconds.items():
            synchronize(runner.device)
            began = time.perf_counter()
            for batch in _batches(kind, batches, ids, runner.device):
                run.update(batch.to(runner.device), gold_loss, runner)
                if kind == WAITING:
                    run.read_losses()
            synchronize(runner.device)
            if turn:  # the first warms up
                spent.append((time.perf_counter() - began) / steps)
    medians = {kind: statistics.median(spent) for kind, spent in seconds.items()}
    paired = [ahead / waiting for ahead, waiting in zip(seconds[AHEAD], seconds[WAITING], strict=True)]
    return {"seconds": medians, "all": seconds, "ahead_to_waiting": statistics.median(paired)}


def _batches(kind: str, batches: Batches, order: list[torch.Tensor], device: torch.device) -> Iterator[Batch]:
    if kind == WAITING:
        yield from map(batches.collate, order)
        return
    with closing(prefetch(order, lambda ids: batches.collate(ids).pinned(device), device)) as ahead:
        yield from ahead


if __name__ == "__main__":
    command.run(main)
