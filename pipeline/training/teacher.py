"""The teacher: trained on all training sentences or on those of all folds but one; or an existing one."""

from functools import partial
from pathlib import Path

from pipeline.encoding.folds import other_rows
from pipeline.encoding.split_file import load
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.given_teacher import given_teacher
from pipeline.model.model_folder import History, save_model
from pipeline.storage.sealed_folder import check
from pipeline.training.loop import reproducible
from pipeline.training.loss import gold_loss
from pipeline.training.run import Inputs, Run, train_and_save
from pipeline.training.settings import Teacher


def train_teacher(
    settings: Teacher,
    *,
    encoded: Path,
    encoder: Path,
    code: Path,
    root: Path,
    out: Path,
    number: int = 1,
    fold: int = 1,
    folds: int = 1,
    tensorboard: bool = False,
) -> None:
    """Train encoder, emission layer and CRF, if it has one, on the gold tags, and write the folder `out`.

    Args:
        settings: of the run; further teachers have the next seeds.
        encoded: the encoded corpus.
        encoder: the pretrained encoder.
        code: the hash of the code.
        root: of the project, where checkpoints lie.
        out: the folder to write.
        number: of the teacher, from 1, where there are several.
        fold: from 1; with several `folds` the teacher is trained on the sentences of all others.
        folds: how many; 1: the teacher is trained on all sentences.
        tensorboard: whether live metrics go to TensorBoard too.

    Raises:
        UserError, Interrupted: see training.loop.train.
    """
    check(encoder)
    settings = settings.model_copy(update={"seed": settings.seed + number - 1})
    name, label = ("teacher", "teacher") if number == 1 else (f"teacher-{number}", f"teacher {number}")
    rows, made = None, dict[str, int]()
    if folds > 1:
        name, label = f"{name}-fold-{fold}", f"{label}, fold {fold}"
        rows, made = partial(other_rows, fold=fold, folds=folds), {"fold": fold, "folds": folds}
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
        Run("teacher", made, settings.seed, name, label),
        depends_on=[code, encoder],
        tokenizer=encoder,
        root=root,
        out=out,
        tensorboard=tensorboard,
    )


def take_teacher(settings: Teacher, *, encoded: Path, encoder: Path, out: Path) -> str:
    """Write the model in the folder `encoder` with the corpus's tags to the folder `out`; nothing is trained.

    Args:
        settings: `types` and `scheme` say what its labels are.
        encoded: the encoded corpus.
        encoder: a token classifier, or a tagger of this project.
        out: the folder to write.

    Returns:
        What was taken, in a line.

    Raises:
        UserError: see given_teacher.
    """
    check(encoder)
    check(encoded)
    split = load(encoded / "train.parquet")
    model, scheme = given_teacher(encoder, split, types=settings.types, scheme=settings.scheme)
    made = {"method": "teacher", "settings": {"types": settings.types, "scheme": scheme}}
    save_model(out, model, encoder, History([], kept=0), made)
    found = "" if settings.scheme else ", by their names; set teacher.scheme if they are in another"
    return f"teacher: not trained here; its {len(model.config.labels)} labels are in {scheme}{found}"
