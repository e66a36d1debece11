"""CRFsuite's tag probabilities of training sentences, as `dump.scores` takes them.

Two taggers, each trained on every second sentence, score the sentences that they have not seen: a tagger is
nearly certain of its own.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.taggers.crfsuite import features, open_model
from benchmarks.taggers.crfsuite_training import train
from pipeline.corpora.tagging import Sentence

FOLDS = 2


def write_probabilities(sentences: Sequence[Sentence], path: Path) -> None:
    """Train the taggers and write `words` and `probabilities` of every sentence to a Parquet file."""
    tags = sorted({tag for sentence in sentences for tag in sentence.tags or ()})
    of_tags = pa.list_(pa.struct([(tag, pa.float64()) for tag in tags]))
    schema = pa.schema([("words", pa.list_(pa.string())), ("probabilities", of_tags)])
    rows = [
        {"words": sentence.words, "probabilities": scored}
        for fold in range(FOLDS)
        for sentence, scored in _out_of_fold(sentences, fold)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema), path)


def _out_of_fold(
    sentences: Sequence[Sentence], fold: int
) -> Iterator[tuple[Sentence, list[dict[str, float]]]]:
    """The sentences of a fold with each word's probabilities, by a tagger that was trained on the others."""
    with TemporaryDirectory() as place:
        folder = Path(place) / "model"
        train([one for number, one in enumerate(sentences) if number % FOLDS != fold], folder)
        tagger = open_model(folder)
        known = tagger.labels()
        for sentence in sentences[fold::FOLDS]:
            tagger.set(features(sentence.words))
            yield (
                sentence,
                [{tag: tagger.marginal(tag, word) for tag in known} for word in range(len(sentence.words))],
            )
