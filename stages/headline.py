"""The figures of one method, at a path that never moves, so that `dvc metrics diff` compares methods."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Eval, Params
from stages.command import run


def main(
    outcomes: Eval,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    confusion: Annotated[Path, typer.Option(help="CSV file to write: words by actual and predicted tag.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Write the figures of the parameter `method`, and its confusion matrix."""
    from pipeline.distillation.roles import UNDISTILLED
    from pipeline.params import load_params
    from pipeline.reporting.outcomes import read_outcomes
    from pipeline.reporting.page import confusion_frame, write_csv
    from pipeline.reporting.summary import headline, summarise
    from pipeline.storage.text_file import write_json

    settings = load_params(params)
    methods = [name for name in settings.methods if name in (UNDISTILLED, settings.method)]
    teacher, students = read_outcomes(outcomes, methods, settings.seeds)
    summary = summarise(teacher, students, task=settings.task, scheme=teacher.metrics["scheme"])
    write_json(out, headline(summary, settings.method))
    write_csv(confusion, confusion_frame(students[settings.method].values()))


if __name__ == "__main__":
    run(main)
