"""What unlabelled text is worth: a tenth of a corpus with its tags, the rest of it as text without.

Two runs of the pipeline, through DVC's cache, so that a stopped one goes on: the teacher and all students on
the labelled tenth alone, then the students that have a teacher's term on both. Run it from the root of a
checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.unlabelled conll2000 --device cpu
"""

import os
import random
import shlex
import subprocess
import tempfile
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.experiment import exp_run
from pipeline.corpora.corpus_files import fetch_corpus, read_splits
from pipeline.corpora.tagging import Sentence
from pipeline.params import Corpus, load_params
from pipeline.reporting.outcomes import Outcome, read_outcomes, write_json
from pipeline.reporting.provenance import provenance
from pipeline.reporting.summary import summarise

PARAMS, EVAL, RESULTS = Path("params.yaml"), Path("data/eval"), Path("results")
CHOICE = 0  # seed of the draw of labelled sentences
SHARE = 10  # one sentence in so many keeps its tags


def write_parts(corpus: Corpus, folder: Path, mirror: Path | None) -> dict[str, int]:
    """Write train, dev and test in columns and the rest of train as text.txt; how many sentences each has."""
    with tempfile.TemporaryDirectory() as place:
        fetch_corpus(corpus, Path(place), mirror=mirror)
        splits = read_splits(Path(place), corpus)
    whole = splits["train"]
    chosen = set(random.Random(CHOICE).sample(range(len(whole)), len(whole) // SHARE))
    splits["train"] = [sentence for number, sentence in enumerate(whole) if number in chosen]
    text = [sentence for number, sentence in enumerate(whole) if number not in chosen]
    folder.mkdir(parents=True, exist_ok=True)
    for name, sentences in splits.items():
        (folder / f"{name}.conll").write_text("".join(map(columns, sentences)), encoding="utf-8")
    lines = "".join(" ".join(sentence.words) + "\n" for sentence in text)
    (folder / "text.txt").write_text(lines, encoding="utf-8")
    return {name: len(sentences) for name, sentences in splits.items()} | {"text": len(text)}


def columns(sentence: Sentence) -> str:
    """Word and tag a line, and a blank line."""
    pairs = zip(sentence.words, sentence.tags or (), strict=True)
    return "".join(f"{word} {tag}\n" for word, tag in pairs) + "\n"


def show(result: dict[str, Any]) -> None:
    summary, development = result["summary"], result["development_f1"]
    table = Table("", "F1 on test", "± over seeds", "gap closed", "F1 on development", title=result["task"])
    table.add_row("teacher", f"{summary['teacher']['f1']:.2f}", "", "", f"{development['teacher']:.2f}")
    for name, figures in summary["methods"].items():
        f1, share = figures["f1"], figures["gap_closed"]
        spread = "–" if f1["std"] is None else f"{f1['std']:.2f}"
        closed = "–" if share is None else f"{share:.0%}"
        table.add_row(name, f"{f1['mean']:.2f}", spread, closed, f"{development[name]:.2f}")
    Console().print(table)


def main(
    task: Annotated[str, typer.Argument(help="A name under `corpora`, as conll2000 or conll2003.")],
    device: Annotated[str, typer.Option(help="Ends the name of the file in results/.")],
    seeds: Annotated[list[int], typer.Option(help="Of the students.")] = [1, 2, 3],  # noqa: B006
    methods: Annotated[list[str], typer.Option(help="With and without text, beside vanilla.")] = [  # noqa: B006
        "structural",
        "posterior",
        "efficient",
    ],
    epochs: Annotated[int, typer.Option(help="Of students with text.")] = 8,
    labelled_epochs: Annotated[int, typer.Option(help="Of students without.")] = 8,
    put: Annotated[list[str], typer.Option("--set", help="KEY=VALUE of params.yaml, for both runs.")] = [],  # noqa: B006
    dry_run: Annotated[bool, typer.Option(help="Write the data and print the commands only.")] = False,
) -> None:
    """Run the experiment and write results/TASK-unlabelled-DEVICE.json."""
    provenance(load_params(PARAMS))  # refuses uncommitted code before hours are spent, not after
    corpus, root = load_params(PARAMS).corpora[task], os.environ.get("CORPUS_MIRROR")
    name, folder = f"{task}_tenth", Path("data/own") / f"{task}_tenth"
    sizes = write_parts(corpus, folder, Path(root, task) if root else None)
    shared = [f"task={name}", "student.layers=2", f"seeds=[{','.join(map(str, seeds))}]", *put]
    shared.append(f"++corpora.{name}.scheme={'plain' if corpus.scheme == 'plain' else 'iob2'}")
    shared += [f"++corpora.{name}.files.{split}={folder}/{split}.conll" for split in ("train", "dev", "test")]

    runs = {
        "labelled": ([f"student.epochs={labelled_epochs}", "distill.unlabelled=null"], ["vanilla", *methods]),
        "with text": ([f"student.epochs={epochs}", f"distill.unlabelled={folder}/text.txt"], methods),
    }
    made: dict[str, Any] = {}
    students: dict[str, dict[int, Outcome]] = {}
    for label, (own, of) in runs.items():
        targets = [f"evaluate@{method}-{seed}" for method in of for seed in seeds]
        words = exp_run([*shared, *own], ["evaluate_teacher", *targets])
        print(shlex.join(["dvc", *words[3:]]), flush=True)
        if dry_run:
            continue
        if status := subprocess.run(words, check=False).returncode:
            raise SystemExit(status)  # DVC has said why; the same command goes on from there
        made[label] = provenance(load_params(PARAMS))
        teacher, outcomes = read_outcomes(EVAL, of, seeds)
        ending = "" if label == "labelled" else f" {label}"
        students |= {f"{method}{ending}": by_seed for method, by_seed in outcomes.items()}
    if dry_run:
        return
    development = {
        label: mean(outcome.metrics["development_f1"] for outcome in by_seed.values())
        for label, by_seed in ({"teacher": {0: teacher}} | students).items()
    }
    result = {
        "task": task,
        "sentences": sizes,
        "summary": summarise(teacher, students, task=name, scheme=teacher.metrics["scheme"]),
        "development_f1": development,
        "runs": made,
    }
    write_json(RESULTS / f"{task}-unlabelled-{device}.json", result)
    show(result)


if __name__ == "__main__":
    typer.run(main)
