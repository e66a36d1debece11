"""The README's tables of what is measured beside the pipeline: unlabelled text, heads, exports."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.tables import quality_table, table


def unlabelled_section(result: Mapping[str, Any]) -> str:
    """What text without tags is worth, from what `benchmarks.unlabelled` wrote."""
    sizes, runs = result["sentences"], result["runs"]
    epochs = " and ".join(
        f"{made['parameters']['student']['epochs']} ({label})" for label, made in runs.items()
    )
    return "\n\n".join(
        [
            f"### {result['task']}, a tenth of it labelled",
            quality_table(result["summary"]),
            f"{sizes['train']:,} sentences with tags, {sizes['text']:,} without. {_students(result)}; "
            f"epochs: {epochs}.",
            _made(result),
        ]
    )


def heads_section(result: Mapping[str, Any]) -> str:
    """Students with a CRF and, named "… softmax", without one, from what `benchmarks.heads` wrote."""
    return "\n\n".join(
        [
            f"### {result['task']}, with a CRF and without",
            quality_table(result["summary"]),
            f"{_students(result)}.",
            _made(result),
        ]
    )


def latency_section(result: Mapping[str, Any]) -> str:
    """Size and speed of teacher, student and its exports, from what `benchmarks.latency` wrote."""
    header = ["", "threads", "MB", "ms, one sentence", "sentences/s", "× teacher", "F1"]
    rows = [
        [
            row["model"],
            str(row["threads"]),
            f"{row['megabytes']:.1f}",
            f"{row['latency_ms']:.1f}",
            f"{row['sentences_per_second']:.0f}",
            f"{row['times_teacher']:.2f}",
            f"{row['f1']:.2f}",
        ]
        for row in result["rows"]
    ]
    return "\n\n".join(
        [
            "### Exported students",
            table(header, rows),
            f"Test set of {result['sentences']:,} sentences, one at a time and in batches of 32, in one run.",
            f"Commit {result['commit']}, {result['device']}.",
        ]
    )


def _students(result: Mapping[str, Any]) -> str:
    parameters = next(iter(result["runs"].values()))["parameters"]
    return (
        f"Test set of {result['summary']['sentences']:,} sentences; students of "
        f"{parameters['student']['layers']} layers, mean ± standard deviation over "
        f"{len(parameters['seeds'])} seeds"
    )


def _made(result: Mapping[str, Any]) -> str:
    run = next(iter(result["runs"].values()))
    return f"Commit {run['commit'][:12]}, {result['summary']['device']}, {run['date']}."
