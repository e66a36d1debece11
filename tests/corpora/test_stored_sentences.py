"""Many sentences as one sequence: in a file they are the same as in memory, and take no memory."""

import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.corpora import stored_sentences
from pipeline.corpora.stored_sentences import StoredSentences, groups, stored
from pipeline.corpora.tagging import Sentence

SENTENCES = [
    *(Sentence((f"word{number}", "ä"), ("B-X", "I-X")) for number in range(25)),
    Sentence(("without", "tags")),
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_sentences, "IN_MEMORY", 5)
    monkeypatch.setattr(stored_sentences, "ROWS", 4)


@pytest.mark.parametrize("count", [0, 1, 5, 6, 8, 9, 26])
def test_the_sentences_are_those_that_were_given(count: int, tmp_path: Path) -> None:
    given = SENTENCES[:count]
    found = stored(iter(given), tmp_path / "file")
    assert isinstance(found, StoredSentences) == (tmp_path / "file").exists() == (count > 5)
    assert list(found) == given
    assert list(found) == given  # once more
    assert len(found) == count
    assert bool(found) == bool(count)


@pytest.mark.parametrize(
    "part",
    [slice(0, 26), slice(-3, None), slice(None, -3), slice(3, 5), slice(4, 8), slice(7, 7), slice(9, 3)],
)
def test_a_part_is_that_of_a_list(part: slice, tmp_path: Path) -> None:
    found = stored(iter(SENTENCES), tmp_path / "file")
    assert list(found[part]) == SENTENCES[part]
    assert len(found[part]) == len(SENTENCES[part])
    assert list(found[part][1:-1]) == SENTENCES[part][1:-1]


def test_a_sentence_is_that_of_a_list(tmp_path: Path) -> None:
    found = stored(iter(SENTENCES), tmp_path / "file")
    for place in (0, 3, 4, 25, -1, -26):
        assert found[place] == SENTENCES[place]
    for place in (26, -27):
        with pytest.raises(IndexError):
            found[place]
    with pytest.raises(ValueError, match="follow"):
        found[::2]


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_groups_are_all_sentences_and_one_at_least(count: int, sizes: list[int]) -> None:
    found = list(groups(SENTENCES[:count]))
    assert [len(group) for group in found] == sizes
    assert [sentence for group in found for sentence in group] == SENTENCES[:count]


def test_what_goes_wrong_while_they_are_read_is_raised(tmp_path: Path) -> None:
    def broken() -> Iterator[Sentence]:
        yield from SENTENCES
        raise RuntimeError("here")

    with pytest.raises(RuntimeError, match="here"):
        stored(broken(), tmp_path / "file")


def peak(sentences: Sequence[Sentence]) -> int:
    """Bytes that Python holds at most during a pass."""
    tracemalloc.start()
    for _ in sentences:
        pass
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_a_pass_over_ten_times_as_many_holds_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_sentences, "ROWS", 100)
    few, many = (
        stored((Sentence((str(number),), ("O",)) for number in range(count)), tmp_path / str(count))
        for count in (300, 3_000)
    )
    peak(few)  # what is loaded at first use
    assert peak(many) < 1.5 * peak(few)
