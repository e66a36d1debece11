"""CRFsuite's training: L-BFGS, both regularisers 0.1, 100 iterations, all possible transitions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pycrfsuite

from benchmarks.taggers.crfsuite import MODEL, features
from pipeline.corpora.tagging import Sentence
from pipeline.progress import Meter, progress

SETTINGS = {"c1": 0.1, "c2": 0.1, "max_iterations": 100, "feature.possible_transitions": True}


class _Shown(pycrfsuite.Trainer):
    """A trainer that shows its iterations."""

    meter: Meter | None = None

    def message(self, message: str) -> None:
        """Take a line of CRFsuite's log."""
        if self.logparser.feed(message) == "iteration" and self.meter is not None:
            self.meter.advance(1)


def train(sentences: Sequence[Sentence], out: Path, iterations: int | None = None) -> dict[str, Any]:
    """Train, and write the folder `out`.

    Args:
        sentences: the training sentences.
        out: the folder.
        iterations: instead of those of SETTINGS.
    """
    settings = SETTINGS | ({} if iterations is None else {"max_iterations": iterations})
    trainer = _Shown(algorithm="lbfgs", params=settings, verbose=False)
    for sentence in sentences:
        trainer.append(features(sentence.words), sentence.tags)
    out.mkdir(parents=True)
    with progress("CRFsuite", int(settings["max_iterations"])) as meter:
        trainer.meter = meter
        trainer.train(str(out / MODEL))
    return {}
