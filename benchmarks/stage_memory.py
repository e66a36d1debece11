"""What sentences cost in memory as they grow: the peak of each stage, and of each method's student.

Sentences are synthetic, 5 to 35 words of one or two pieces; teacher and student are a tiny BERT with random
weights. Each stage runs whole, in a process of its own: `prepare` on so many labelled sentences, the others
on as many without tags. A student learns for a few hundred steps, fewer than a pass has:

    python -m benchmarks.stage_memory results/stage_memory.json --sentences 1000000 --sentences 4000000
"""

import shutil
import tempfile
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.dump import dump
from benchmarks.made_with import made_with
from benchmarks.measuring import folder_bytes, measured
from benchmarks.synthetic_corpus import TAG_SET, synthetic_sentences
from pipeline.distillation.registry import method_names
from pipeline.fingerprint import fingerprints
from pipeline.storage.sealed_folder import new_folder
from pipeline.storage.text_file import write_json, write_text
from stages import command
from tests.helpers.tiny_corpus import SYLLABLES, columns
from tests.helpers.tiny_encoders import POSITIONS, write_encoder
from tests.helpers.tiny_inputs import write_split, write_teacher

ROOT = Path(__file__).parents[1]
LABELLED = {"train": 1000, "dev": 50, "test": 50}  # sentences
LINES = 10_000  # that are written at a time
STUDENT = {"layers": 1, "epochs": None, "labelled_share": 0.1, "batch_size": 32, "precision": "float32"}

Stage = tuple[str, dict[str, str], str, str]
"""Module, options with folders that it reads, what it writes, and its item in dvc.yaml, if it has one."""

STAGES: list[Stage] = [
    ("prepare", {"corpus": "labelled", "encoder": "encoder"}, "prepared", ""),
    ("text", {"corpus": "corpus"}, "text", ""),
    ("encode_text", {"text": "text", "encoder": "encoder", "encoded": "encoded"}, "text_encoded", ""),
    (
        "dump_text",
        {
            "text": "text_encoded",
            "teacher": "teacher",
            "scoring_teachers": "scoring_teachers",
            "imported_scores": "imported_scores",
            "root": "",
        },
        "text_scores",
        "1",
    ),
]
READ_BY_STUDENTS = ("encoded", "encoder", "teacher", "scores", "text_scores")
NOT_GIVEN = ("student_encoded", "student_encoder", "student_text", "scoring_teachers", "imported_scores")
"""What the stages read too, with nothing in it: students have the teacher's encoder, and its scores alone."""


def write_lines(path: Path, count: int) -> dict[str, Any]:
    """A text of `count` sentences, hardly two of them the same."""
    chance, words = np.random.default_rng(0), 0
    vocabulary = np.array([*SYLLABLES, *(one + two for one in SYLLABLES for two in SYLLABLES)], object)
    with path.open("w") as file:
        for start in range(0, count, LINES):
            lengths = chance.integers(5, 36, min(LINES, count - start))
            flat = vocabulary[chance.integers(len(vocabulary), size=lengths.sum())]
            file.writelines(" ".join(part) + "\n" for part in np.split(flat, lengths.cumsum()[:-1]))
            words += int(lengths.sum())
    return {"words": words}


def write_labelled_lines(place: Path) -> dict[str, Any]:
    """The sentences of the text as the training split of a corpus, each word with the tag O."""
    with new_folder(place / "labelled") as aside:
        shutil.copytree(
            place / "corpus", aside, ignore=shutil.ignore_patterns("seal.json"), dirs_exist_ok=True
        )
        with (place / "text.txt").open() as text, (aside / "train" / "train.conll").open("w") as file:
            file.writelines(line.strip().replace(" ", " O\n") + " O\n\n" for line in text)
    return {}


def write_inputs(root: Path, steps: int) -> dict[str, Any]:
    """All that the stages read beside the text, in `root`."""
    write_labelled(root)
    for name in NOT_GIVEN:
        with new_folder(root / name):
            pass
    for name, digest in fingerprints(ROOT).items():
        write_text(root / "code" / name, digest + "\n")
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(ROOT / "params.yaml")
    files = {split: f"{split}.conll" for split in LABELLED}
    tree |= {"task": "synthetic", "corpora": {"synthetic": {"files": files}}}
    tree["prepare"] = {"window": POSITIONS, "overlap": 6}
    tree["unlabelled"] |= {"files": str(root / "text.txt")}
    tree["student"] |= STUDENT | {"steps": steps, "evaluate_every": steps}
    yaml.dump(tree, root / "params.yaml")
    return {}


def write_labelled(root: Path) -> None:
    """A small corpus, fetched and encoded, its teacher and the teacher's scores."""
    sentences = synthetic_sentences(sum(LABELLED.values()))
    plain = write_encoder(root / "plain", "bert")
    with new_folder(root / "encoder") as aside:
        shutil.copytree(plain, aside, dirs_exist_ok=True)
    with new_folder(root / "encoded") as aside, new_folder(root / "corpus") as corpus:
        for split, count in LABELLED.items():
            part, sentences = sentences[:count], sentences[count:]
            write_split(aside / f"{split}.parquet", part, plain, tag_set=TAG_SET)
            write_text(corpus / split / f"{split}.conll", columns(part))
    write_teacher(root / "teacher", plain, root / "encoded")


def write_scores(root: Path) -> dict[str, Any]:
    """The teacher's scores of the small corpus."""
    (root / "dump").mkdir()
    for name in ("encoded", "teacher", "imported_scores"):
        (root / "dump" / name).symlink_to(root / name)
    shutil.copy(root / "code/dump", root / "dump/code")
    dump(root / "dump")
    (root / "scores").symlink_to(root / "dump/scores")
    return {}


def run_stage(
    module: str, root: Path, reads: dict[str, str], out: Path, code: str, item: str
) -> dict[str, Any]:
    """The stage itself."""
    main = import_module(f"stages.{module}").main
    given: dict[str, Any] = {option: root / name for option, name in reads.items()}
    given |= {"code": root / "code" / code, "out": out, "params": root / "params.yaml"}
    main(**given, **({"item": item} if item else {}))
    return {}


def measure(root: Path, sentences: int, steps: int) -> dict[str, Any]:
    """Peak memory and seconds of each stage over a text of so many sentences."""
    place = root / str(sentences)
    place.mkdir()
    words = measured(write_lines, place / "text.txt", sentences)["words"]
    measured(write_inputs, place, steps)
    measured(write_scores, place)
    measured(write_labelled_lines, place)
    stages = {}
    for module, reads, out, item in STAGES:
        stages[module] = measured(run_stage, module, place, reads, place / out, module, item)
    reads = {name: name for name in (*READ_BY_STUDENTS, *NOT_GIVEN)} | {"text": "text_encoded", "root": ""}
    for method in method_names():
        arguments = ("distill", place, reads, place / "students", "distill", f"{method}-1")
        stages[f"distill {method}"] = measured(run_stage, *arguments)
    sizes = {
        f"{name}_mb": folder_bytes(place / name) / 1e6
        for name in ("prepared", "text", "text_encoded", "text_scores")
    }
    shutil.rmtree(place)
    return {"sentences": sentences, "words": words, "stages": stages, **sizes}


def add_growth(rows: list[dict[str, Any]]) -> None:
    """Give every stage the bytes of memory that a sentence more than in the row before costs."""
    for smaller, row in pairwise(rows):
        more = row["sentences"] - smaller["sentences"]
        for name, figures in row["stages"].items():
            growth = figures["peak_mb"] - smaller["stages"][name]["peak_mb"]
            figures["bytes_per_sentence"] = growth * 1e6 / more


def show(rows: list[dict[str, Any]]) -> None:
    table = Table("stage", *(f"{row['sentences']:,}" for row in rows), title="Peak MB, bytes a sentence more")
    for name in rows[0]["stages"]:
        cells = [row["stages"][name] for row in rows]
        table.add_row(
            name,
            *(
                f"{cell['peak_mb']:,.0f}"
                + (f" ({cell['bytes_per_sentence']:,.0f})" if "bytes_per_sentence" in cell else "")
                for cell in cells
            ),
        )
    Console().print(table)


def main(
    output: Annotated[Path, typer.Argument(help="JSON file for the figures")],
    sentences: Annotated[list[int], typer.Option(help="sizes of the text")] = [10_000, 100_000, 1_000_000],
    steps: Annotated[int, typer.Option(help="of each student")] = 200,
    place: Annotated[Path | None, typer.Option(help="folder for what the stages write; needs room")] = None,
) -> None:
    """Measure all sizes, write the figures after each, and print a table."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=place) as folder:
        for size in sorted(sentences):
            rows.append(measure(Path(folder).resolve(), size, steps))
            add_growth(rows)
            write_json(output, {**made_with("numpy", "pyarrow", "tokenizers"), "steps": steps, "rows": rows})
    show(rows)


if __name__ == "__main__":
    command.run(main)
