"""Evaluate one model on the test split."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Params
from stages.command import run
from stages.guard import guarded
from stages.items import student_folder


def main(
    encoded: Encoded,
    model: Annotated[Path, typer.Option(help="A model; with --item, the folder of all students.")],
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write; with --item, METHOD/SEED is written there.")],
    student_encoded: Annotated[
        Path | None, typer.Option(help="The corpus for the students' own encoder; empty: `encoded`.")
    ] = None,
    item: Annotated[str | None, typer.Option(envvar="DVC_STAGE", help="Which student: METHOD-SEED.")] = None,
    params: Params = Path("params.yaml"),
) -> None:
    """Tag the test split; write metrics, size, speed, and every predicted tag with its confidence."""
    import logging

    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.split_file import load, read_column
    from pipeline.errors import UserError
    from pipeline.evaluation.evaluate import evaluate, save_evaluation, why_zero
    from pipeline.evaluation.settings import Evaluate
    from pipeline.model.model_folder import load_model
    from pipeline.storage.sealed_folder import check, filled

    model, out = student_folder(model, item), student_folder(out, item)
    settings: Evaluate
    with guarded("evaluate", params, code, lambda given: given.evaluate, out) as settings:
        if student_encoded is not None:
            encoded = filled(student_encoded, encoded)
        check(encoded)
        test = encoded / "test.parquet"
        if not len(split := load(test)):
            raise UserError(
                f"{test}: holds no sentence, so nothing can be evaluated; give the corpus files.test, or "
                "skip `evaluate`: `dvc repro distill` makes data/students without it"
            )
        batches = Batches(split, settings.batch_size)
        gold = read_column(test, "tags")
        evaluation = evaluate(load_model(model), model, batches, gold, accelerator(settings.precision))
        save_evaluation(out, evaluation, read_column(test, "words"), gold)
    metrics = evaluation.metrics
    if metrics["f1"] == 0:
        logging.warning(f"{model}: its F1 on test is 0: {why_zero(gold, trained=metrics['kept_epoch'] > 0)}")
    print(f"{model}: test F1 {metrics['f1']:.2f}, {metrics['sentences_per_second']:.0f} sentences/s")


if __name__ == "__main__":
    run(main)
