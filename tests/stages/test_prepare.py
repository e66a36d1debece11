"""`prepare` encodes a corpus that it has checked; a bad one is one line, and what stood before stays."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.encoding.split_file import load, read_column
from pipeline.storage import sealed_folder
from tests.helpers.own_corpus_stages import GOOD, Run, encode, fetch, one_line, there, write_params


def test_download_and_prepare_make_sealed_folders(run: Run, place: Path) -> None:
    assert fetch(run)[0] == 0
    status, out, err = encode(run)
    assert (status, err) == (0, "")
    assert out.splitlines() == [f"{split}: 3 sentences, 6 words" for split in ("train", "dev", "test")]
    assert there() == {"corpus", "encoded"}
    assert sealed_folder.check(Path("corpus")).keys() == {
        f"{split}/{split}.txt" for split in ("train", "dev", "test")
    }
    assert sealed_folder.check(Path("encoded")).keys() == {
        f"{split}.{kind}" for split in ("train", "dev", "test") for kind in ("parquet", "safetensors")
    }
    assert len(load(Path("encoded/train.parquet"))) == 3
    assert read_column(Path("encoded/test.parquet"), "tags")[0] == ["B-PER", "O"]


@pytest.mark.parametrize(
    ("content", "settings", "says"),
    [
        (b"Anna B-PER\nslept\n", {}, "train.txt:2: has 1 column, but line 1 has 2"),
        (b"Anna B-PER\n", {"tag": 3}, "train.txt:1: has 2 columns, so tag: 3 does not exist; choose 0 to 1"),
        (b"Anna B-PER\nslept V-X\n", {}, "train.txt:2: 'V-X' is not an iob2 tag (O, B-TYPE, I-TYPE)"),
        (b"Anna S-PER\n", {}, "train.txt:1: 'S-PER' is not an iob2 tag"),
        (b"", {}, "train.txt: is empty"),
        (b"\n\n", {}, "train.txt: holds no sentence"),
        (
            b"Anna O\nZ\xfcrich B-LOC\n",
            {},
            "train.txt:2: byte 9 of the file (0xfc) is not utf-8; set encoding",
        ),
        (b"Anna O\r\nslept O\r\n", {}, "train.txt:1: ends with a carriage return (Windows line ends)"),
        (b"\xef\xbb\xbfAnna O\n", {}, "train.txt:1: starts with a byte order mark"),
        (b"Anna O\n\nMay I-PER\n", {"strict": True}, "train.txt:3: 'I-PER' breaks the scheme iob2"),
        (b"Anna O\n", {"encoding": "utf-99"}, "encoding: 'utf-99' is unknown"),
        (GOOD, {"counts": {"train": [9, 9]}}, "train.txt: holds 3 sentences, but 9 are expected"),
        (GOOD, {"hold_out": 3, "files": {"dev": None}}, "hold_out: 3 of 3 sentences cannot be held out"),
    ],
)
def test_a_bad_corpus_is_one_line(
    run: Run, place: Path, content: bytes, settings: dict[str, Any], says: str
) -> None:
    Path("own/train.txt").write_bytes(content)
    write_params(**settings)
    assert fetch(run)[0] == 0
    message = one_line(encode(run))
    assert says in message
    assert there() == {"corpus"}
    # When it is mended, the same commands go through.
    Path("own/train.txt").write_bytes(GOOD)
    write_params()
    assert fetch(run)[0] == 0
    assert encode(run)[0] == 0


def test_what_stood_before_a_mistake_still_stands(run: Run, place: Path) -> None:
    assert fetch(run)[0] == encode(run)[0] == 0
    before = sealed_folder.identity(Path("corpus")), sealed_folder.identity(Path("encoded"))
    write_params(counts={"test": [9, 9]})
    one_line(encode(run))
    Path("own/test.txt").unlink()
    one_line(fetch(run))
    sealed_folder.check(Path("corpus")), sealed_folder.check(Path("encoded"))
    assert (sealed_folder.identity(Path("corpus")), sealed_folder.identity(Path("encoded"))) == before
    assert there() == {"corpus", "encoded"}


def test_tags_that_continue_nothing_are_a_warning(
    run: Run, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Path("own/train.txt").write_bytes(b"Anna O\nMay I-PER\n")
    assert fetch(run)[0] == encode(run)[0] == 0
    assert "corpus/train/train.txt:2: the first of 1 tag that breaks the scheme iob2" in caplog.text
    assert read_column(Path("encoded/train.parquet"), "tags") == [["O", "B-PER"]]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda: shutil.rmtree("corpus"), "corpus: not a finished output of the pipeline"),
        (lambda: Path("corpus/train/train.txt").write_bytes(b"x"), "corpus/train/train.txt: damaged"),
        (lambda: Path("corpus/dev/dev.txt").unlink(), "corpus/dev/dev.txt: missing"),
        (lambda: Path("encoder/tokenizer.json").write_bytes(b"{}"), "encoder/tokenizer.json: damaged"),
        (lambda: shutil.rmtree("encoder"), "encoder: not a finished output of the pipeline"),
        (lambda: Path("params.yaml").unlink(), "params.yaml: cannot be read (No such file or directory)"),
        (lambda: Path("encoded").touch(), "encoded: cannot be written"),
    ],
)
def test_prepare_refuses_damaged_inputs(
    run: Run, place: Path, damage: Callable[[], object], says: str
) -> None:
    assert fetch(run)[0] == 0
    damage()
    assert says in one_line(encode(run))
    assert not Path("encoded").is_dir()
    assert not Path(".encoded.new").exists()
