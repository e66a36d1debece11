"""Sentences per second of the dump on 1 and 2 processes, beside the bare encoder on the same batches.

`python -m benchmarks.processes --output results/processes.json`. Each process has one thread. Two
processes of the bare encoder, each with half of the batches, show what the machine itself allows. The teacher
has MiniLM's shape and random weights; sentences are synthetic. The kinds take turns, and the median counts.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.made_with import made_with
from benchmarks.synthetic_corpus import TAG_SET, synthetic_sentences
from pipeline.storage.sealed_folder import new_folder
from pipeline.storage.text_file import write_json
from stages import command

BARE, BARE_TWO, ONE, TWO = "bare", "bare_two", "one", "two"
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
BATCH = 64
_CHILD = """
import sys
from pathlib import Path
from benchmarks.processes import work
kind, root, out, size = sys.argv[1:]
print(work(kind, Path(root), Path(out), int(size)))
"""


def main(
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("results/processes.json"),
    sentences: Annotated[int, typer.Option(help="Sentences in the corpus.")] = 12_000,
    shards: Annotated[int, typer.Option(help="Shards in the store.")] = 24,
    rounds: Annotated[int, typer.Option(help="Turns of each kind.")] = 3,
    small: Annotated[bool, typer.Option(help="A tiny encoder, to try the script.")] = False,
) -> None:
    """Measure the four kinds in turns."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, sentences, small)
        rates: dict[str, list[float]] = {BARE: [], BARE_TWO: [], ONE: [], TWO: []}
        for turn in range(rounds):
            for kind, values in rates.items():
                values.append(_rate(kind, root, turn, sentences, shards))
    medians = {kind: statistics.median(values) for kind, values in rates.items()}
    result = {
        **made_with(),
        "sentences": sentences,
        "shards": shards,
        "batch_size": BATCH,
        "sentences_per_second": medians,
        "all": rates,
        "one_to_bare": medians[ONE] / medians[BARE],
        "two_to_one": medians[TWO] / medians[ONE],
        "bare_two_to_bare": medians[BARE_TWO] / medians[BARE],
    }
    write_json(output, result)
    print(f"one process: {result['one_to_bare']:.2f} of the bare encoder's sentences per second")
    print(f"two processes: {result['two_to_one']:.2f} times one's")
    print(f"two processes of only the bare encoder: {result['bare_two_to_bare']:.2f} times one's")


def _write(root: Path, sentences: int, small: bool) -> None:
    from tests.helpers.tiny_encoders import write_encoder
    from tests.helpers.tiny_inputs import write_split, write_teacher

    encoder = write_encoder(root / "encoder", "bert", **({} if small else MINILM))
    with new_folder(root / "encoded") as aside:
        write_split(aside / "train.parquet", synthetic_sentences(sentences), encoder, tag_set=TAG_SET)
    write_teacher(root / "teacher", encoder, root / "encoded")


def _rate(kind: str, root: Path, turn: int, sentences: int, shards: int) -> float:
    """Sentences per second of the slowest process, from when all have loaded what they need."""
    count = 2 if kind in (TWO, BARE_TWO) else 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    base = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    base |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "ACCELERATE_USE_CPU": "true"}
    out = root / f"{kind}-{turn}"
    words = [sys.executable, "-c", _CHILD, kind, str(root), str(out)]
    words.append(str(-(-sentences // shards)))
    running = [
        subprocess.Popen(
            words, env=base | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, stdout=subprocess.PIPE, text=True
        )
        for rank in range(count)
    ]
    took = [float(process.communicate()[0].splitlines()[-1]) for process in running]
    return sentences / max(took)


def work(kind: str, root: Path, out: Path, shard_sentences: int) -> float:
    """Seconds of one process for its part."""
    import torch

    from pipeline import processes
    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.split_file import load
    from pipeline.model.model_folder import load_model
    from pipeline.scores.dump import dump_scores, origin_of
    from pipeline.scores.settings import Dump

    runner = accelerator("float32")
    teacher = load_model(root / "teacher").eval()
    batches = Batches(load(root / "encoded" / "train.parquet"), BATCH)
    settings: Any = Dump(shard_sentences=shard_sentences)
    origin = origin_of(root / "encoded/train.parquet", root / "teacher")
    bare = kind in (BARE, BARE_TWO)
    rank, count = processes.rank(), processes.count()
    ready = [batches.collate(ids) for ids in list(batches.in_order())[rank::count]] if bare else []
    processes.wait()
    began = time.perf_counter()
    if bare:
        with torch.inference_mode():
            for batch in ready:
                teacher.encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
    else:
        dump_scores(
            teacher, batches, runner, settings, origin=origin, checkpoint=out.with_suffix(".ckpt"), out=out
        )
    seconds = time.perf_counter() - began
    processes.leave()
    return seconds


if __name__ == "__main__":
    command.run(main)
