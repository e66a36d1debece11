"""Scores from elsewhere: a store like the dump's, or one line that says what is wrong with the file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.errors import UserError
from pipeline.scores import imported as module
from pipeline.scores.imported import LEAST, import_scores
from pipeline.scores.settings import Dump
from pipeline.scores.shards import Origin
from pipeline.scores.store import ScoreStore
from tests.helpers.tiny_corpus import TAG_SET, sentences

TAGS = TAG_SET.tags
WORDS = [list(sentence.words) for sentence in sentences(30, seed=3)]
ORIGIN = Origin(TAGS, teacher="a file", words="some", tokenizer="none")
Import = Callable[..., ScoreStore]


def distributions() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(len(words), len(TAGS)).softmax(-1) for words in WORDS]


def rows(values: Sequence[torch.Tensor], kind: str, tags: Sequence[str] = TAGS) -> dict[str, list[Any]]:
    """Columns as a user makes them, in an order of their own and with a sentence more."""
    lists = [[dict(zip(tags, word, strict=True)) for word in value.tolist()] for value in values]
    order = torch.randperm(len(WORDS), generator=torch.Generator().manual_seed(1)).tolist()
    other: dict[str, list[Any]] = {
        "words": [["not", "asked", "for"]],
        kind: [[dict.fromkeys(tags, 1 / len(tags))] * 3],
    }
    chosen = {"words": [WORDS[i] for i in order], kind: [lists[i] for i in order]}
    return {name: other[name] + column for name, column in chosen.items()}


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    def call(columns: dict[str, list[Any]], files: int = 1, **settings: Any) -> ScoreStore:
        table = pa.table(columns)
        size = -(-len(table) // files)
        (tmp_path / "files").mkdir()
        for number in range(files):
            part = table.slice(number * size, size)
            pq.write_table(part, tmp_path / "files" / f"{number}.parquet", row_group_size=7)
        import_scores(
            tmp_path,
            WORDS,
            Dump(shard_sentences=8, **settings),
            origin=ORIGIN,
            checkpoint=tmp_path / "checkpoint",
            out=tmp_path / "out",
        )
        return ScoreStore.open(tmp_path / "out", expect=ORIGIN)

    return call


@pytest.mark.parametrize("files", [1, 3])
def test_the_logarithms_of_probabilities_are_the_emissions(imported: Import, files: int) -> None:
    given = distributions()
    store = imported(rows(given, "probabilities"), files)
    found, lengths = store.words(torch.arange(len(WORDS)))
    assert lengths.tolist() == [len(words) for words in WORDS]
    torch.testing.assert_close(found, torch.cat(given).log(), rtol=1e-5, atol=1e-6)
    assert not any(part.any() for part in store.parameters)


def test_sentences_with_one_hash_are_told_apart(imported: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "hashes_of_words", lambda found: np.zeros(len([*found]), np.uint64))
    given = distributions()
    found, _ = imported(rows(given, "probabilities")).words(torch.arange(len(WORDS)))
    torch.testing.assert_close(found, torch.cat(given).log(), rtol=1e-5, atol=1e-6)


def test_scores_are_taken_as_they_are_whatever_the_order_of_the_tags(imported: Import) -> None:
    given = [value.log() for value in distributions()]
    turned = rows([value.flip(-1) for value in given], "scores", TAGS[::-1])
    found, _ = imported(turned).words(torch.arange(len(WORDS)))
    assert torch.equal(found, torch.cat(given))


def test_a_tag_without_probability_counts_as_the_least(imported: Import) -> None:
    some = [value[:, :3] / value[:, :3].sum(-1, keepdim=True) for value in distributions()]
    found, _ = imported(rows(some, "probabilities", TAGS[:3])).words(torch.arange(len(WORDS)))
    assert torch.allclose(found[:, 3:].exp(), torch.tensor(LEAST))


def test_a_sentence_that_the_corpus_has_twice_needs_one_row(tmp_path: Path, imported: Import) -> None:
    words = WORDS + WORDS[:4]
    pq.write_table(pa.table(rows(distributions(), "probabilities")), tmp_path / "a.parquet")
    import_scores(
        tmp_path, words, Dump(), origin=ORIGIN, checkpoint=tmp_path / "checkpoint", out=tmp_path / "out"
    )
    store = ScoreStore.open(tmp_path / "out")
    once, again = (store.words(torch.arange(4) + first)[0] for first in (0, len(WORDS)))
    assert torch.equal(once, again)


@pytest.mark.parametrize("more", [0.0, 1.0])
def test_of_two_rows_with_the_same_words_the_first_counts_and_others_are_told(
    imported: Import, caplog: pytest.LogCaptureFixture, more: float
) -> None:
    given = [value.log() for value in distributions()]
    columns = rows(given, "scores")
    columns["words"] += columns["words"][1:3]
    columns["scores"] += [
        [{tag: score + more for tag, score in word.items()} for word in words]
        for words in columns["scores"][1:3]
    ]
    found, _ = imported(columns).words(torch.arange(len(WORDS)))
    assert torch.equal(found, torch.cat(given))
    told = [record.getMessage() for record in caplog.records]
    assert told == (more > 0) * [
        "dump.scores: files/0.parquet: row 32: the first of 2 rows with other scores than an earlier row of "
        "the same words; the earlier row counts"
    ]


@pytest.mark.parametrize(
    ("names", "tags", "message"),
    [
        (("words", "words", "scores"), TAGS, "a.parquet: needs the column `words`, .*; it has words, words,"),
        (("words", "scores"), (*TAGS, TAGS[1]), f"a.parquet: scores has {TAGS[1]} twice; leave one out"),
    ],
)
def test_names_that_stand_twice_are_refused(
    tmp_path: Path, names: Sequence[str], tags: Sequence[str], message: str
) -> None:
    words = pa.array([["a"]])
    struct = pa.StructArray.from_arrays([pa.array([0.0])] * len(tags), names=tags)
    columns = {"words": words, "scores": pa.ListArray.from_arrays([0, 1], struct)}
    pq.write_table(pa.table([columns[name] for name in names], names=names), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=message):
        import_scores(
            tmp_path, [["a"]], Dump(), origin=ORIGIN, checkpoint=tmp_path / "c", out=tmp_path / "out"
        )


def changed(change: Callable[[dict[str, list[Any]]], Any]) -> dict[str, list[Any]]:
    columns = rows(distributions(), "probabilities")
    change(columns)
    return columns


def first_word(columns: dict[str, list[Any]]) -> dict[str, float]:
    word: dict[str, float] = columns["probabilities"][1][0]
    return word


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["words"].__setitem__(3, ["another"]), "1 of 30 sentences are in no row, first sentence"),
        (lambda c: c.update(words2=c.pop("words")), "needs the column `words`"),
        (lambda c: c.update(more=c.pop("probabilities")), "one of `probabilities` and `scores`"),
        (lambda c: c.update(probabilities=[[0.5]] * 31), "is list<.*double>, not a list of structs"),
        (lambda c: c.update(words=[[1]] * 31), "words is list<.*int64>, not a list of strings"),
        (
            lambda c: c.update(probabilities=[[{"O": "1", "B-PER": "0"}]] * 31),
            "probabilities of B-PER is string, not a number|probabilities of O is string, not a number",
        ),
        (lambda c: c.update(probabilities=[[{"O": True}]] * 31), "probabilities of O is bool, not a number"),
        (
            lambda c: c.update(scores=c.pop("probabilities")) or c["scores"][1][0].update(O=1e39),
            "row 2 has scores beyond",
        ),
        (lambda c: c["probabilities"][1].append(first_word(c)), r"0.parquet: row 2 has probabilities of \d+"),
        (lambda c: first_word(c).update(O=2.0), "row 2 has probabilities of word 1 that sum to"),
        (
            lambda c: first_word(c).update(O=first_word(c)["O"] + 0.02),
            "probabilities of word 1 that sum to 1.02",
        ),
        (
            lambda c: c["probabilities"][1].__setitem__(0, {"O": 1.2, "B-PER": -0.2}),
            "row 2 has probabilities of word 1 of which one is -0.2",
        ),
        (lambda c: first_word(c).update(O=float("nan")), "row 2 has probabilities that are NaN"),
        (lambda c: first_word(c).update({"B-ORG": 0.0}), "rename or leave out B-ORG"),
        (
            lambda c: c.update(scores=c.pop("probabilities")) or c["scores"][1][0].update(O=None),
            "no score of O",
        ),
    ],
)
def test_what_is_wrong_is_named(
    imported: Import, tmp_path: Path, change: Callable[[dict[str, list[Any]]], Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        imported(changed(change))
    assert not (tmp_path / "out").exists()


def test_rows_are_counted_over_all_that_are_read_together(
    imported: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS", 4)
    with pytest.raises(UserError, match=r"0.parquet: row 11 has probabilities of word 1"):
        imported(changed(lambda c: c["probabilities"][10][0].update(O=2.0)))


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("words")
    with pytest.raises(UserError, match=r"a\.parquet: cannot be read as Parquet"):
        import_scores(tmp_path, WORDS, Dump(), origin=ORIGIN, checkpoint=tmp_path / "c", out=tmp_path / "out")


def test_damaged_text_is_one_line(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in a column of strings, which pyarrow reads and cannot give."""
    words = pa.array([[b"Ada", b"\xff\xfe"]], pa.list_(pa.binary()))
    text = pa.Array.from_buffers(pa.string(), 2, words.values.buffers())
    scores = [[dict.fromkeys(TAGS, 1.0)] * 2]
    table = pa.table({"words": pa.ListArray.from_arrays(words.offsets, text), "scores": scores})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: cannot be read as Parquet \(.*UTF"):
        import_scores(tmp_path, WORDS, Dump(), origin=ORIGIN, checkpoint=tmp_path / "c", out=tmp_path / "out")


def test_files_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    pq.write_table(pa.table(rows(distributions(), "probabilities")), tmp_path / "files" / "scores.pq")
    (tmp_path / "files" / "seal.json").write_text("{}")
    out, checkpoint = tmp_path / "out", tmp_path / "c"
    import_scores(tmp_path / "files", WORDS, Dump(), origin=ORIGIN, checkpoint=checkpoint, out=out)
    assert ScoreStore.open(out).sentences == len(WORDS)


def test_lists_with_64_bit_offsets_are_lists(imported: Import, tmp_path: Path) -> None:
    columns = rows(distributions(), "probabilities")
    plain = pa.table(columns)
    kind = pa.large_list(plain.schema.field("probabilities").type.value_type)
    large = plain.cast(
        pa.schema([("words", pa.large_list(pa.large_string())), ("probabilities", kind)]), safe=True
    )
    pq.write_table(large, tmp_path / "large.parquet")
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "large.parquet").rename(folder / "large.parquet")
    import_scores(folder, WORDS, Dump(), origin=ORIGIN, checkpoint=tmp_path / "c", out=tmp_path / "out")
    assert len(ScoreStore.open(tmp_path / "out").words(torch.arange(4))[0]) == sum(map(len, WORDS[:4]))


def test_of_several_processes_the_first_imports_and_waits_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LOCAL_RANK": "0", "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "files").mkdir()
    pq.write_table(pa.table(rows(distributions(), "probabilities")), tmp_path / "files" / "a.parquet")
    out, checkpoint = tmp_path / "out", tmp_path / "c"
    import_scores(tmp_path / "files", WORDS, Dump(), origin=ORIGIN, checkpoint=checkpoint, out=out)
    assert ScoreStore.open(out).sentences == len(WORDS)
