"""A student of this project, as PyTorch and as ONNX."""

import os
from pathlib import Path

from benchmarks.taggers.tagger import Tag


def load_torch(folder: Path) -> Tag:
    """The student as `pipeline.inference.tagger` loads it; it gives spans and their probabilities, too."""
    from pipeline.inference.tagger import load

    tagger = load(folder)
    return lambda sentences: [list(found.tags) for found in tagger(sentences)]


def load_onnx(folder: Path) -> Tag:
    """The exported student, by the program that lies in its folder."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # or ONNX Runtime reports its use to Microsoft
    import onnxruntime

    from pipeline.exporting.tag import Tagger

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    tagger = Tagger(folder, options)
    return lambda sentences: tagger([list(words) for words in sentences])
