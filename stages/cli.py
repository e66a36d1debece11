"""The console command `substructured`: every stage as a subcommand."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stages import (
    check_student,
    distill,
    download,
    dump,
    dump_text,
    encode_text,
    evaluate,
    export,
    fingerprint,
    fold_teacher,
    further_teacher,
    headline,
    predict,
    prepare,
    prepare_student,
    publish,
    report,
    teacher,
    text,
    time_epochs,
)
from stages.arguments import Mirror, Params
from stages.check_corpus import check_corpus
from stages.command import application, run_application

MODELS = (predict, export, publish)
PIPELINE = (
    fingerprint, download, prepare, prepare_student, text, encode_text, check_student, teacher,
    further_teacher, fold_teacher, dump, dump_text, distill, evaluate, time_epochs, headline, report,
)  # fmt: skip


def check(
    file: Annotated[Path | None, typer.Argument(exists=True, help="One file, read as the task's.")] = None,
    encoder: Annotated[
        Path | None, typer.Option(help="Folder whose tokenizer is asked which words it breaks.")
    ] = None,
    mirror: Mirror = None,
    params: Params = Path("params.yaml"),
) -> None:
    """Say what the files of the parameter `task` hold, and what is wrong with them."""
    check_corpus(file, params, encoder=encoder, mirror=mirror)


def main() -> None:
    """Run the subcommand that the command line names."""
    app = application()
    app.callback()(_project)
    app.command(rich_help_panel="Models and text")(check)
    panels = {"Models and text": MODELS, "Stages of the pipeline, as `dvc repro` runs them": PIPELINE}
    for panel, stages in panels.items():
        for stage in stages:
            name = stage.__name__.rpartition(".")[2].replace("_", "-")
            app.command(name, rich_help_panel=panel)(stage.main)
    words = sys.argv[1:] or [""]
    run_application(app, words[0].replace("-", "_"), words[1:])


def _project() -> None:
    """Sub-structured knowledge distillation for BERT-CRF taggers."""
