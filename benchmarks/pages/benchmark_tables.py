"""Tables of the benchmarks: chain, score store, live metrics, exported students, a teacher's confidence."""

from collections.abc import Mapping
from statistics import median
from typing import Any

import pandas as pd

from pipeline.reporting.tables import NONE, optional, table

OURS = "ours"


def chain_section(result: Mapping[str, Any]) -> str:
    """The linear chain and its peers, from what `benchmarks.chain` wrote."""
    rows = pd.json_normalize(result["rows"])
    ratios = rows.filter(like="ratio.").drop(columns=f"ratio.{OURS}").rename(columns=lambda name: name[6:])
    kinds = rows[["task", "threads"]].drop_duplicates()
    lines = []
    for task, threads in kinds.itertuples(index=False):
        alike = ratios[(rows["task"] == task) & (rows["threads"] == threads)]
        lines.append([task, str(threads), *(_range(alike[peer].dropna()) for peer in alike)])
    shapes = rows[["batch", "length", "tags"]].drop_duplicates()
    memory = result["memory"]
    shape = f"{memory['batch']} sentences of {memory['length']} words with {memory['tags']} tags"
    sizes = ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in memory["peak_bytes"].items())
    return "\n\n".join(
        [
            "## The linear chain and its peers",
            table(["", "threads", *ratios], lines),
            f"How many times as long as this chain each one takes: median over {len(shapes)} shapes of batch "
            f"(least – most). Peak memory of a loss step on {shape}: {sizes}.",
            _made(result),
        ]
    )


def store_section(result: Mapping[str, Any]) -> str:
    """Memory of `dump`, and the score store beside its peers, from what `benchmarks.store` wrote."""
    header = [
        "sentences", "words", "bytes a word", "4·N", "peak of `dump`, MB", "bytes a sentence more",
        "peak of opening, MB", "bytes a sentence more",
    ]  # fmt: skip
    dumps = [
        [
            f"{row['sentences']:,}",
            f"{row['words']:,}",
            f"{row['bytes_per_word']:.2f}",
            str(row["floor_bytes_per_word"]),
            f"{row['dump_peak_mb']:.0f}",
            optional(row.get("dump_bytes_per_sentence"), "{:.0f}"),
            f"{row['open_peak_mb']:.0f}",
            optional(row.get("open_bytes_per_sentence"), "{:.0f}"),
        ]
        for row in result["dump"]
    ]
    parts = [
        "## The score store",
        table(header, dumps),
        "Peak memory of the whole process, libraries included, for synthetic corpora and a tiny teacher; "
        "*more*: growth since the row above, per sentence.",
    ]
    for block in result["peers"]:
        rows = [
            [name, f"{figures['bytes_per_word']:.1f}", f"{figures['read_mb_per_s']:.0f}"]
            for name, figures in block["peers"].items()
        ]
        parts.append(table([f"{block['tags']} tags, kept as", "bytes a word", "read, MB/s"], rows))
    return "\n\n".join([*parts, _made(result)])


def training_step_section(result: Mapping[str, Any]) -> str:
    """What makes a training step cheaper, from what `benchmarks.training_step` wrote."""
    forms = list(result["rows"][0]["seconds"])
    rows = [
        [
            str(row["threads"]),
            *(f"{row['seconds'][form] * 1000:.0f} ({row['ratio'][form]:.2f})" for form in forms),
        ]
        for row in result["rows"]
    ]
    pieces = result["pieces"]
    return "\n\n".join(
        [
            "## A student's training step",
            table(["threads", *(f"{form}, ms" for form in forms)], rows),
            f"Student of {result['layers']} layers on {result['task']} by `{result['method']}`, batches of "
            f"{result['batch_size']}; "
            f"{pieces['occur']:,} of {pieces['all']:,} pieces occur. Medians of {result['turns']} turns of "
            f"{result['steps']} steps; in brackets, the share of the first column's time in the same turn. "
            "Each + comes on top of the columns before it.",
            _made(result),
        ]
    )


def live_metrics_section(result: Mapping[str, Any]) -> str:
    """What live metrics cost in training, from what `benchmarks.live_metrics` wrote."""
    rows = [
        [
            str(turn),
            *(
                f"{row[kind][measure]:.1f}"
                for measure in ("seconds", "processor_seconds")
                for kind in ("with", "without")
            ),
            f"{row['with']['live_seconds']:.2f}",
            str(row["with"]["written"]),
        ]
        for turn, row in enumerate(result["rows"], 1)
    ]
    measures = ["s, with", "s, without", "CPU s, with", "CPU s, without"]
    header = ["turn", *measures, "CPU s of the live metrics", "metrics written"]
    wall, processor = (median(result["ratio"][kind]) for kind in ("seconds", "processor_seconds"))
    return "\n\n".join(
        [
            "## Live metrics",
            table(header, rows),
            f"A training run of {result['epochs']} epochs with live metrics, and one without them. "
            f"The first takes {wall:.3f} of the time and {processor:.3f} of the CPU time. Writing the "
            f"metrics, including the import of DVCLive, takes {100 * median(result['share']):.2f} % of the "
            "run's CPU time (medians).",
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
            "### Size and speed",
            table(header, rows),
            f"Sentences/s: all {result['sentences']:,} test sentences in batches of 32; ms: some of them, "
            "one at a time; all in one run.",
            _made(result),
        ]
    )


def confidence_section(result: Mapping[str, Any]) -> str:
    """How sure the teacher is of each split, from what `benchmarks.confidence` wrote."""
    header = [
        "",
        "sentences",
        "F1",
        f"words with no tag above {result['sure']:.0%}",
        "nats a word",
        "margin",
    ]
    rows = [
        [
            row["split"],
            f"{row['sentences']:,}",
            f"{row['f1']:.2f}",
            f"{row['unsure']:.2%}",
            f"{row['entropy']:.4f}",
            f"{row['margin']:.1f}",
        ]
        for row in result["rows"]
    ]
    return "\n\n".join(
        [
            f"## {result['task']}, how sure the teacher is",
            table(header, rows),
            "The teacher's tag marginals; nats: mean entropy of a word's tag; margin: between a word's two "
            "highest emissions, the median.",
            _made(result),
        ]
    )


def _range(values: "pd.Series[float]") -> str:
    return NONE if values.empty else f"{values.median():.1f} ({values.min():.1f} – {values.max():.1f})"


def _made(result: Mapping[str, Any]) -> str:
    return f"Commit {result['commit']}, {result['device']}."
