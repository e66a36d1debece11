"""What the whole stage `dump` and the opening of its store take in memory, as the corpus grows.

Sentences are synthetic, 5 to 35 words of one or two pieces; the teacher is a tiny BERT with random weights.
All that the stage does is measured: reading the encoded corpus, batches, the teacher's pass, the store.
"""

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.measuring import folder_bytes, measured
from benchmarks.synthetic_corpus import TAG_SET, synthetic_sentences
from pipeline.fingerprint import fingerprint_of
from pipeline.storage.sealed_folder import new_folder
from tests.helpers.tiny_encoders import write_encoder
from tests.helpers.tiny_inputs import write_split, write_teacher

ROOT = Path(__file__).parents[1]


def write_inputs(root: Path, sentences: int) -> dict[str, Any]:
    """What the stage reads, in `root`."""
    split = synthetic_sentences(sentences)
    encoder = write_encoder(root / "encoder", "bert")
    with new_folder(root / "encoded") as aside:
        write_split(aside / "train.parquet", split, encoder, tag_set=TAG_SET)
    with new_folder(root / "imported_scores"):
        pass
    write_teacher(root / "teacher", encoder, root / "encoded")
    (root / "code").write_text(fingerprint_of("dump", ROOT))
    return {"words": sum(len(sentence.words) for sentence in split)}


def dump(root: Path) -> dict[str, Any]:
    """The stage itself, with the parameters of params.yaml."""
    from stages.dump import main

    main(
        encoded=root / "encoded",
        teacher=root / "teacher",
        scoring_teachers=root / "none",
        imported_scores=root / "imported_scores",
        code=root / "code",
        out=root / "scores",
        item="1-1",
        params=ROOT / "params.yaml",
        root=root,
    )
    return {}


def open_store(folder: Path) -> dict[str, Any]:
    """Open and verify a store, which is what every student does first."""
    from pipeline.scores.store import ScoreStore

    return {"sentences": ScoreStore.open(folder).sentences}


def measure_dump(root: Path, sentences: int) -> dict[str, Any]:
    """Peak memory of the stage and of opening what it wrote, and sizes."""
    place = root / "dump"
    place.mkdir()
    words = measured(write_inputs, place, sentences)["words"]
    dumped, opened = measured(dump, place), measured(open_store, place / "scores" / "1" / "1")
    found = {
        "sentences": sentences,
        "words": words,
        "tags": len(TAG_SET),
        "encoded_mb": folder_bytes(place / "encoded") / 1e6,
        "store_mb": folder_bytes(place / "scores" / "1" / "1") / 1e6,
        "bytes_per_word": folder_bytes(place / "scores" / "1" / "1") / words,
        "floor_bytes_per_word": 4 * len(TAG_SET),
        "dump_seconds": dumped["seconds"],
        "dump_peak_mb": dumped["peak_mb"],
        "open_peak_mb": opened["peak_mb"],
    }
    shutil.rmtree(place)
    return found


def measure_dumps(root: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """`measure_dump` for every size, with the bytes of memory that a sentence more than before costs.

    Of the smaller sizes that is mostly buffers, which have not yet had their largest batch or row group.
    """
    rows = [measure_dump(root, sentences) for sentences in sorted(sizes)]
    for smaller, row in pairwise(rows):
        more = row["sentences"] - smaller["sentences"]
        for name in ("dump", "open"):
            growth = row[f"{name}_peak_mb"] - smaller[f"{name}_peak_mb"]
            row[f"{name}_bytes_per_sentence"] = growth * 1e6 / more
    return rows
