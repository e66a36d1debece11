"""The teacher's scores on unlabelled text, and the text that they belong to."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.scores.dump import origin_of
from pipeline.scores.scoring import write_split_scores
from pipeline.scores.settings import Dump
from pipeline.scores.store import ScoreStore
from pipeline.storage.checkpoint import run_key
from pipeline.storage.file_names import TEXT
from pipeline.storage.sealed_folder import check, write_empty


def write_text_scores(
    text: Path, out: Path, *, teacher: Path, code: Path, settings: Dump, root: Path
) -> None:
    """Write the store `out` of a teacher's scores on a text, or an empty sealed folder without text.

    Args:
        text: what `encode_text` wrote.
        out: the folder to write.
        teacher: a model that was trained on a corpus with the same layout, or imported scores.
        code: the file with the digest of the code; a stopped run resumes only with the same code and inputs.
        settings: of the dump.
        root: the DVC project, where checkpoints lie in CHECKPOINTS.

    Raises:
        UserError: a folder is damaged; and as `dump_scores`.
    """
    if not check(text):
        write_empty(out)
        return
    key = run_key("dump_text", settings.model_dump(), text, teacher, code)
    origin = origin_of(text / TEXT, teacher)
    write_split_scores(teacher, text / TEXT, settings, origin=origin, key=key, root=root, out=out)


def open_text_scores(
    text: Path, scores: Sequence[Path], labelled: Batches, teachers: Sequence[Path]
) -> tuple[Batches, tuple[ScoreStore, ...]] | None:
    """The encoded sentences of a text and each teacher's scores of them; None without text.

    Args:
        text: what `encode_text` wrote.
        scores: what `write_text_scores` wrote, for each teacher.
        labelled: the training split, whose batch size the sentences get.
        teachers: whose scores they must be.

    Raises:
        UserError: a folder is damaged, or was made with another teacher, layout or tag set.
    """
    if not check(text):
        return None
    encoded, mine = load(text / TEXT), labelled.encoded
    if (encoded.tag_set, encoded.layout) != (mine.tag_set, mine.layout):
        raise UserError(f"{text / TEXT}: was made for another corpus or encoder; run `dvc repro`")
    stores = (
        ScoreStore.open(folder, expect=origin_of(text / TEXT, teacher))
        for folder, teacher in zip(scores, teachers, strict=True)
    )
    return Batches(encoded, labelled.batch_size), tuple(stores)
