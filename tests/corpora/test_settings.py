"""Entries of `corpora` and the group `unlabelled`: what each format takes, and what contradicts itself."""

from typing import Any

import pytest

from tests.helpers.params_cases import Load, Refuse, changed
from tests.helpers.params_cases import (
    load_fixture as load_fixture,
)
from tests.helpers.params_cases import (
    path_fixture as path_fixture,
)
from tests.helpers.params_cases import (
    refuse_fixture as refuse_fixture,
)

JSONL = {"files": {"train": "a", "test": "b"}, "hold_out": 1, "format": "jsonl"}
SHA = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"word": "w", "tag": "t", "names": ["O", "B-X"], "encoding": "latin-1"},
        {"format": "dataset"},
        {"format": "dataset", "word": "w", "names": ["O"], "counts": {"train": [1, 2]}},
        {"format": "conll", "word": 1, "tag": -2, "separator": "\t", "encoding": "latin-1", "strict": True},
        {"checksums": {"train": "sha256:" + "0" * 64}},
        {
            "files": {"train": ["a", "b"], "dev": None, "test": "c"},
            "checksums": {"train": ["md5:" + "0" * 32] * 2},
        },
        {"format": "conll", "comment": "# id", "scheme": "bilou"},
    ],
)
def test_entries_of_each_format_are_taken(load: Load, entry: dict[str, Any]) -> None:
    corpus = load(changed("corpora.own", JSONL | entry)).corpora["own"]
    assert corpus.model_dump(mode="json", include=set(entry), exclude_unset=True) == entry


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"separator": ","}, "separator: is not used with format jsonl"),
        ({"format": "dataset", "separator": ","}, "separator: is not used with format dataset"),
        ({"format": "dataset", "encoding": "latin-1"}, "encoding: is not used with format dataset"),
        ({"format": "dataset", "checksums": {"train": "md5:" + "0" * 32}}, "checksums: is not used with"),
        ({"format": "conll", "names": ["O"]}, "names: is not used with format conll"),
        ({"comment": "#"}, "comment: is not used with format jsonl"),
        ({"word": "ner_tags"}, "tag: is the column of the words too ('ner_tags'); correct word or tag"),
        ({"format": "conll", "word": -1}, "tag: is the column of the words too (-1); correct word or tag"),
        ({"files": {"train": [], "test": "b"}}, "files.train: must"),
        (
            {"checksums": {"train": ["md5:" + "0" * 32] * 2}},
            "checksums.train: give one for each file of files.train",
        ),
        ({"word": 0}, "word: must be a column's name with format jsonl, not 0"),
        ({"format": "dataset", "tag": 3}, "tag: must be a column's name with format dataset, not 3"),
        ({"format": "conll", "tag": "ner"}, "tag: must be a column's number with format conll, not 'ner'"),
        ({"format": "conll", "separator": ""}, 'separator: must have at least 1 character, not ""'),
        (
            {"format": "conll", "separator": "\\t"},
            'separator: holds a backslash and a t; write a tab as "\\t" in double quotes',
        ),
        (
            {"names": ["O", "B-PER", "B-PER"]},
            "names: holds 'B-PER' more than once; give each number a name of its own",
        ),
    ],
)
def test_keys_that_a_format_does_not_use_are_refused(
    refuse: Refuse, entry: dict[str, Any], says: str
) -> None:
    assert refuse(changed("corpora.own", JSONL | entry)).startswith(f": corpora.own.{says}")


@pytest.mark.parametrize(
    ("entry", "sources"),
    [
        ({}, ()),
        ({"files": "a"}, (("a", None),)),
        ({"files": ["a", "b"], "format": "jsonl", "word": "text"}, (("a", None), ("b", None))),
        ({"files": ["a", "b"], "checksums": [SHA, SHA]}, (("a", SHA), ("b", SHA))),
        ({"files": "a", "checksums": SHA, "format": "conll", "word": 1}, (("a", SHA),)),
        ({"files": "org/name", "format": "dataset", "sentences": 10}, (("org/name", None),)),
    ],
)
def test_text_without_tags_is_a_source_like_any_other(
    load: Load, entry: dict[str, Any], sources: tuple[tuple[str, str | None], ...]
) -> None:
    assert load(changed("unlabelled", entry)).unlabelled.sources() == sources


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"files": ["a", "b"], "checksums": SHA}, "checksums: give one for each of files"),
        ({"checksums": SHA}, "checksums: give one for each of files"),
        ({"files": "a", "format": "dataset", "checksums": SHA}, "checksums: is not used with format dataset"),
        ({"files": "a", "format": "conll", "word": "w"}, "word: must be a column's number with format conll"),
        ({"format": "conll"}, "format: conll, but there are no files; give files, or set text"),
        ({"format": "jsonl", "word": "t"}, "format: jsonl, but there are no files"),
        ({"files": "a", "format": "jsonl", "word": 1}, "word: must be a column's name with format jsonl"),
        ({"files": "a", "sentences": 10**10}, "sentences: must be less than or equal to 1000000000"),
    ],
)
def test_settings_of_text_that_contradict_each_other_are_refused(
    refuse: Refuse, entry: dict[str, Any], says: str
) -> None:
    assert refuse(changed("unlabelled", entry)).startswith(f": unlabelled.{says}")


@pytest.mark.parametrize(
    ("given", "files"),
    [
        ({}, ("own.txt",)),
        ({"files": "other.txt"}, ("other.txt",)),
        ({"sentences": 5}, ("own.txt",)),
        ({"sentences": 0}, ()),
        ({"files": "other.txt", "sentences": 0}, ()),
    ],
)
def test_the_text_of_the_corpus_is_taken_where_no_other_is_named(
    load: Load, given: dict[str, Any], files: tuple[str, ...]
) -> None:
    tree = changed("unlabelled", given)
    tree["corpora"][tree["task"]]["files"]["unlabelled"] = "own.txt"
    text = load(tree).text
    assert tuple(source for source, _ in text.sources()) == files
    assert text.sentences == (given.get("sentences") or None)


def test_a_corpus_may_have_no_text(load: Load) -> None:
    tree = changed("unlabelled", {})
    tree["corpora"][tree["task"]]["files"]["unlabelled"] = None
    assert load(tree).text.sources() == ()
