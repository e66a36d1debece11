"""Write a student with its model card, and upload it."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Params
from stages.command import run


def main(
    model: Annotated[Path, typer.Option(help="The student, METHOD/SEED, from `distill`.")],
    evaluated: Annotated[Path, typer.Option("--eval", help="Its metrics, METHOD/SEED, from `evaluate`.")],
    out: Annotated[Path, typer.Option(help="Folder to write: the student with its card.")],
    push: Annotated[str | None, typer.Option(help="Upload it to the hub as ORG/NAME.")] = None,
    licence: Annotated[
        str | None, typer.Option(help="The student's licence by its name on the hub, such as apache-2.0.")
    ] = None,
    params: Params = Path("params.yaml"),
) -> None:
    """Copy a student and add README.md: labels, use, metrics, size, data, training, limits, licence."""
    from pipeline.exporting import hub_upload
    from pipeline.exporting.finished_run import RunSettings, read_run, student_name
    from pipeline.exporting.last_run import check_last_run
    from pipeline.exporting.model_card import model_card
    from pipeline.params import load_params
    from pipeline.training.student_settings import student_settings

    if push is not None:
        hub_upload.check_repository(push)
    read = load_params(params)
    methods = read.distill.model_dump()  # type: ignore[attr-defined]  # by name
    method, seed = student_name(model, methods)
    check_last_run(params, f"{method}-{seed}", f"{read.teachers[0]}-{read.folds[0]}")
    settings = RunSettings(
        task=read.task,
        corpus=read.corpus,
        encoder=read.encoder,
        student_encoder=read.student_encoder,
        teacher=read.teacher,
        dump=read.dump,
        text=read.text,
        augmented=read.augmented,
        student=student_settings(read.student, read.settings(method)),
        method=read.settings(method),
        evaluate=read.evaluate,
        seeds=read.seeds,
        teachers=len(read.teachers),
        folds=len(read.folds),
    )
    card = model_card(read_run(model, evaluated, settings, methods), repository=push, licence=licence)
    hub_upload.write_published(model, card, out)
    print(f"{out / hub_upload.CARD}: written")
    if push is not None:
        print(hub_upload.push(out, push))


if __name__ == "__main__":
    run(main)
