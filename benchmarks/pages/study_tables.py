"""Tables of what students learn beside the main runs: from unlabelled text, with other heads and settings."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.tables import quality_table, table


def unlabelled_section(result: Mapping[str, Any]) -> str:
    """What text without tags is worth, from what `benchmarks.studies.unlabelled` wrote."""
    sizes, runs = result["sentences"], result["runs"]
    epochs = " and ".join(
        f"{made['parameters']['student']['epochs']} ({label})" for label, made in runs.items()
    )
    return _students_section(
        "a tenth of it labelled",
        result,
        before=f"{sizes['train']:,} sentences with tags, {sizes['text']:,} without. ",
        after=f"; epochs: {epochs}",
    )


def heads_section(result: Mapping[str, Any]) -> str:
    """Students with a CRF and, named "… softmax", without one, from what `benchmarks.studies.heads` wrote."""
    return _students_section("with a CRF and without", result)


def variants_section(result: Mapping[str, Any]) -> str:
    """Other schedules of λ and another student.init, from what `benchmarks.studies.variants` wrote."""
    return _students_section("other schedules and starts", result)


def ablation_section(result: Mapping[str, Any]) -> str:
    """A method with one setting changed at a time, from what `benchmarks.studies.ablation` wrote."""
    rows = [[f"`{row['method']}`, {row['change']}", f"{row['development_f1']:.2f}"] for row in result["rows"]]
    run, summary = result["run"], result["summary"]
    seeds = max(len(figures["f1"]["seeds"]) for figures in summary["methods"].values())
    return "\n\n".join(
        [
            f"### {result['task']}, one setting changed",
            table(["", "development F1"], rows),
            f"Students of {run['parameters']['student']['layers']} layers, one seed. As tuned: the method's "
            f"best cell of the search. And with {result['confirmed']}, {seeds} seeds, scored on test:",
            quality_table(summary),
            _on_development(result),
            made_line(run, result["device"]),
        ]
    )


def made_line(run: Mapping[str, Any], device: str, *, what: str = "Commit") -> str:
    """From which commit, where and when figures are."""
    return f"{what} {run['commit'][:12]}, {device}, {run['date']}."


def _students_section(title: str, result: Mapping[str, Any], *, before: str = "", after: str = "") -> str:
    summary, run = result["summary"], next(iter(result["runs"].values()))
    layers, seeds = run["parameters"]["student"]["layers"], run["parameters"]["seeds"]
    return "\n\n".join(
        [
            f"### {result['task']}, {title}",
            quality_table(summary),
            f"{before}Test set of {summary['sentences']:,} sentences; students of {layers} layers, "
            f"mean ± standard deviation over {len(seeds)} seeds{after}. {_on_development(result)}",
            made_line(run, summary["device"]),
        ]
    )


def _on_development(result: Mapping[str, Any]) -> str:
    figures = ", ".join(
        f"{name if name == 'teacher' else f'`{name}`'} {f1:.2f}"
        for name, f1 in result["development_f1"].items()
    )
    return f"On development, means over seeds: {figures}."
