"""What a user would pick instead of a student: F1, speed, size, start and training of other taggers.

`python -m benchmarks.peers --student data/students/vanilla/1 --student data/students/structural/1`, after
`pip install -c constraints.txt -r benchmarks/requirements.txt`. On one corpus, with one thread each: spaCy's
CNN, CRFsuite, the Trainer of `transformers` as it is and tuned, and students as PyTorch, ONNX and ONNX with
int8 weights. All of them are trained in this run, each in a process of its own: the students once more, as
their folders say. All of them take the corpus's words, and one function scores all of them.

A training's time is whole, development included; a distilled student's is without its teacher's. How fast
sentences are trained is measured in turns, too, without development: the student on gold tags, the Trainer
as it is (once more in batches of the student's size), and the Trainer tuned. On a busy machine trust the
ratios.
"""

import statistics
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.made_with import made_with
from benchmarks.measuring import folder_bytes, in_turns, measured
from benchmarks.taggers import stock_training, student_training
from benchmarks.taggers.corpus import Corpus
from benchmarks.taggers.start_up import start_seconds
from benchmarks.taggers.student_training import Recipe
from benchmarks.taggers.tagger import Tagger, use_one_thread
from benchmarks.taggers.words_per_second import BATCHES, measure
from pipeline.errors import UserError
from pipeline.evaluation.metrics import compute_metrics
from pipeline.params import load_params
from pipeline.storage.sealed_folder import filled
from pipeline.storage.text_file import write_json
from stages import command

SAME_BATCHES = "defaults, but for the batch size"
PACKAGES = ("transformers", "spacy", "python-crfsuite", "onnxruntime", "numpy")


def main(
    student: Annotated[
        list[Path],
        typer.Option(help="A student, METHOD/SEED; repeatable. The Trainer takes the first's shape."),
    ],
    data: Annotated[Path, typer.Option(help="Folder with what the pipeline made.")] = Path("data"),
    output: Annotated[Path | None, typer.Option(help="JSON file; else results/peers-TASK.json.")] = None,
    rounds: Annotated[int, typer.Option(help="Turns of each tagger.")] = 3,
    sentences: Annotated[int, typer.Option(help="Training sentences in a turn of training.")] = 4000,
    quick: Annotated[bool, typer.Option(help="Few steps of each training, to try the script.")] = False,
) -> None:
    """Train all taggers and measure them on the test split."""
    for library in ("spacy", "pycrfsuite"):
        if find_spec(library) is None:
            raise UserError(
                f"{library} is not installed; run "
                "`pip install -c constraints.txt -r benchmarks/requirements.txt`"
            )
    use_one_thread()
    torch.set_num_threads(1)
    params = load_params(Path("params.yaml"))
    corpus = Corpus.read(data / "encoded")
    recipes = [Recipe.of(folder) for folder in student]
    recipes[0].check_like_in_trainer()
    if quick:
        recipes = [recipe.with_epochs(1) for recipe in recipes]
    encoder = filled(data / "student_encoder", data / "encoder")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        taggers = peers(corpus, recipes[0], encoder, place, quick)
        for number, recipe in enumerate(recipes):
            taggers += students(recipe, data, params.counts, place / f"student-{number}")
        rows = tagging(taggers, corpus, rounds)
    result = {
        "task": params.task,
        "sentences": {"train": len(corpus.train), "dev": len(corpus.dev), "test": len(corpus.test)},
        "students": {recipe.name: recipe.as_json() for recipe in recipes},
        "rows": rows,
        "training": training(corpus, recipes[0], data, encoder, 64 if quick else sentences, rounds),
        **made_with(*PACKAGES),
    }
    write_json(output or Path("results", f"peers-{params.task}.json"), result)
    show(result)


def peers(corpus: Corpus, recipe: Recipe, encoder: Path, place: Path, quick: bool) -> list[Tagger]:
    """Train what is not ours, in folders of `place`."""
    from benchmarks.taggers import crfsuite_training, spacy_cnn_training

    train, dev = corpus.train, corpus.dev
    spacy, crf = place / "spacy", place / "crfsuite"
    seconds = measured(spacy_cnn_training.train, train, dev, spacy, 200 if quick else None)["seconds"]
    found = [
        Tagger("spaCy CNN", "benchmarks.taggers.spacy_cnn:load", spacy / spacy_cnn_training.BEST, seconds)
    ]
    seconds = measured(crfsuite_training.train, train, crf, 10 if quick else None)["seconds"]
    found.append(Tagger("CRFsuite", "benchmarks.taggers.crfsuite:load", crf, seconds))
    for form in stock_training.FORMS:
        out = place / form
        arguments = (form, recipe.student, encoder, corpus.tag_set, train, dev, out, 1 if quick else None)
        seconds = measured(stock_training.train, *arguments)["seconds"]
        found.append(Tagger(f"Trainer, {form}", "benchmarks.taggers.stock:load", out, seconds))
    return found


def students(recipe: Recipe, data: Path, counts: tuple[int, int], place: Path) -> list[Tagger]:
    """Train a student again, in `place`, and export it."""
    trained, float32, int8 = (place / name for name in ("trained", "float32", "int8"))
    seconds = measured(student_training.train_again, recipe, data, counts, trained)["seconds"]
    measured(student_training.export, trained, float32, False)
    measured(student_training.export, trained, int8, True)
    name, onnx = recipe.name, "benchmarks.taggers.student:load_onnx"
    return [
        Tagger(f"{name}, PyTorch", "benchmarks.taggers.student:load_torch", trained, seconds),
        Tagger(f"{name}, ONNX", onnx, float32),
        Tagger(f"{name}, ONNX int8", onnx, int8),
    ]


def tagging(taggers: Sequence[Tagger], corpus: Corpus, rounds: int) -> list[dict[str, Any]]:
    """F1, speed, size and start of each tagger."""
    words, gold = ([getattr(one, part) for one in corpus.test] for part in ("words", "tags"))
    found = measured(measure, taggers, words, rounds)
    rows = []
    for tagger in taggers:
        minutes = None if tagger.training_seconds is None else tagger.training_seconds / 60
        rows.append(
            {
                "tagger": tagger.name,
                "f1": compute_metrics(gold, found[tagger.name]["tags"], scheme=corpus.tag_set.scheme).f1,
                "words_per_second": found[tagger.name]["words_per_second"],
                "megabytes": folder_bytes(tagger.folder) / 1e6,
                "start_seconds": start_seconds(tagger, words[0]),
                "training_minutes": minutes,
            }
        )
    return rows


def training(
    corpus: Corpus, recipe: Recipe, data: Path, encoder: Path, sentences: int, rounds: int
) -> dict[str, Any]:
    """Sentences per second of an epoch of the student and of the Trainer, in turns."""
    student, some = recipe.student, corpus.train[:sentences]
    given = (student, encoder, corpus.tag_set, some)
    stock = stock_training.epoch_seconds
    epochs: dict[str, tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]] = {
        "student": (student_training.epoch_seconds, (student, data, len(some), recipe.seed)),
        "defaults": (stock, ("defaults", *given)),
        SAME_BATCHES: (stock, ("defaults", *given, student.batch_size)),
        "tuned": (stock, ("tuned", *given)),
    }
    spent: dict[str, list[float]] = {name: [] for name in epochs}
    for name in in_turns(list(epochs), rounds):
        work, arguments = epochs[name]
        spent[name].append(measured(work, *arguments)["training_seconds"])
    medians = {name: statistics.median(times) for name, times in spent.items()}
    return {
        "sentences": len(some),
        "batch_size": student.batch_size,
        "sentences_per_second": {name: len(some) / seconds for name, seconds in medians.items()},
        "time_to": {name: medians["student"] / medians[name] for name in medians if name != "student"},
    }


def show(result: dict[str, Any]) -> None:
    """Print a row for each tagger, and the speed of training."""
    table = Table(title=f"{result['task']}, one thread, on {result['device']}")
    headings = (
        "tagger",
        "F1",
        *(f"words/s, batches of {size}" for size in BATCHES),
        "MB",
        "start, s",
        "training, min",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "tagger" else "right")
    for row in result["rows"]:
        minutes = row["training_minutes"]
        table.add_row(
            row["tagger"],
            f"{row['f1']:.2f}",
            *(f"{row['words_per_second'][str(size)]:,.0f}" for size in BATCHES),
            f"{row['megabytes']:.1f}",
            f"{row['start_seconds']:.2f}",
            "" if minutes is None else f"{minutes:.1f}",
        )
    console = Console(width=110)
    console.print(table)
    for name, speed in result["training"]["sentences_per_second"].items():
        console.print(f"training, {name}: {speed:.0f} sentences/s")


if __name__ == "__main__":
    command.run(main)
