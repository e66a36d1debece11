"""`export` writes the folder that it is asked for, and no other."""

from pathlib import Path

import onnx

from stages import export
from tests.helpers.own_corpus_stages import Run, one_line


def test_it_writes_what_was_asked_for(run: Run, teacher: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run(export.main, "--model", teacher, "--out", out, "--onnx", "--int8")
    assert found == (0, f"{out / 'tag.py'}: written, with all that it reads\n", "")
    network = onnx.load(out / "model.onnx")
    assert "MatMulIntegerToFloat" in {node.op_type for node in network.graph.node}


def test_without_a_format_nothing_is_written(run: Run, teacher: Path, tmp_path: Path) -> None:
    said = one_line(run(export.main, "--model", teacher, "--out", tmp_path / "out"))
    assert said == "--onnx: missing; it is the only format there is, so add it"
    assert [*tmp_path.iterdir()] == []
