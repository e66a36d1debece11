"""Teacher, student, and the student as exported: size, latency of one sentence, throughput, F1.

`python -m benchmarks.latency --teacher DIR --student DIR --encoded DIR`. All taggers take turns in one
process, in an order that rotates, on the same sentences, whose words are cut into pieces beforehand: what is
measured is laying out, network and Viterbi. On a busy machine trust the ratios.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table
from transformers.utils import logging

from benchmarks.made_with import made_with
from benchmarks.measuring import in_turns
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.split_file import load, read_column
from pipeline.evaluation.metrics import compute_metrics
from pipeline.exporting.onnx_folder import NETWORK, write_export
from pipeline.exporting.tag import Tagger
from pipeline.model.model_folder import load_model
from pipeline.storage.file_names import WEIGHTS
from pipeline.storage.text_file import write_json
from stages import command

BATCH = 32
Run = Callable[[torch.Tensor], list[list[int]]]  # rows of the split → their tags


def main(
    teacher: Annotated[Path, typer.Option(help="The teacher.")],
    student: Annotated[Path, typer.Option(help="A student of it.")],
    encoded: Annotated[Path, typer.Option(help="The encoded corpus.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("results/latency.json"),
    rounds: Annotated[int, typer.Option(help="Turns of each tagger over the test split.")] = 5,
    sentences: Annotated[int, typer.Option(help="Sentences timed one at a time in each turn.")] = 60,
) -> None:
    """Measure on the test split, with one thread and with all."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    split, gold = load(encoded / "test.parquet"), read_column(encoded / "test.parquet", "tags")
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as temporary:
        files = exported(teacher, student, Path(temporary))
        for threads in sorted({1, torch.get_num_threads()}):
            torch.set_num_threads(threads)
            rows += rows_of(files, split, gold, threads, sentences=sentences, rounds=rounds)
    made = made_with("transformers", "onnx", "onnxruntime", "numpy")
    result = {"sentences": len(split), "rows": rows, **made}
    write_json(output, result)
    show(result)


def exported(teacher: Path, student: Path, folder: Path) -> dict[str, Path]:
    """Export the student below `folder`; the weights of every model by its name."""
    float32, int8 = folder / "float32", folder / "int8"
    write_export(student, float32, int8=False)
    write_export(student, int8, int8=True)
    return {
        "teacher": teacher / WEIGHTS,
        "student": student / WEIGHTS,
        "student ONNX": float32 / NETWORK,
        "student ONNX int8": int8 / NETWORK,
    }


def rows_of(
    files: dict[str, Path],
    split: Encoded,
    gold: list[list[str]],
    threads: int,
    *,
    sentences: int,
    rounds: int,
) -> list[dict[str, Any]]:
    """A row of the table for each model, with that number of threads."""
    batches = Batches(split, BATCH)
    runs = {
        name: in_torch(path.parent, batches) if path.name == WEIGHTS else in_onnx(path.parent, split, threads)
        for name, path in files.items()
    }
    f1 = {name: f1_of(run, batches, gold) for name, run in runs.items()}
    alone = torch.arange(len(split))[:: max(1, len(split) // sentences)].split(1)
    spent = measure(runs, list(alone), list(batches.in_order()), rounds)
    return [
        {
            "model": name,
            "threads": threads,
            "megabytes": files[name].stat().st_size / 1e6,
            "latency_ms": one * 1e3,
            "sentences_per_second": len(split) / whole,
            "times_teacher": spent["teacher"][1] / whole,
            "f1": f1[name],
        }
        for name, (one, whole) in spent.items()
    ]


def in_torch(folder: Path, batches: Batches) -> Run:
    model = load_model(folder).eval()

    @torch.inference_mode()
    def run(ids: torch.Tensor) -> list[list[int]]:
        batch = batches.collate(ids)
        _, paths = model.chain(batch).viterbi()
        return [path[:length] for path, length in zip(paths.tolist(), batch.lengths.tolist(), strict=True)]

    return run


def in_onnx(folder: Path, split: Encoded, threads: int) -> Run:
    tagger = Tagger(folder, threads=threads)
    words = cut(split)
    return lambda ids: tagger.decode([words[row] for row in ids.tolist()])


def cut(split: Encoded) -> list[list[list[int]]]:
    """The pieces of every word of every sentence."""
    sentences = []
    for row in torch.arange(len(split)).split(1):
        starts, ids = split.first.take(row).values.tolist(), split.pieces.take(row).values.tolist()
        sentences.append([ids[a:b] for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)])
    return sentences


def f1_of(run: Run, batches: Batches, gold: list[list[str]]) -> float:
    tag_set = batches.encoded.tag_set
    tags: list[list[str]] = [[]] * len(gold)
    for ids in batches.in_order():
        for row, path in zip(ids.tolist(), run(ids), strict=True):
            tags[row] = tag_set.names(path)
    return compute_metrics(gold, tags, scheme=tag_set.scheme).f1


def measure(
    runs: dict[str, Run], alone: list[torch.Tensor], together: list[torch.Tensor], rounds: int
) -> dict[str, tuple[float, float]]:
    """Median seconds of one sentence alone, and of the split in batches."""
    one: dict[str, list[float]] = {name: [] for name in runs}
    every: dict[str, list[float]] = {name: [] for name in runs}
    for name in in_turns(list(runs), rounds):
        runs[name](alone[0])  # the caches are full of the last tagger
        one[name] += [timed(runs[name], [ids]) for ids in alone]
        every[name].append(timed(runs[name], together))
    return {name: (statistics.median(one[name]), statistics.median(every[name])) for name in runs}


def timed(run: Run, batches: list[torch.Tensor]) -> float:
    started = time.perf_counter()
    for ids in batches:
        run(ids)
    return time.perf_counter() - started


def show(result: dict[str, Any]) -> None:
    """Print a row per tagger and number of threads."""
    table = Table(title=f"{result['sentences']} sentences, batches of {BATCH}, on {result['device']}")
    headings = ("model", "threads", "MB", "ms, one sentence", "sentences/s", "times teacher", "F1")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "model" else "right", no_wrap=True)
    for row in result["rows"]:
        table.add_row(
            row["model"],
            str(row["threads"]),
            f"{row['megabytes']:.1f}",
            f"{row['latency_ms']:.2f}",
            f"{row['sentences_per_second']:.0f}",
            f"{row['times_teacher']:.2f}",
            f"{row['f1']:.2f}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    command.run(main)
