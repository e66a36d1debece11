"""The metrics of one method, always at the same path, so that `dvc metrics diff` compares methods."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Eval, Params
from stages.command import run
from stages.guard import guarded


def main(
    evaluations: Eval,
    code: Code,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    confusion: Annotated[Path, typer.Option(help="CSV file to write: words by actual and predicted tag.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Write the metrics of the parameter `method`, and its confusion matrix."""
    from pipeline.distillation.roles import UNDISTILLED
    from pipeline.reporting.plot_tables import confusion_frame, write_csv
    from pipeline.reporting.stage_outputs import read_evaluations
    from pipeline.reporting.summary import headline, summarise
    from pipeline.storage.text_file import write_json

    with guarded(
        "headline",
        params,
        code,
        lambda given: (given.task, given.methods, given.method, given.seeds),
        out,
        confusion,
    ) as (task, methods, method, seeds):
        shown = [name for name in methods if name in (UNDISTILLED, method)]
        teacher, students = read_evaluations(evaluations, shown, seeds)
        summary = summarise(teacher, students, task=task, scheme=teacher.metrics["scheme"])
        write_json(out, headline(summary, method))
        write_csv(confusion, confusion_frame(students[method].values()))


if __name__ == "__main__":
    run(main)
