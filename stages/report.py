"""All methods side by side: metrics, the tables behind the plots, and a page."""

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
    metrics: Annotated[Path, typer.Option(help="JSON file to write: the summary.")],
    plots: Annotated[Path, typer.Option(help="Folder to write the CSV files in.")],
    page: Annotated[Path, typer.Option(help="Markdown file to write.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Compare the methods of `methods` over `seeds` with their teacher."""
    from pipeline.reporting import page as report
    from pipeline.reporting.epoch_times import read_epoch_times
    from pipeline.reporting.outcomes import read_histories, read_outcomes
    from pipeline.reporting.summary import summarise
    from pipeline.storage.text_file import write_json, write_text

    with guarded(
        "report",
        params,
        code,
        lambda given: (given.task, given.methods, given.seeds),
        metrics,
        plots,
        page,
    ) as (task, methods, seeds):
        scored, by_method = read_outcomes(outcomes, methods, seeds)
        summary = summarise(scored, by_method, task=task, scheme=scored.metrics["scheme"])
        times = read_epoch_times(timing)
        curves = read_histories(teacher, students, methods, seeds)
        write_json(metrics, summary)
        report.write_csv(plots / "f1.csv", report.f1_frame(summary))
        report.write_csv(plots / "learning_curves.csv", report.learning_curve_frame(*curves))
        report.write_csv(plots / "epoch_time.csv", report.epoch_time_frame(times))
        text = report.page(summary, times)
        write_text(page, text)
    print(text)


if __name__ == "__main__":
    run(main)
