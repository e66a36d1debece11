"""Tables of what was measured apart from any run: the chain, the score store, exports, a teacher."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from pipeline.reporting.tables import NONE, optional, table

OURS = "ours"


def chain_section(result: Mapping[str, Any]) -> str:
    """The linear chain and its peers, from what `benchmarks.chain` wrote."""
    rows = result["rows"]
    peers = list(dict.fromkeys(name for row in rows for name in row["ratio"] if name != OURS))
    kinds = list(dict.fromkeys((row["task"], row["threads"]) for row in rows))
    lines = []
    for task, threads in kinds:
        alike = [row["ratio"] for row in rows if (row["task"], row["threads"]) == (task, threads)]
        cells = [_range([ratio[peer] for ratio in alike if peer in ratio]) for peer in peers]
        lines.append([task, str(threads), *cells])
    shapes = {(row["batch"], row["length"], row["tags"]) for row in rows}
    memory = result["memory"]
    shape = f"{memory['batch']} sentences of {memory['length']} words with {memory['tags']} tags"
    sizes = ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in memory["peak_bytes"].items())
    return "\n\n".join(
        [
            "### The linear chain and its peers",
            table(["", "threads", *peers], lines),
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
        "### The score store",
        table(header, dumps),
        "Peak memory of the whole process, libraries included, for synthetic corpora and a tiny teacher; "
        "*more*: for each sentence that the row above does not have.",
    ]
    for block in result["peers"]:
        rows = [
            [name, f"{figures['bytes_per_word']:.1f}", f"{figures['read_mb_per_s']:.0f}"]
            for name, figures in block["peers"].items()
        ]
        parts.append(table([f"{block['tags']} tags, kept as", "bytes a word", "read, MB/s"], rows))
    return "\n\n".join([*parts, _made(result)])


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
            f"### {result['task']}, how sure the teacher is",
            table(header, rows),
            "The teacher's tag marginals; nats: mean entropy of a word's tag; margin: between a word's two "
            "highest emissions, the median.",
            _made(result),
        ]
    )


def _range(values: Sequence[float]) -> str:
    return f"{median(values):.1f} ({min(values):.1f} – {max(values):.1f})" if values else NONE


def _made(result: Mapping[str, Any]) -> str:
    return f"Commit {result['commit']}, {result['device']}."
