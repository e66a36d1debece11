"""The training run of a teacher: on all training sentences, or on those of all folds but one."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from pipeline.model.chain_tagger import ChainTagger
from pipeline.storage.sealed_folder import check
from pipeline.training.loop import gold_loss, reproducible
from pipeline.training.run import Inputs, train_and_save
from pipeline.training.settings import Teacher


def train_teacher(
    settings: Teacher,
    *,
    encoded: Path,
    encoder: Path,
    code: Path,
    root: Path,
    out: Path,
    rows: Callable[[int], Tensor] | None = None,
    fold: dict[str, int] | None = None,
    tensorboard: bool = False,
) -> None:
    """Train encoder, emission layer and CRF, if it has one, on the gold tags, and write the folder `out`.

    Args:
        settings: of the run.
        encoded: the encoded corpus.
        encoder: the pretrained encoder.
        code: the hash of the code.
        root: of the project, where checkpoints lie.
        out: the folder to write.
        rows: of how many training sentences there are, which of them to train on; None: all.
        fold: `fold` and `folds`, which the folder records; None: the teacher has seen all sentences.
        tensorboard: whether the figures of the unfinished run go to TensorBoard too.

    Raises:
        UserError, Interrupted: see training.loop.train.
    """
    check(encoder)
    inputs = Inputs.load(encoded, batch_size=settings.batch_size, precision=settings.precision, rows=rows)
    reproducible(settings.seed)
    model = ChainTagger.from_encoder(
        encoder, inputs.train.encoded, dropout=settings.dropout, head=settings.head
    )
    train_and_save(
        model,
        inputs,
        gold_loss,
        settings,
        seed=settings.seed,
        method="teacher",
        method_settings=fold or {},
        depends_on=[code, encoder],
        tokenizer=encoder,
        root=root,
        out=out,
        tensorboard=tensorboard,
    )
