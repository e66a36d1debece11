"""A student of this project, as PyTorch and as ONNX."""

from pathlib import Path

from benchmarks.taggers.tagger import Tag


def load_torch(folder: Path) -> Tag:
    """The student as `pipeline.inference.tagger` loads it; it gives spans and their probabilities, too."""
    from pipeline.inference.tagger import load

    tagger = load(folder)
    return lambda sentences: [list(found.tags) for found in tagger(sentences)]


def load_onnx(folder: Path) -> Tag:
    """The exported student, by the program that lies in its folder."""
    from pipeline.exporting.tag import Tagger

    tagger = Tagger(folder, threads=1)
    return lambda sentences: tagger([list(words) for words in sentences])
