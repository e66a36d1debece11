"""Who scores a split: a teacher that is run over it, or scores from elsewhere."""

from pathlib import Path

from torch import Tensor

from pipeline import processes
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load, read_column
from pipeline.model.model_folder import load_model
from pipeline.scores.dump import dump_scores
from pipeline.scores.imported import import_scores
from pipeline.scores.settings import Dump
from pipeline.scores.shards import Origin
from pipeline.storage.checkpoint import CHECKPOINTS, Checkpoint
from pipeline.storage.file_names import WEIGHTS
from pipeline.storage.sealed_folder import check


def scoring_teacher(first: Path, others: Path, number: int, fold: int, folds: int) -> Path:
    """The folder of the teacher `number` that scores the sentences of `fold` of `folds`, all from 1.

    Args:
        first: the teacher 1, or scores from elsewhere; scores all sentences where there is one fold.
        others: `further/<number>` is each other teacher, and `fold/<fold>` the one that has not seen a fold.
            There are not both.
    """
    if folds > 1:
        return others / "fold" / str(fold)
    return first if number == 1 else others / "further" / str(number)


def write_split_scores(
    scorer: Path,
    split: Path,
    settings: Dump,
    *,
    rows: Tensor | None = None,
    origin: Origin,
    key: str,
    root: Path,
    out: Path,
) -> None:
    """Write the store `out` of the scores of an encoded split, or of its sentences `rows` [n].

    A run that was stopped resumes after its last finished shard.

    Args:
        scorer: the folder of a model, or of imported scores.
        split: the file.
        settings: of the dump.
        rows: ascending; None: all. Of imported scores all are taken.
        origin: what the scores come from.
        key: the run's `run_key`.
        root: the DVC project, where checkpoints lie in CHECKPOINTS.
        out: the folder to write.

    Raises:
        UserError: see `dump_scores` and `import_scores`.
    """
    with Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint:
        if WEIGHTS in check(scorer):
            dump_scores(
                load_model(scorer),
                Batches(load(split), settings.batch_size, rows),
                accelerator(settings.precision),
                settings,
                origin=origin,
                checkpoint=checkpoint.folder,
                out=out,
            )
        elif processes.is_first():
            words = read_column(split, "words")
            import_scores(scorer, words, settings, origin=origin, checkpoint=checkpoint.folder, out=out)
