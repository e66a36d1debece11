"""What the live metrics of DVCLive cost in training: the same run with and without them, in turns.

`python -m benchmarks.live_metrics`. The student has the shape of newsdesk's, with random weights; an epoch
has as many batches as newsdesk's. Each run has a process of its own, with one thread, so that each imports
DVCLive. No run evaluates on development, so that the share of the live metrics is as large as it can be.
The difference of two runs holds the noise of the machine; the CPU time of the thread that writes the
figures does not, and is measured too.
"""

import statistics
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.made_with import made_with
from benchmarks.measuring import measured
from pipeline.storage.text_file import write_json
from pipeline.training.live_metrics import SHORTEST_RUN_SECONDS, WRITER
from stages import command

BATCH_SIZE = 32
SENTENCES = 54 * BATCH_SIZE  # of newsdesk's training split
STUDENT = {
    "vocab_size": 30_522,
    "hidden_size": 384,
    "num_hidden_layers": 3,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}


def main(
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("results/live_metrics.json"),
    epochs: Annotated[
        int, typer.Option(help=f"Of a run, which must take more than {SHORTEST_RUN_SECONDS:.0f} seconds.")
    ] = 60,
    turns: Annotated[int, typer.Option(help="Runs of each kind.")] = 5,
) -> None:
    """Measure both kinds in turns, and print how many times as long a run with live metrics takes."""
    from benchmarks.synthetic_corpus import TAG_SET, synthetic_sentences
    from tests.helpers.tiny_encoders import write_encoder
    from tests.helpers.tiny_inputs import write_split

    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = write_encoder(folder / "encoder", "bert", **STUDENT)
        write_split(folder / "train.parquet", synthetic_sentences(SENTENCES), encoder, tag_set=TAG_SET)
        for turn in range(turns):
            order = (False, True) if turn % 2 else (True, False)
            found = {live: measured(trained, folder, epochs, live) for live in order}
            rows.append({"with": found[True], "without": found[False]})
            print(
                f"turn {turn + 1}: {found[True]['seconds']:.1f} s with live metrics, "
                f"{found[False]['seconds']:.1f} s without; {found[True]['written']} metrics written"
            )
    ratio = {
        kind: [row["with"][kind] / row["without"][kind] for row in rows]
        for kind in ("seconds", "processor_seconds")
    }
    share = [row["with"]["live_seconds"] / row["with"]["processor_seconds"] for row in rows]
    facts = {"epochs": epochs, "turns": turns, "rows": rows, "ratio": ratio, "share": share}
    write_json(output, {**made_with("dvclive"), **facts})
    for kind, ratios in ratio.items():
        print(
            f"{kind.replace('_', ' ')}: {statistics.median(ratios):.4f} times those without "
            f"({min(ratios):.4f} – {max(ratios):.4f})"
        )
    print(f"live metrics take {100 * statistics.median(share):.2f} % of the run's CPU time")


def trained(folder: Path, epochs: int, live: bool) -> dict[str, Any]:
    """Seconds and CPU seconds of a run, those of its live metrics alone, and how many figures it wrote.

    Args:
        folder: of the encoder and the training split.
        epochs: of the run.
        live: whether the run has live metrics.
    """
    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.split_file import load
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.storage.checkpoint import Checkpoint
    from pipeline.training.live_metrics import live_metrics
    from pipeline.training.loop import reproducible, train
    from pipeline.training.loss import gold_loss
    from pipeline.training.settings import Training

    reproducible(0)
    split = load(folder / "train.parquet")
    model = ChainTagger.from_encoder(folder / "encoder", split)
    runner = accelerator("auto")
    settings = Training(
        epochs=epochs, batch_size=BATCH_SIZE, learning_rate=2e-4, head_learning_rate=2e-3, keep="last"
    )
    with (
        tempfile.TemporaryDirectory() as written,
        Checkpoint.hold(folder / "checkpoints", "run") as checkpoint,
    ):
        began, began_processor = time.perf_counter(), time.process_time()
        with live_metrics(Path(written), resumed=False) if live else nullcontext() as figures:
            train(
                model.to(runner.device),
                Batches(split, BATCH_SIZE),
                gold_loss,
                settings,
                seed=0,
                development=lambda: 0.0,
                accelerator=runner,
                checkpoint=checkpoint,
                label="run",
                live=figures,
            )
            live_seconds, ended = _writer_seconds(), time.process_time()
        live_seconds += time.process_time() - ended
        return {
            "seconds": time.perf_counter() - began,
            "processor_seconds": time.process_time() - began_processor,
            "live_seconds": live_seconds,
            "written": sum(len(path.read_text().splitlines()) - 1 for path in Path(written).rglob("*.tsv")),
        }


def _writer_seconds() -> float:
    """Processor time of the thread that writes live metrics, so far."""
    clocks = [
        time.pthread_getcpuclockid(thread.ident)
        for thread in threading.enumerate()
        if thread.ident and thread.name.startswith(WRITER)
    ]
    return sum(map(time.clock_gettime, clocks))


if __name__ == "__main__":
    command.run(main)
