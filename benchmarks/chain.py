"""The linear chain against its peers: time, agreement and memory, as a table and as JSON.

`python -m benchmarks.chain`; the peers come with `pip install -c constraints.txt -r
benchmarks/requirements.txt`. All implementations of a row take turns in one process on the same inputs, and
that process keeps freed memory, as those of the stages do. A busy machine slows all: trust the ratios.
"""

import json
import statistics
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import chain_memory
from benchmarks.chain_implementations import TASKS, Problem, Question, available, fits, reference
from benchmarks.made_with import made_with
from pipeline.device import keep_freed_memory, synchronize
from pipeline.storage.text_file import write_json
from stages import command

BATCHES, LENGTHS, TAGS = (1, 32, 256), (30, 60, 256), (9, 23)


def main(
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("results/chain.json"),
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    seconds: Annotated[float, typer.Option(help="Aimed at per row of the table.")] = 0.4,
    quick: Annotated[bool, typer.Option(help="Three shapes; one thread.")] = False,
) -> None:
    """Measure every task in every shape, then the peak memory of a loss step."""
    keep_freed_memory()
    shapes = list(product(BATCHES, LENGTHS, TAGS))
    counts = [1] if device != "cpu" else sorted({1, torch.get_num_threads()})
    if quick:
        shapes, counts = [(1, 30, 9), (32, 60, 9), (32, 60, 23)], [1]
    rows = []
    cells = list(product(counts, shapes))
    for threads, (batch, length, tags) in track(cells, "chain", console=Console(stderr=True)):
        torch.set_num_threads(threads)
        problem = Problem.draw(batch, length, tags, device)
        exact = reference(problem)
        asked = {name: ask(problem) for name, ask in available().items()}
        for task in TASKS:
            questions = {
                name: of[task]
                for name, of in asked.items()
                if task in of and fits(name, task, batch, length, tags)
            }
            shape = {"batch": batch, "length": length, "tags": tags, "threads": threads}
            rows.append({"task": task, **shape, **compare(questions, exact.get(task), seconds, device)})
    torch.set_num_threads(counts[-1])
    memory = peak_memory(device)
    result = {**made_with(device=device), "rows": rows, "memory": memory}
    write_json(output, result)
    show(result)


def compare(
    questions: dict[str, Question], exact: torch.Tensor | None, seconds: float, device: str
) -> dict[str, Any]:
    """Let the implementations take turns; return medians in milliseconds, their ratios to ours, and errors.

    The error is the largest difference from the float64 answer (for K-best, which the textbook does not
    have, from ours), as a share of the largest value (at least 1).
    """
    values, first = {}, {}
    for name, ask in questions.items():
        values[name] = ask.value() if hasattr(ask, "value") else ask()
        first[name] = timed(ask, device)
    # Calls right after another implementation, on caches and memory that its tape has filled, take up to 20
    # times as long: the best of three says how many fit into a burst, whose first call is not counted.
    quick = {name: ask for name, ask in questions.items() if first[name] < seconds / 4}
    once = {name: min(timed(ask, device) for _ in range(3)) for name, ask in quick.items()}
    bursts = {name: max(1, min(10, int(0.02 / took))) for name, took in once.items()}
    cost = sum(took * (bursts[name] + 1) for name, took in once.items())
    spent: dict[str, list[float]] = {name: [] for name in questions}
    for turn in range(max(2, int(seconds / max(cost, seconds / 40)))):
        for name, ask in questions.items():
            if name in quick:
                ask()
                spent[name] += [timed(ask, device) for _ in range(bursts[name])]
            elif turn < 2:  # a slow implementation is asked twice, and no more
                spent[name].append(timed(ask, device))
    medians = {name: statistics.median(times) * 1e3 for name, times in spent.items()}
    right = values["ours"] if exact is None else exact
    size = max(1.0, float(right.abs().max()))
    errors = {name: float((value - right).abs().max()) / size for name, value in values.items()}
    return {
        "milliseconds": medians,
        "ratio": {name: value / medians["ours"] for name, value in medians.items()},
        "error": errors,
        "repeats": {name: len(times) for name, times in spent.items()},
    }


def timed(ask: Question, device: str) -> float:
    synchronize(torch.device(device))
    started = time.perf_counter()
    ask()
    synchronize(torch.device(device))
    return time.perf_counter() - started


def peak_memory(device: str) -> dict[str, Any]:
    """Ask each implementation that can for one loss step in a fresh process."""
    found = {}
    for name in available():
        if fits(name, "loss", *chain_memory.SHAPE):
            call = [sys.executable, "-m", "benchmarks.chain_memory", name, device]
            answer = subprocess.run(call, check=True, capture_output=True, text=True).stdout
            found[name] = json.loads(answer)["peak_bytes"]
    batch, length, tags = chain_memory.SHAPE
    return {"batch": batch, "length": length, "tags": tags, "peak_bytes": found}


def show(result: dict[str, Any]) -> None:
    """Print one row per task and shape: our time, and for each peer time, ratio and error."""
    peers = [name for name in available() if name != "ours"]
    table = Table(title=f"Milliseconds (times ours; error against float64) on {result['device']}")
    for heading in ("task", "batch", "length", "tags", "threads", "ours", *peers):
        table.add_column(heading, justify="left" if heading == "task" else "right", no_wrap=True)
    for row in result["rows"]:
        shape = [str(row[key]) for key in ("task", "batch", "length", "tags", "threads")]
        cells = [
            f"{row['milliseconds'][name]:.2f} ({row['ratio'][name]:.1f}×; {row['error'][name]:.0e})"
            if name in row["milliseconds"]
            else "–"
            for name in peers
        ]
        table.add_row(*shape, f"{row['milliseconds']['ours']:.2f} ({row['error']['ours']:.0e})", *cells)
    memory = result["memory"]
    sizes = memory["peak_bytes"]
    console = Console(width=160)
    console.print(table)
    console.print(
        f"Peak memory of a loss step at ({memory['batch']}, {memory['length']}, {memory['tags']}): "
        + ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in sizes.items())
    )


if __name__ == "__main__":
    command.run(main)
