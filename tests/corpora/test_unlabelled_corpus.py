"""Unlabelled text: no sentence twice, none of the test split, so many as are asked for, and said."""

from pathlib import Path

import pytest

from pipeline.corpora import unlabelled_corpus
from pipeline.corpora.settings import Corpus, Files, Unlabelled
from pipeline.corpora.tagging import Sentence
from pipeline.corpora.text_shards import read_shards
from pipeline.corpora.unlabelled_corpus import write_unlabelled_text
from pipeline.errors import UserError
from pipeline.storage.sealed_folder import check

CORPUS = Corpus(files=Files(train="a", dev="b", test="c"))
TEST = [Sentence(("Rome", "fell", "."), ("O", "O", "O"))]
LINES = ["Old Ulm .", "Old Ulm .", "Rome fell .", "The sun .", "OldUlm .", "Old Ulm .", "A cat ."]
KEPT = ["Old Ulm .", "The sun .", "OldUlm .", "A cat ."]


class Written:
    """What is written to `out`, and what is said."""

    def __init__(self, place: Path) -> None:
        self.out = place / "out"
        self.said: list[str] = []

    def __call__(self, **settings: object) -> list[str]:
        given = Unlabelled.model_validate(settings)
        write_unlabelled_text(given, CORPUS, TEST, self.out, mirror=None, say=self.said.append)
        return [" ".join(words) for group in read_shards(self.out) for words in group.to_pylist()]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    monkeypatch.chdir(tmp_path)
    Path("one").write_text("\n".join(LINES[:4]))
    Path("two").write_text("\n".join(LINES[4:]))
    return Written(tmp_path)


@pytest.mark.parametrize("rows", [1, 2, 3, 10_000])
def test_each_sentence_once_and_none_of_the_test_split(
    written: Written, rows: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unlabelled_corpus, "ROWS", rows)
    assert written(files=("one", "two")) == KEPT
    (record,) = caplog.records
    assert record.getMessage() == (
        "unlabelled text: left out 2 sentences that came before, and 1 of the test split"
    )
    assert written.said == [
        "one: read as a sentence a line, words between spaces; the first: Old | Ulm | .",
        "two: read as a sentence a line, words between spaces; the first: OldUlm | .",
        "4 sentences, 11 words",
    ]
    assert list(check(written.out)) == ["text-00000.parquet"], "what was fetched is gone"


def test_a_test_sentence_is_known_however_it_is_cut(written: Written) -> None:
    Path("raw").write_text("Rome fell.\nRomefell .\nRome rose.\n")
    assert written(files="raw") == ["Rome rose ."]


def test_a_test_sentence_is_known_although_a_word_of_it_holds_a_space(tmp_path: Path) -> None:
    test = [Sentence(("New York", "has", "10\u00a0000", "cabs", "."), ("O",) * 5)]
    (tmp_path / "raw").write_text("New York has 10\u00a0000 cabs.\nNew York fell.\n", encoding="utf-8")
    kept = Unlabelled(files=str(tmp_path / "raw"))
    write_unlabelled_text(kept, CORPUS, test, tmp_path / "out", mirror=None, say=lambda _: None)
    assert [group.to_pylist() for group in read_shards(tmp_path / "out")] == [[["New", "York", "fell", "."]]]


def test_a_sentence_is_known_in_another_form_of_unicode(tmp_path: Path) -> None:
    """As macOS and many PDF extractors write accents: a letter, and the accent as a character of its own."""
    test = [Sentence(("Jos\u00e9", "left", "."), ("O",) * 3)]
    (tmp_path / "raw").write_text("Jose\u0301 left.\nZoe\u0308 left.\nZo\u00eb left.\n", encoding="utf-8")
    kept = Unlabelled(files=str(tmp_path / "raw"))
    write_unlabelled_text(kept, CORPUS, test, tmp_path / "out", mirror=None, say=lambda _: None)
    assert [group.to_pylist() for group in read_shards(tmp_path / "out")] == [[["Zoe\u0308", "left", "."]]]


def test_a_test_sentence_is_known_although_a_word_of_it_does_not_show(tmp_path: Path) -> None:
    test = [Sentence(("Anna", "\u200b", "left", ",", "here", "."), ("O",) * 6)]
    (tmp_path / "raw").write_text("Anna \u200b left, here.\nAnna stayed, here.\n", encoding="utf-8")
    kept = Unlabelled(files=str(tmp_path / "raw"))
    write_unlabelled_text(kept, CORPUS, test, tmp_path / "out", mirror=None, say=lambda _: None)
    found = [group.to_pylist() for group in read_shards(tmp_path / "out")]
    assert found == [[["Anna", "stayed", ",", "here", "."]]]


def test_a_text_of_new_sentences_gets_no_warning(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    Path("new").write_text("One .\nTwo .\n")
    assert written(files="new") == ["One .", "Two ."]
    assert not caplog.records


@pytest.mark.parametrize("rows", [1, 4, 10_000])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_first_so_many(written: Written, count: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlabelled_corpus, "ROWS", rows)
    assert written(files=["one", "two"], sentences=count) == KEPT[:count]


def test_what_comes_behind_the_last_sentence_that_is_kept_is_not_counted(
    written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    Path("text").write_text("One .\nOne .\nTwo .\nTwo .\nRome fell .\nTwo .\n")
    assert written(files="text", sentences=2) == ["One .", "Two ."]
    (record,) = caplog.records
    assert record.getMessage() == (
        "unlabelled text: left out 1 sentence that came before, and 0 of the test split"
    )


def test_a_source_that_is_not_needed_is_not_fetched(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlabelled_corpus, "ROWS", 1)
    assert written(files=["one", "missing"], sentences=2) == KEPT[:2]


def test_fewer_than_asked_for_is_said(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    assert written(files=["one", "two"], sentences=9) == KEPT
    assert caplog.records[-1].getMessage() == "unlabelled.sentences: 9 are asked for, but there are 4"


def test_a_text_of_test_sentences_alone_is_refused(written: Written) -> None:
    Path("leak").write_text("Rome fell .\n" * 3)
    with pytest.raises(UserError, match=r"^unlabelled.files: hold no sentence that is not in the test split"):
        written(files="leak")
    assert not written.out.exists()
