"""What a file holds and every problem in it, whatever its format, and the words that a tokenizer breaks."""

import json
import os
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.settings import Corpus
from pipeline.encoding.corpus_check import (
    FileFindings,
    Findings,
    broken_words,
    check_entry,
    check_file,
    report,
)
from pipeline.encoding.tokenization import load_tokenizer
from pipeline.errors import UserError
from tests.helpers.tiny_project import ROOT, invoke, lay_out

BAD = b"Ba B-PER\nne\nri V-X\nne O\n\nTok I-PER\nba O O\n"
FILES = {"train": "train", "dev": "dev", "test": "test"}


def entry(**settings: Any) -> Corpus:
    return Corpus.model_validate({"files": FILES} | settings)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def look_at(path: Path, corpus: Corpus) -> FileFindings:
    """What is found in one file."""
    (found,) = check_file(path, corpus).files.values()
    return found


def test_columns_with_every_problem_and_what_is_left(tmp_path: Path) -> None:
    path = write(tmp_path / "bad", BAD)
    found = look_at(path, entry())
    assert found.sentences == 2
    assert found.words == Counter(["Ba", "ne", "Tok"])
    assert found.tags == {"B-PER": 2, "O": 1}
    assert [problem.split(": ")[0] for problem in found.problems] == [f"{path}:{line}" for line in (2, 3, 7)]
    strict = look_at(path, entry(strict=True))
    named = {problem.split(": ")[0] for problem in strict.problems}
    assert named == {f"{path}:{line}" for line in (2, 3, 6, 7)}


@pytest.mark.parametrize(
    ("content", "settings", "told"),
    [
        (b"#a O\nTok I-PER\n", {}, ["2: the first of 1 tag that", "1: the first of 1 sentence that begins"]),
        (b"-docstart- O\n", {}, ["1: is read as a word"]),
        (
            b'{"tokens": ["a", ""], "ner_tags": ["I-X", "O"]}',
            {"format": "jsonl"},
            ["1: the first of 1 tag that", "1: holds the first empty word"],
        ),
    ],
)
def test_what_is_odd_about_a_file_names_the_file_itself_and_no_copy(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    settings: dict[str, str],
    told: list[str],
) -> None:
    path = write(tmp_path / "odd", content)
    check_file(path, entry(**settings))
    check_entry(entry(**settings | {"files": dict.fromkeys(FILES, str(path))}), mirror=None)
    found = [record.getMessage() for record in caplog.records]
    assert len(found) == 4 * len(told)
    for message, start in zip(found, 4 * told, strict=True):
        assert message.startswith(f"{path}:{start}")


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("iob1", ["I-X", "I-X", "B-X", "O"]),
        ("iob2", ["B-X", "I-X", "B-X", "O"]),
        ("bioes", ["B-X", "E-X", "S-X", "O"]),
    ],
)
def test_spans_are_counted_in_one_scheme(tmp_path: Path, scheme: str, tags: list[str]) -> None:
    path = write(tmp_path / "file", "".join(f"w {tag}\n" for tag in tags).encode())
    assert look_at(path, entry(scheme=scheme)) == FileFindings(
        1, Counter({"w": 4}), Counter({"B-X": 2, "I-X": 1, "O": 1}), ()
    )


def test_plain_tags_in_latin_1_with_a_separator(tmp_path: Path) -> None:
    path = write(tmp_path / "file", "Zürich;NE\nam See;NN\n".encode("latin-1"))
    found = look_at(path, entry(scheme="plain", encoding="latin-1", separator=";"))
    assert found == FileFindings(1, Counter(["Zürich", "am See"]), Counter(["NE", "NN"]), ())
    (problem,) = look_at(path, entry(scheme="plain", separator=";")).problems
    assert problem.startswith(f"{path}:1: byte 2 of the file (0xfc) is not utf-8")


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        json.dumps({"tokens": ["Ba", "ne"], "ner_tags": ["S-X", "O"]}),
        "{",
        json.dumps({"tokens": ["Ba"], "ner_tags": []}),
    ]
    path = write(tmp_path / "file", "\n".join(lines).encode())
    found = look_at(path, entry(format="jsonl", scheme="bioes"))
    assert (found.sentences, found.tags) == (1, {"B-X": 1, "O": 1})
    assert [problem.split(": ")[0] for problem in found.problems] == [f"{path}:2", f"{path}:3"]


@pytest.mark.parametrize("folder", [True, False])
def test_a_data_set(tmp_path: Path, folder: bool) -> None:
    table = pa.table({"tokens": [["Ba"], ["ne"], ["ri"]], "ner_tags": [[1], [7], [0]]})
    pq.write_table(table, tmp_path / "data.parquet")
    path = tmp_path if folder else tmp_path / "data.parquet"
    found = look_at(path, entry(format="dataset", names=["O", "B-X"]))
    assert (found.sentences, found.tags) == (2, {"B-X": 1, "O": 1})
    (problem,) = found.problems
    assert problem.startswith(f"{tmp_path}/data.parquet: row 2: 'ner_tags' holds 7")


@pytest.mark.parametrize("folder", [True, False])
def test_the_files_of_a_data_set_are_named_as_they_are_given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: bool
) -> None:
    (tmp_path / "good").mkdir()
    pq.write_table(pa.table({"tokens": [["Ba"]], "ner_tags": [["O"]]}), tmp_path / "good" / "1.parquet")
    table = pa.table({"tokens": [["Ba"], ["ne"]], "ner_tags": [["I-X"], ["X"]]})
    pq.write_table(table, tmp_path / "good" / "2.parquet")
    (tmp_path / "test").mkdir()
    pq.write_table(table.slice(1), tmp_path / "test" / "2.parquet")
    source, test = (
        str(tmp_path / name / ("" if folder else "2.parquet")).rstrip("/") for name in ("good", "test")
    )
    files = {"train": source, "test": test}
    found = check_entry(
        Corpus.model_validate({"files": files, "hold_out": 1, "format": "dataset"}), mirror=None
    )
    problems = [problem.partition(": '")[0] for file in found.files.values() for problem in file.problems]
    assert problems[:2] == [f"{tmp_path}/good/2.parquet: row 2", f"{tmp_path}/test/2.parquet: row 1"]
    assert problems[2] == f"{test}: holds no sentence; give a file with labelled sentences"
    assert caplog.messages[0].startswith(f"{tmp_path}/good/2.parquet: row 1: the first of 1 tag")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"Ba O\r\n"])
def test_a_file_that_is_none_of_its_kind_is_one_problem(tmp_path: Path, content: bytes) -> None:
    found = look_at(write(tmp_path / "file", content), entry())
    assert (found.sentences, len(found.words), len(found.problems)) == (0, 0, 1)


def test_broken_words_count_as_often_as_they_occur(bert: Path) -> None:
    tokenizer = load_tokenizer(bert)
    words = Counter({"ba": 5, "bane": 3, "toklum": 2, "\u200b": 7, "Ne": 1})
    assert [len(tokenizer.tokenize(word)) for word in words] == [1, 2, 2, 0, 1]
    assert broken_words(words, tokenizer) == 5
    assert broken_words(Counter(), tokenizer) == 0


def test_the_report_has_everything(bert: Path, tmp_path: Path) -> None:
    file = FileFindings(1200, Counter({"ba": 1500, "bane": 500}), Counter({"O": 1999, "B-X": 1}), ("f:1: x",))
    lines = [
        "sentences: 1,200",
        "words: 2,000, 2 of them different",
        "words in several pieces: 500, 25.0%",
        "tags: 2",
        "  O       1,999",
        "  B-X         1",
        "problems: 1",
        "  f:1: x",
    ]
    found = Findings({"f": file})
    assert list(report(found, bert, usual=tmp_path)) == lines
    assert list(report(found, None, usual=bert)) == lines
    unknown = list(report(found, None, usual=tmp_path / "none"))[2]
    assert unknown.startswith(f"words in several pieces: not known, as there is no {tmp_path / 'none'}; run")
    both = Findings({"train: f": file, "test: g": file}, ("w",), ("p", "q"))
    assert list(report(both, bert, usual=tmp_path)) == [
        *("train: f", *lines, ""),
        *("test: g", *lines, ""),
        *("warnings: 1", "  w", "problems of the corpus: 2", "  p", "  q"),
    ]


def test_of_many_problems_the_first_are_listed_and_all_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "f", b"a O\n\n" + b"b\n\n" * 40_109)
    (file,) = check_file(path, entry()).files.values()
    assert file.more_problems == 40_089
    assert [problem.split(": ")[0] for problem in file.problems] == [f"{path}:{n}" for n in range(3, 43, 2)]
    many = tuple(f"f:{number}: x" for number in range(1, 21))
    found = Findings({"f": FileFindings(1, Counter("a"), Counter("O"), many, 40_089)}, (), many)
    lines = list(report(found, None, usual=tmp_path / "none"))
    start = lines.index("problems: 40,109")
    shown = [f"  f:{number}: x" for number in range(1, 21)]
    assert lines[start + 1 :] == [*shown, "  … and 40,089 more", "problems of the corpus: 20", *shown]


def test_problems_take_no_more_memory_the_more_there_are(tmp_path: Path) -> None:
    def peak(lines: int) -> int:
        path = write(tmp_path / "f", b"a O\n\n" + b"b\n\n" * lines)
        tracemalloc.start()
        check_file(path, entry())
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few = peak(10)
    assert peak(8_000) < few + 1_000_000


@pytest.mark.parametrize(
    ("file", "corpus", "wrong"),
    [((), (), False), (("x",), (), True), ((), ("x",), True)],
)
def test_any_problem_is_wrong(file: tuple[str, ...], corpus: tuple[str, ...], wrong: bool) -> None:
    found = Findings({"f": FileFindings(1, Counter(), Counter(), file)}, ("warning",), corpus)
    assert found.wrong == wrong


@pytest.mark.parametrize("form", ["conll", "dataset"])
def test_a_pipe_is_not_said_to_be_missing_or_empty(tmp_path: Path, form: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=rf"^{tmp_path}/pipe: is a pipe or a device; save what it gives"):
        check_file(tmp_path / "pipe", entry(format=form))


# All files of an entry


def own(folder: Path, train: str, dev: str | None, test: str, **settings: Any) -> Corpus:
    """An entry whose files hold this text."""
    texts = {"train": train, "dev": dev, "test": test}
    files = {split: str(write(folder / split, text.encode())) for split, text in texts.items() if text}
    return Corpus.model_validate({"files": files} | settings)


GOOD = "Ba B-PER\nne O\n\n" * 300
DEV, TEST = GOOD.replace("Ba", "Tok"), GOOD.replace("Ba", "Ri")


def test_a_good_entry(tmp_path: Path) -> None:
    found = check_entry(own(tmp_path, GOOD, DEV, TEST), mirror=None)
    assert list(found.files) == [f"{split}: {tmp_path / split}" for split in FILES]
    assert not found.wrong
    assert not found.warnings
    assert found.files[f"test: {tmp_path / 'test'}"].sentences == 300


def test_an_entry_without_files_says_so(tmp_path: Path) -> None:
    found = check_entry(entry(files={}), mirror=None)
    assert [*report(found, None, usual=tmp_path)] == [
        "no files: the corpus names none, and nothing was checked"
    ]


def test_all_files_of_an_entry_are_read_whatever_is_wrong_with_them(tmp_path: Path) -> None:
    corpus = own(tmp_path, BAD.decode(), BAD.decode(), GOOD)
    (tmp_path / "dev").unlink()
    found = check_entry(corpus, mirror=None)
    assert found.wrong
    assert [len(file.problems) for file in found.files.values()] == [3, 0]
    assert found.files[f"train: {tmp_path / 'train'}"].problems[0].startswith(f"{tmp_path / 'train'}:2: ")
    (problem,) = found.problems
    assert problem.startswith(f"{tmp_path / 'dev'}: there is no such file")


def test_hold_out_and_counts_are_compared_with_the_files(tmp_path: Path) -> None:
    found = check_entry(
        own(tmp_path, GOOD, None, GOOD, hold_out=300, counts={"test": [300, 601]}), mirror=None
    )
    assert found.problems == (
        "test: holds 600 words, but 601 are expected; fetch the right file or correct the corpus's counts",
        "hold_out: 300 of 300 sentences cannot be held out; choose fewer than there are, and at least 1",
    )
    assert not check_entry(own(tmp_path, GOOD, None, GOOD, hold_out=299), mirror=None).problems


def test_the_splits_of_an_entry_are_compared(tmp_path: Path) -> None:
    corpus = own(tmp_path, GOOD, DEV.replace("B-PER", "O"), "Acme B-ORG\nInc I-ORG\n")
    found = check_entry(corpus, mirror=None)
    assert not found.wrong
    assert [line.split(";")[0] for line in found.warnings] == [
        "dev: every tag is O, so that there is no span",
        "test: 2 words with tags that training does not have, and no tagger trained here can give "
        "(B-ORG (1), I-ORG (1))",
    ]


def test_a_file_that_is_test_and_training_is_told(tmp_path: Path) -> None:
    found = check_entry(own(tmp_path, GOOD, DEV, GOOD), mirror=None)
    (line,) = found.warnings
    assert line.startswith("test: 300 of 300 sentences are in train too, word for word")


def test_an_entry_with_the_mirror_and_several_files(tmp_path: Path) -> None:
    write(tmp_path / "mirrored", GOOD.encode())
    file = str(write(tmp_path / "here", GOOD.encode()))
    address = "https://example.org/mirrored"
    corpus = Corpus.model_validate({"files": {"train": [file, address], "test": file}, "hold_out": 300})
    found = check_entry(corpus, mirror=tmp_path)
    assert list(found.files) == [f"train: {file}", f"train: {address}", f"test: {file}"]
    assert not found.wrong


def test_an_entry_of_a_data_set(tmp_path: Path) -> None:
    table = pa.table({"tokens": [["Ba"]] * 2, "ner_tags": [["O"]] * 2})
    pq.write_table(table, tmp_path / "data.parquet")
    files = dict.fromkeys(("train", "test"), str(tmp_path / "data.parquet"))
    corpus = Corpus.model_validate({"files": files, "format": "dataset", "hold_out": 2})
    found = check_entry(corpus, mirror=None)
    assert [file.sentences for file in found.files.values()] == [2, 2]
    assert found.problems[0].startswith("hold_out: 2 of 2 sentences")


def test_the_command(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, bert, {"files": FILES}, ["kbest"], [1])
    write(tmp_path / "bad", BAD)
    write(tmp_path / "good", b"Ba B-PER\nbane O\n")
    before = set(tmp_path.rglob("*"))
    assert "problems: 3" in invoke("python -m stages.prepare --check bad", status=1)
    text = invoke("python -m stages.prepare --check good")
    assert "sentences: 1\n" in text
    assert "not known, as there is no data/encoder;" in text
    assert f"several pieces: 1, {1 / 2:.1%}" in invoke(
        f"python -m stages.prepare --check good --encoder {bert}"
    )
    missing = invoke("python -m stages.prepare --check", status=1)
    assert "problems of the corpus: 3\n  train: there is no such file" in missing
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "encoder").symlink_to(bert)
    assert "several pieces: 1, " in invoke("python -m stages.prepare --check good")
    assert {path for path in tmp_path.rglob("*") if "data" not in path.parts[-2:]} == before


@pytest.mark.parametrize("arguments", ["", "--out x", "--corpus x --encoder y", "--check none", "file"])
def test_other_words_are_status_2(
    arguments: str, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, bert, {"files": FILES}, ["kbest"], [1])
    invoke(f"python -m stages.prepare {arguments}", status=2)


def test_the_projects_own_corpus_is_without_a_problem_or_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    found = invoke("python -m stages.prepare --check")
    assert found.count("problems: 0") == 3
    assert "warnings" not in found
    for split in ("train", "dev", "test"):
        invoke(f"python -m stages.prepare --check data/newsdesk/{split}.conll")


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_packed_files_are_unpacked_as_the_pipeline_does_it(tmp_path: Path, codec: str) -> None:
    path = write(tmp_path / "file", pa.compress(b"Ba B-X\nne X-X\n", codec=codec, asbytes=True))
    found = look_at(path, entry())
    assert found.words == Counter(["Ba"])
    (problem,) = found.problems
    assert problem.startswith(f"{path}:2: 'X-X' is not an iob2 tag")
    corpus = Corpus.model_validate({"files": {"train": str(path), "test": str(path)}, "hold_out": 1})
    assert all(file.words for file in check_entry(corpus, mirror=None).files.values())
