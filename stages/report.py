"""All methods side by side: pages, metrics, and the tables of the plots."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Eval, Params, Teacher
from stages.command import run
from stages.guard import ROOT, guarded


def main(
    evaluations: Eval,
    teacher: Teacher,
    students: Annotated[Path, typer.Option(help="The students, from `distill`.")],
    timing: Annotated[Path, typer.Option(help="Epoch times, from `time_epochs`.")],
    code: Code,
    summary: Annotated[Path, typer.Option(help="JSON file to write: every figure.")],
    metrics: Annotated[Path, typer.Option(help="Folder to write: a JSON file per method, for DVC.")],
    plots: Annotated[Path, typer.Option(help="Folder to write the CSV files in.")],
    page: Annotated[Path, typer.Option(help="HTML file to write.")],
    text: Annotated[Path, typer.Option(help="Markdown file to write: a short form of the page.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Compare the methods of `methods` over `seeds` with their teacher."""
    from pipeline.reporting.finished_results import Results
    from pipeline.reporting.next_steps import next_steps
    from pipeline.reporting.written_report import write_report

    uses = lambda given: (given.task, given.methods, given.seeds)
    outs = (summary, metrics, plots, page, text)
    with guarded("report", params, code, uses, *outs) as (task, methods, seeds):
        results = Results.read(
            evaluations, teacher, students, timing, task=task, methods=methods, seeds=seeds
        )
        write_report(results, summary, metrics, plots, page, text, project=ROOT)
    print(text.read_text(encoding="utf-8"))
    print(next_steps(results.summary, results.best, students, page))


if __name__ == "__main__":
    run(main)
