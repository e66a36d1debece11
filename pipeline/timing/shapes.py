"""The taggers whose epochs are timed: those of the run, or of BERT-base's shape, as in the paper."""

from pathlib import Path

from transformers import BertConfig

from pipeline.encoding.encoded import Encoded
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.model.tagger_config import ChainTaggerConfig
from pipeline.settings import Head
from pipeline.storage.sealed_folder import check
from pipeline.timing.settings import TimeEpochs
from pipeline.training.settings import Student
from pipeline.training.student import new_student

BERT_BASE_LAYERS = 3  # of the paper's student; its teacher's are BertConfig's default


def timed_models(
    settings: TimeEpochs, student: Student, encoder: Path, teacher: Path, encoded: Encoded
) -> tuple[ChainTagger, ChainTagger]:
    """The teacher and a new student.

    Args:
        settings: which shapes.
        student: of the run.
        encoder: the folder of the student's encoder.
        teacher: the folder of the teacher.
        encoded: the split that the student reads.

    Raises:
        UserError: a folder is damaged.
    """
    if settings.shapes == "bert-base":
        short = bert_base(encoded, layers=BERT_BASE_LAYERS, dropout=student.dropout, head=student.head)
        return bert_base(encoded), short
    check(encoder)
    # Weights cost no time; the teacher's layers need not fit a student whose method sets `init` itself.
    pretrained = student.model_copy(update={"init": "pretrained"})
    return load_model(teacher), new_student(pretrained, encoder, teacher, encoded)


def bert_base(
    encoded: Encoded, *, layers: int | None = None, dropout: float = 0.1, head: Head = "crf"
) -> ChainTagger:
    """A tagger of BERT-base's shape with random weights, large enough for the pieces of `encoded`."""
    shape = BertConfig()
    pieces = encoded.pieces.distinct()
    largest = int(pieces.max()) if len(pieces) else 0
    config = BertConfig(
        vocab_size=max(shape.vocab_size, largest + 1, *_special(encoded)),
        max_position_embeddings=max(shape.max_position_embeddings, encoded.layout.window),
        num_hidden_layers=layers or shape.num_hidden_layers,
    )
    return ChainTagger(ChainTaggerConfig.for_split(config.to_dict(), encoded, dropout=dropout, head=head))


def _special(encoded: Encoded) -> list[int]:
    """The least sizes of a vocabulary that holds the special pieces."""
    of = encoded.layout
    return [piece + 1 for piece in (*of.prefix, *of.suffix, of.pad, of.unknown)]
