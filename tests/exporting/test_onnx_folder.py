"""An exported tagger gives the tags that PyTorch gives, with three libraries, whatever shares its batch."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from pipeline.corpora.tagging import Sentence
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import Encoded
from pipeline.errors import UserError
from pipeline.exporting import onnx_folder
from pipeline.exporting.int8 import quantize
from pipeline.exporting.tag import Tagger
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model, save_model
from pipeline.model.prediction import predict
from pipeline.storage.sealed_folder import SEAL, check
from tests.helpers.exported_program import breaks, run_program
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_encoders import KINDS
from tests.helpers.tiny_inputs import HISTORY, tagger, write_corpus, write_split, write_teacher

ROOT = Path(__file__).parents[2]
MARKS = {
    "roberta": [pytest.mark.thorough],
    "deberta-v2": [pytest.mark.slow],
    "modernbert": [pytest.mark.slow],
}
ALL = [pytest.param(kind, marks=MARKS.get(kind, ())) for kind in KINDS]
# Only what stands in the docstring of tag.py, and the standard library, may be imported.
ALONE = """
import runpy, sys
class Only:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in sys.stdlib_module_names | {"numpy", "onnxruntime", "tokenizers"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Only())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# Words without a piece of their own, unknown ones, and a sentence of many windows with a word as long as one.
ODD = [
    Sentence(("ba", "\x07", "NERI", "zzz", "東京", "Tok"), ("O",) * 6),
    Sentence((*sentences(1, shortest=90, longest=90)[0].words, "nesa" * 40, "Ba"), ("O",) * 92),
]


@pytest.fixture(scope="module")
def models(encoder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("models")

    def model(kind: str) -> Path:
        if not (root / kind).exists():
            corpus = write_corpus(root / f"{kind}-encoded", encoder(kind))
            write_teacher(root / kind, encoder(kind), corpus)
        return root / kind

    return model


@pytest.fixture(scope="module")
def exported(
    models: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, bool], Path]:
    root = tmp_path_factory.mktemp("exported")

    def write(kind: str, int8: bool) -> Path:
        out = root / f"{kind}-{int8}"
        if not out.exists() and int8:  # as the stage does it, but for the export itself, which takes seconds
            shutil.copytree(write(kind, False), out)
            network = onnx.load(out / "model.onnx")
            quantize(network)
            onnx.save(network, out / "model.onnx")
        elif not out.exists():
            onnx_folder.write_export(models(kind), out, int8=False)
        return out

    return write


def expected(model: Path, encoder: Path, split: list[Sentence], path: Path) -> list[list[str]]:
    return predict(load_model(model), Batches(write_split(path, split, encoder), 8), accelerator("float32"))


@pytest.mark.parametrize("kind", ALL)
def test_the_program_alone_gives_the_tags_of_pytorch(
    kind: str,
    encoder: Callable[[str], Path],
    models: Callable[[str], Path],
    exported: Callable[[str, bool], Path],
    tmp_path: Path,
) -> None:
    split = [*sentences(40, seed=5), *ODD]
    (tmp_path / "in").write_text("".join(" ".join(one.words) + "\n" for one in split), encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        ALONE,
        str(exported(kind, False) / onnx_folder.PROGRAM),
        str(tmp_path / "in"),
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = [
        [tuple(line.split("\t")) for line in block.split("\n")]
        for block in done.stdout.removesuffix("\n\n").split("\n\n")
    ]
    wanted = expected(models(kind), encoder(kind), split, tmp_path / "split.parquet")
    assert len({tag for tags in wanted for tag in tags}) > 2
    assert found == [list(zip(one.words, tags, strict=True)) for one, tags in zip(split, wanted, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert", "modernbert"])  # the second has a projection
def test_a_softmax_tagger_too(kind: str, encoder: Callable[[str], Path], tmp_path: Path) -> None:
    split = [*sentences(40, seed=5), *ODD]
    encoded = write_split(tmp_path / "split.parquet", split, encoder(kind))
    save_model(tmp_path / "model", tagger(encoder(kind), encoded, head="softmax"), encoder(kind), HISTORY)
    onnx_folder.write_export(tmp_path / "model", tmp_path / "out", int8=False)
    wanted = predict(load_model(tmp_path / "model"), Batches(encoded, 8), accelerator("float32"))
    assert Tagger(tmp_path / "out")([list(one.words) for one in split]) == wanted


def write_bilstm(folder: Path, bert: Path, encoded: Encoded) -> Path:
    """A tiny BiLSTM in a folder."""
    model = ChainTagger.from_embeddings(bert, encoded, width=4, hidden=4, layers=1)
    save_model(folder, model, bert, HISTORY)
    return folder


def test_a_bilstm_takes_inputs_of_any_size_without_a_word(
    bert: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    split = [*sentences(40, seed=5), *ODD]
    encoded = write_split(tmp_path / "split.parquet", split, bert)
    model = write_bilstm(tmp_path / "model", bert, encoded)
    onnx_folder.write_export(model, tmp_path / "out", int8=False)
    wanted = predict(load_model(model), Batches(encoded, 8), accelerator("float32"))
    capfd.readouterr()
    assert Tagger(tmp_path / "out")([list(one.words) for one in split]) == wanted
    assert capfd.readouterr().err == ""  # where ONNX Runtime writes warnings


@pytest.mark.thorough
def test_a_second_bilstm_of_a_process_takes_inputs_of_any_size_too(bert: Path, tmp_path: Path) -> None:
    """As `benchmarks.latency` makes it."""
    split = [*sentences(40, seed=5), *ODD]
    encoded = write_split(tmp_path / "split.parquet", split, bert)
    model = write_bilstm(tmp_path / "model", bert, encoded)
    for int8 in (False, True):
        onnx_folder.write_export(model, tmp_path / "out", int8=int8)
        tags = Tagger(tmp_path / "out")([list(one.words) for one in split])
        assert [*map(len, tags)] == [len(one.words) for one in split]


def test_the_program_can_import_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import torch")
    command = [sys.executable, "-c", ALONE, str(tmp_path / "bad.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: torch" in done.stderr


@pytest.mark.parametrize("kind", ALL)
def test_int8_is_close_and_does_not_depend_on_the_batch(
    kind: str, exported: Callable[[str, bool], Path]
) -> None:
    words = [list(one.words) for one in [*sentences(30, seed=7), *ODD]]
    exact, small = (Tagger(exported(kind, int8)) for int8 in (False, True))
    pieces = exact.cut(words)
    wanted, found = exact.emissions(pieces), small.emissions(pieces)
    error = np.sqrt(np.mean((np.concatenate(found) - np.concatenate(wanted)) ** 2))
    assert 0 < error < 0.02 * np.concatenate(wanted).std()
    for one, together in zip(pieces, found, strict=True):
        np.testing.assert_allclose(small.emissions([one])[0], together, atol=1e-5)


def test_constrained_tags_are_the_best_that_the_scheme_allows(
    models: Callable[[str], Path], encoder: Callable[[str], Path], exported: Callable[[str, bool], Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    """Against the tagger in PyTorch, whose forbidden transitions are made so bad that no path takes them."""
    split = [*sentences(60, seed=9), *ODD]
    words = [list(one.words) for one in split]
    model = load_model(models("bert"))
    with torch.no_grad():
        for column, tag in enumerate(model.tag_set.tags):
            if breaks([tag]):
                model.start[column] = -1e4
            for row, before in enumerate(model.tag_set.tags):
                if breaks([before, tag]) > breaks([before]):
                    model.transitions[row, column] = -1e4
    batches = Batches(write_split(tmp_path / "split.parquet", split, encoder("bert")), 8)
    wanted = predict(model, batches, accelerator("float32"))
    out = exported("bert", False)
    assert sum(map(breaks, Tagger(out)(words))) > 0
    assert Tagger(out, constrained=True)(words) == wanted
    assert sum(map(breaks, wanted)) == 0
    text = "".join(" ".join(one) + "\n" for one in words)
    shown = run_program(out, "--constrained", input=text).stdout
    assert [line.partition("\t")[2] for line in shown.split("\n") if line] == [
        t for tags in wanted for t in tags
    ]


def test_a_model_without_a_seal_is_exported(models: Callable[[str], Path], tmp_path: Path) -> None:
    """As one from a hub."""
    shutil.copytree(models("bert"), tmp_path / "model")
    (tmp_path / "model" / SEAL).unlink()
    onnx_folder.write_export(tmp_path / "model", tmp_path / "out", int8=False)
    assert (tmp_path / "out" / onnx_folder.PROGRAM).exists()


def test_a_folder_of_students_is_not_advised_to_be_removed(
    models: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(
        UserError, match=r"no tagger can be loaded from it: it has no config\.json"
    ) as refused:
        onnx_folder.write_export(models("bert").parent, tmp_path / "out", int8=False)
    assert "remove" not in str(refused.value)


def test_what_lies_in_the_folder(
    models: Callable[[str], Path], exported: Callable[[str, bool], Path]
) -> None:
    out, model = exported("bert", False), load_model(models("bert"))
    assert check(out).keys() == {"model.onnx", "tagger.json", "tokenizer.json", "tag.py"}
    settings = json.loads((out / "tagger.json").read_text())
    for name in ("transitions", "start", "end"):
        assert torch.equal(torch.tensor(settings[name]), getattr(model, name))
    assert tuple(settings["tags"]) == model.tag_set.tags
    assert settings["scheme"] == "iob2"
    network = (out / "model.onnx").read_bytes()
    assert str(ROOT).encode() not in network
    assert b"site-packages" not in network
    matrices = sum(p.numel() for p in model.parameters() if p.dim() == 2)
    assert (exported("bert", True) / "model.onnx").stat().st_size < len(network) - matrices


def test_a_missing_library_is_named_with_the_command(
    models: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_folder, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(UserError, match=r"^onnxscript is not installed; run `pip install '.*\[export\]'`$"):
        onnx_folder.write_export(models("bert"), tmp_path / "out", int8=False)
    assert not (tmp_path / "out").exists()


def test_the_model_itself_is_never_replaced(models: Callable[[str], Path]) -> None:
    model = models("bert")
    for out in (model, model.parent):
        with pytest.raises(UserError, match="--out"):
            onnx_folder.write_export(model, out, int8=False)
    check(model)


def test_a_folder_with_files_of_others_is_refused_before_the_export(
    models: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.onnx.export", lambda *_, **__: pytest.fail("exported first"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own/notes.txt").write_text("mine")
    with pytest.raises(UserError, match="own"):
        onnx_folder.write_export(models("bert"), tmp_path / "own", int8=False)
    assert (tmp_path / "own/notes.txt").read_text() == "mine"
