"""The README's tables of what is measured beside the pipeline: unlabelled text, exports."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.tables import quality_table, table


def unlabelled_section(result: Mapping[str, Any]) -> str:
    """What text without tags is worth, from what `benchmarks.unlabelled` wrote."""
    sizes, runs = result["sentences"], result["runs"]
    run = next(iter(runs.values()))
    epochs = " and ".join(
        f"{made['parameters']['student']['epochs']} ({label})" for label, made in runs.items()
    )
    summary = result["summary"]
    return "\n\n".join(
        [
            f"### {result['task']}, a tenth of it labelled",
            quality_table(summary),
            f"{sizes['train']:,} sentences with tags, {sizes['text']:,} without; test set of "
            f"{summary['sentences']:,}. Students of {run['parameters']['student']['layers']} layers, mean ± "
            f"standard deviation over {len(run['parameters']['seeds'])} seeds; epochs: {epochs}.",
            f"Commit {run['commit'][:12]}, {summary['device']}, {run['date']}.",
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
