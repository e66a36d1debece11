"""All methods side by side: a page, metrics, and the tables of the plots."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Eval, Params, Teacher
from stages.command import run
from stages.guard import guarded


def main(
    outcomes: Eval,
    teacher: Teacher,
    students: Annotated[Path, typer.Option(help="The students, from `distill`.")],
    timing: Annotated[Path, typer.Option(help="Epoch times, from `time_epochs`.")],
    code: Code,
    summary: Annotated[Path, typer.Option(help="JSON file to write: every figure.")],
    metrics: Annotated[Path, typer.Option(help="Folder to write: a JSON file per method, for DVC.")],
    plots: Annotated[Path, typer.Option(help="Folder to write the CSV files in.")],
    page: Annotated[Path, typer.Option(help="Markdown file to write.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Compare the methods of `methods` over `seeds` with their teacher."""
    from pipeline.reporting import page as report
    from pipeline.reporting.epoch_times import read_epoch_times
    from pipeline.reporting.method_metrics import write_method_metrics
    from pipeline.reporting.next_steps import best_student, next_steps
    from pipeline.reporting.outcomes import read_histories, read_outcomes
    from pipeline.reporting.summary import summarise
    from pipeline.storage.text_file import write_json, write_text

    uses = lambda given: (given.task, given.methods, given.seeds)  # noqa: E731
    with guarded("report", params, code, uses, summary, metrics, plots, page) as (task, methods, seeds):
        scored, by_method = read_outcomes(outcomes, methods, seeds)
        figures = summarise(scored, by_method, task=task, scheme=scored.metrics["scheme"])
        times = read_epoch_times(timing)
        curves = read_histories(teacher, students, methods, seeds)
        write_json(summary, figures)
        write_method_metrics(metrics, figures)
        report.write_csv(plots / "f1.csv", report.f1_frame(figures))
        report.write_csv(plots / "learning_curves.csv", report.learning_curve_frame(*curves))
        report.write_csv(plots / "epoch_time.csv", report.epoch_time_frame(times))
        text = report.page(figures, times)
        write_text(page, text)
    print(text)
    print(next_steps(figures, best_student(figures, by_method), students, page))


if __name__ == "__main__":
    run(main)
