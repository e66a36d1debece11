"""Sentences without tags and the teacher's scores on them, in one sealed folder."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from pipeline import processes
from pipeline.corpora.tagging import Sentence
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import encode, load, save
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model_and_tokenizer
from pipeline.scores.dump import dump_scores, origin_of_file
from pipeline.scores.settings import Dump
from pipeline.scores.store import ScoreStore
from pipeline.storage.checkpoint import CHECKPOINTS, Checkpoint, run_key
from pipeline.storage.commit import working_name
from pipeline.storage.sealed_folder import check, new_folder, sha256

TEXT, SCORES = "text.parquet", "scores"


def write_unlabelled(
    sentences: Sequence[Sentence],
    out: Path,
    *,
    encoded: Path,
    teacher: Path,
    code: Path,
    settings: Dump,
    root: Path,
) -> None:
    """Write the sentences, encoded, and the teacher's scores on them to the folder `out`.

    A run that was stopped resumes after its last finished shard.

    Args:
        sentences: at least one.
        out: the folder to write.
        encoded: the encoded corpus, whose tag set and layout the sentences get.
        teacher: trained on it; its tokenizer cuts the words.
        code: the file with the digest of the code; a stopped run resumes only with the same code and inputs.
        settings: of the dump.
        root: the DVC project, where checkpoints lie in CHECKPOINTS.

    Raises:
        UserError: a folder is damaged; and as `dump_scores`.
    """
    check(encoded)
    header = load(encoded / "train.parquet")
    check(teacher)
    model, tokenizer = load_model_and_tokenizer(teacher)
    key = run_key("unlabelled", settings.model_dump(), encoded, teacher, code, _digest(sentences))
    runner, first = accelerator(settings.precision), processes.is_first()
    with (
        Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint,
        new_folder(out) if first else nullcontext(working_name(out)) as folder,
    ):
        if first:
            table = encode(sentences, tokenizer, header.layout)
            save(table, folder / TEXT, header.tag_set, header.layout)
        processes.wait()
        dump_scores(
            model,
            Batches(load(folder / TEXT), settings.batch_size),
            runner,
            settings,
            origin=origin_of_file(folder / TEXT, sha256(folder / TEXT), teacher),
            checkpoint=checkpoint.folder,
            out=folder / SCORES,
        )


def open_unlabelled(folder: Path, labelled: Batches, teacher: Path) -> tuple[Batches, ScoreStore] | None:
    """The sentences that `write_unlabelled` wrote and their scores; None if the folder was sealed empty.

    Args:
        folder: see above.
        labelled: the training split, whose batch size the sentences get.
        teacher: whose scores they must be.

    Raises:
        UserError: the folder is damaged, or was made with another teacher, layout or tag set.
    """
    if not (files := check(folder)):
        return None
    encoded, mine = load(folder / TEXT), labelled.encoded
    if (encoded.tag_set, encoded.layout) != (mine.tag_set, mine.layout):
        raise UserError(
            f"{folder / TEXT}: was made for another corpus or encoder; run `dvc repro unlabelled`"
        )
    store = ScoreStore.open(folder / SCORES, expect=origin_of_file(folder / TEXT, files[TEXT], teacher))
    return Batches(encoded, labelled.batch_size), store


def _digest(sentences: Sequence[Sentence]) -> str:
    digest = hashlib.sha256()
    for sentence in sentences:
        digest.update(json.dumps(sentence.words).encode())
    return digest.hexdigest()
