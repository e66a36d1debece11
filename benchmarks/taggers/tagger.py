"""What all taggers of `benchmarks.peers` have in common: words in, tags out, one thread."""

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Sentences = Sequence[Sequence[str]]
Tag = Callable[[Sentences], list[list[str]]]
"""Sentences as words, at once → their tags."""


@dataclass(frozen=True)
class Tagger:
    """A trained tagger.

    name: in the table.
    loader: `module:function`; the function takes `folder` and returns a `Tag`.
    folder: with all that tagging needs.
    training_seconds: of its training; None where it is another row's model in another form.
    """

    name: str
    loader: str
    folder: Path
    training_seconds: float | None = None

    def load(self) -> Tag:
        """Read it from its folder."""
        module, _, function = self.loader.partition(":")
        tag: Tag = getattr(importlib.import_module(module), function)(self.folder)
        return tag


def use_one_thread() -> None:
    """Let every process that is started from now on compute with one thread."""
    for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "RAYON"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
