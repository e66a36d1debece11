"""What the score store costs: bytes per word, rates and peak memory, as the corpus grows, beside its peers.

And what the stage that writes it, and opening it, cost in memory as a whole (see `benchmarks.dump`).

Each measurement runs in a process of its own, since a process's peak memory never sinks. Sentences are
synthetic: normally distributed emissions, 5 to 35 words. Reads come from the page cache (the file has just
been written); rates are in MB (10⁶ bytes of emissions) per second of wall time, memory in MB (10⁶ bytes).
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
import typer
from rich.console import Console
from rich.table import Table
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from benchmarks import measuring
from benchmarks.dump import measure_dumps
from benchmarks.made_with import made_with
from benchmarks.measuring import Work, folder_bytes, peak
from pipeline.scores.shards import ChainParameters, Origin
from pipeline.scores.store import ScoreStore
from pipeline.scores.write_store import ScoredBatch, write_scores
from pipeline.storage.text_file import write_json
from stages import command

BATCH = 32
REPEATS = 5  # of a peer's read
TIMED_BATCHES = 200  # how many random batches are read to time one


def batches(sentences: int, tags: int) -> Iterator[ScoredBatch]:
    """Batches as a dump gives them: sorted by length, so that ids come in no order."""
    chance = torch.Generator().manual_seed(0)
    lengths = torch.randint(5, 36, (sentences,), generator=chance)
    for ids in lengths.argsort(stable=True).split(BATCH):
        yield ids, lengths[ids], torch.randn(int(lengths[ids].sum()), tags, generator=chance)


def random_batches(sentences: int) -> Iterator[Tensor]:
    chance = torch.Generator().manual_seed(1)
    for _ in range(TIMED_BATCHES):
        yield torch.randint(sentences, (BATCH,), generator=chance)


def measured(work: Work, *arguments: Any) -> dict[str, Any]:
    """`measuring.measured`, with what memory one sentence needs as well."""
    return measuring.measured(_after_one_sentence, work, arguments)


def _after_one_sentence(work: Work, arguments: tuple[Any, ...]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:  # what libraries load and allocate on first use
        write_store(Path(folder) / "scores", 1, 2)
        read_store(Path(folder) / "scores", 1)
    one_sentence = peak()
    return {**work(*arguments), "one_sentence_mb": one_sentence}


def write_store(folder: Path, sentences: int, tags: int) -> dict[str, Any]:
    start = time.perf_counter()
    generated = sum(int(lengths.sum()) for _, lengths, _ in batches(sentences, tags))
    generation = time.perf_counter() - start
    start = time.perf_counter()
    write_scores(
        folder,
        batches(sentences, tags),
        origin=Origin(tuple(map(str, range(tags))), "teacher", "corpus", "tokenizer"),
        parameters=ChainParameters(torch.zeros(tags, tags), torch.zeros(tags), torch.zeros(tags)),
        sentences=sentences,
    )
    seconds = time.perf_counter() - start - generation
    return {"words": generated, "seconds": seconds, "bytes": folder_bytes(folder)}


def read_store(folder: Path, sentences: int) -> dict[str, Any]:
    start = time.perf_counter()
    store = ScoreStore.open(folder)
    opened = time.perf_counter()
    for ids in random_batches(sentences):
        store.batch(ids)
    return {"open_seconds": opened - start, "batch_seconds": (time.perf_counter() - opened) / TIMED_BATCHES}


def stream_store(folder: Path, verification: bool) -> dict[str, Any]:
    """Read everything once, with or without the time that verification takes before."""
    start = time.perf_counter()
    store = ScoreStore.open(folder)
    if not verification:
        start = time.perf_counter()
    for ids in torch.arange(store.sentences).split(4096):
        store.words(ids)
    return {"seconds": time.perf_counter() - start}


# Its peers: what else one could have written


def write_parquet(folder: Path, sentences: int, tags: int, options: dict[str, Any]) -> dict[str, Any]:
    """Ordinary Parquet with other encodings, one file."""
    kind = pa.list_(pa.field("element", pa.float32(), nullable=False))
    folder.mkdir()
    start = time.perf_counter()
    ids, lengths, emissions = (torch.cat(part) for part in zip(*batches(sentences, tags), strict=True))
    offsets = torch.cat([lengths.new_zeros(1), (lengths * tags).cumsum(0)]).int()
    lists = pa.ListArray.from_arrays(offsets.numpy(), emissions.view(-1).numpy(), type=kind)
    table = pa.table({"id": ids.numpy(), "length": lengths.int().numpy(), "emissions": lists})
    pq.write_table(table, folder / "scores.parquet", **options)
    return {"seconds": time.perf_counter() - start, "bytes": folder_bytes(folder)}


def read_parquet(folder: Path) -> dict[str, Any]:
    start = time.perf_counter()
    pq.read_table(folder / "scores.parquet")
    return {"seconds": time.perf_counter() - start}


def write_tensors(folder: Path, sentences: int, tags: int, pairs: bool) -> dict[str, Any]:
    """Safetensors of padded emissions [B, L, N], or of all the chain's scores [B, L, N, N], per batch."""
    folder.mkdir()
    start = time.perf_counter()
    for number, (ids, lengths, emissions) in enumerate(batches(sentences, tags)):
        padded = torch.nn.utils.rnn.pad_sequence(emissions.split(lengths.tolist()), batch_first=True)
        if pairs:
            padded = padded[:, :, None, :].expand(-1, -1, tags, -1).contiguous()
        save_file({"ids": ids, "lengths": lengths, "scores": padded}, folder / f"{number:06d}.safetensors")
    return {"seconds": time.perf_counter() - start, "bytes": folder_bytes(folder)}


def read_tensors(folder: Path) -> dict[str, Any]:
    start = time.perf_counter()
    for path in sorted(folder.iterdir()):
        with safe_open(path, "pt") as file:
            file.get_tensor("scores").clone()
    return {"seconds": time.perf_counter() - start}


def read_verified(folder: Path) -> dict[str, Any]:
    return stream_store(folder, True)


PEERS: dict[str, tuple[Work, Work, tuple[Any, ...]]] = {
    "this store, verified": (write_store, read_verified, ()),
    "Parquet, defaults": (write_parquet, read_parquet, ({},)),
    "Parquet, zstd": (write_parquet, read_parquet, ({"compression": "zstd", "use_dictionary": False},)),
    "Parquet, byte stream split + zstd": (
        write_parquet,
        read_parquet,
        (
            {
                "compression": "zstd",
                "use_dictionary": False,
                "use_byte_stream_split": ["emissions.list.element"],
            },
        ),
    ),
    "safetensors, padded L·N": (write_tensors, read_tensors, (False,)),
    "safetensors, padded L·N²": (write_tensors, read_tensors, (True,)),
}


def measure(root: Path, sentences: int, tags: int) -> dict[str, Any]:
    """Write, open, sample and stream one store."""
    folder = root / "scores"
    written = measured(write_store, folder, sentences, tags)
    megabytes = written["words"] * tags * 4 / 1e6
    opened, streamed = measured(read_store, folder, sentences), measured(stream_store, folder, False)
    shutil.rmtree(folder)
    return {
        "sentences": sentences,
        "tags": tags,
        "words": written["words"],
        "emissions_mb": megabytes,
        "bytes_per_word": written["bytes"] / written["words"],
        "floor_bytes_per_word": 4 * tags,
        "write_mb_per_s": megabytes / written["seconds"],
        "open_and_verify_mb_per_s": megabytes / opened["open_seconds"],
        "stream_mb_per_s": megabytes / streamed["seconds"],
        "batch_ms": opened["batch_seconds"] * 1e3,
        "write_peak_mb": written["peak_mb"],
        "open_and_batch_peak_mb": opened["peak_mb"],
        "stream_peak_mb": streamed["peak_mb"],
        "one_sentence_peak_mb": written["one_sentence_mb"],
    }


def fastest(read: Work, folder: Path) -> dict[str, Any]:
    """The shortest of several times in one process: the first pays for threads and pages."""
    return {"seconds": min(read(folder)["seconds"] for _ in range(REPEATS))}


def measure_peers(root: Path, sentences: int, tags: int) -> dict[str, Any]:
    """Bytes per word and rates of what else could have been written, with the same emissions."""
    words = sum(int(lengths.sum()) for _, lengths, _ in batches(sentences, tags))
    megabytes, found = words * tags * 4 / 1e6, {}
    for name, (write, read, options) in PEERS.items():
        written = measured(write, root / "peer", sentences, tags, *options)
        seconds = measured(fastest, read, root / "peer")["seconds"]
        shutil.rmtree(root / "peer")
        found[name] = {"bytes_per_word": written["bytes"] / words, "read_mb_per_s": megabytes / seconds}
    return {"sentences": sentences, "tags": tags, "floor_bytes_per_word": 4 * tags, "peers": found}


COLUMNS = {
    "sentences": "sentences",
    "tags": "tags",
    "bytes_per_word": "bytes per word",
    "floor_bytes_per_word": "4·N",
    "write_mb_per_s": "write MB/s",
    "open_and_verify_mb_per_s": "verify MB/s",
    "stream_mb_per_s": "stream MB/s",
    "batch_ms": "ms per batch",
    "one_sentence_peak_mb": "peak MB: 1 sentence",
    "write_peak_mb": "write",
    "open_and_batch_peak_mb": "open, batches",
    "stream_peak_mb": "open, stream",
}


DUMP_COLUMNS = {
    "sentences": "sentences",
    "words": "words",
    "encoded_mb": "encoded MB",
    "store_mb": "store MB",
    "bytes_per_word": "bytes per word",
    "floor_bytes_per_word": "4·N",
    "dump_seconds": "seconds",
    "dump_peak_mb": "peak MB: dump",
    "dump_bytes_per_sentence": "bytes a sentence",
    "open_peak_mb": "peak MB: open",
    "open_bytes_per_sentence": "bytes a sentence",
}


def show(rows: list[dict[str, Any]], peers: list[dict[str, Any]], dumps: list[dict[str, Any]]) -> None:
    console = Console()
    for title, columns, lines in (("score store", COLUMNS, rows), ("stage `dump`", DUMP_COLUMNS, dumps)):
        table = Table(*columns.values(), title=title)
        for line in lines:
            table.add_row(*(_cell(line.get(name)) for name in columns))
        console.print(table)
    for block in peers:
        title = (
            f"{block['sentences']:,} sentences, {block['tags']} tags (4·N = {block['floor_bytes_per_word']})"
        )
        table = Table("kept as", "bytes per word", "read MB/s", title=title)
        for name, figures in block["peers"].items():
            table.add_row(name, f"{figures['bytes_per_word']:.1f}", f"{figures['read_mb_per_s']:.0f}")
        console.print(table)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def main(
    output: Annotated[Path, typer.Argument(help="JSON file for the figures")],
    sentences: Annotated[list[int], typer.Option(help="corpus sizes")] = [10_000, 100_000, 1_000_000],
    tags: Annotated[list[int], typer.Option(help="tag-set sizes")] = [9, 23],
) -> None:
    """Measure the score store and its peers, print tables and write them as JSON."""
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        root = Path(folder)
        rows = [measure(root, count, n) for n in tags for count in sentences]
        peers = [measure_peers(root, min(sentences), n) for n in tags]
        dumps = measure_dumps(root, sentences)
    figures = {**made_with("pyarrow"), "store": rows, "peers": peers, "dump": dumps}
    write_json(output, figures)
    show(rows, peers, dumps)


if __name__ == "__main__":
    command.run(main)
