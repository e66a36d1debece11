"""The spans of a sentence's tags, and the set of tags that a tagger can give."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.schemes import to_iob2
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.errors import UserError


def labelled(*tags: str) -> Sentence:
    return Sentence(tuple("w" * len(tags)), tags)


def test_tag_set_orders_types_and_completes_them() -> None:
    tags = TagSet.from_sentences([labelled("B-Z", "O")], [labelled("B-A", "I-A")])
    assert tags.tags == ("O", "B-A", "I-A", "B-Z", "I-Z")
    assert tags.names([4, 0]) == ["I-Z", "O"]
    assert [tags.index[tag] for tag in tags.tags] == list(range(len(tags)))


def test_tag_set_holds_o_even_where_none_was_seen() -> None:
    assert TagSet.from_sentences([labelled("B-A")]).tags == ("O", "B-A", "I-A")


def test_plain_tag_set_is_what_was_seen() -> None:
    tags = TagSet.from_sentences([labelled("VB", "NN")], scheme="plain")
    assert (tags.tags, tags.scheme) == (("NN", "VB"), "plain")


def test_missing_tags_are_counted() -> None:
    tags = TagSet(("O", "B-A", "I-A"))
    assert tags.missing([labelled("B-B", "O", "B-B"), Sentence(("w",))]) == {"B-B": 2}


def test_unlabelled_sentences_have_no_tag_set() -> None:
    with pytest.raises(UserError, match="no tags"):
        TagSet.from_sentences([Sentence(("w",))])


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_tag_set_survives_json(names: list[str]) -> None:
    tags = TagSet(tuple(names), "plain")
    assert TagSet.from_json(json.loads(json.dumps(tags.to_json()))) == tags


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"tags": ["O"]}, {"scheme": "iob2", "tags": [1]}, {"scheme": "iob1", "tags": ["O"]},
     {"scheme": "iob2", "tags": []}, {"scheme": "iob2", "tags": ["O", "O"]}, {"scheme": "iob2", "tags": "O"}],
)  # fmt: skip
def test_damaged_json_is_refused(value: Any) -> None:
    with pytest.raises(UserError, match="tag set"):
        TagSet.from_json(value)


@pytest.mark.parametrize(
    "tag_set",
    [
        TagSet(("O", "B-X", "I-X", "B-Y", "I-Y")),
        TagSet(("I-Y", "B-X", "O", "I-X")),
        TagSet(("A", "B-X", "I-X"), "plain"),
    ],
    ids=["iob2", "no B-Y", "plain"],
)
def test_what_is_allowed_is_what_the_scheme_reads_unbroken(tag_set: TagSet) -> None:
    """By `to_iob2`, which finds where a sequence breaks the scheme."""
    pairs, start, end = tag_set.allowed()

    def unbroken(*tags: str) -> bool:
        return tag_set.scheme == "plain" or not [
            place for place in to_iob2(tags, "iob2")[1] if f"B-{tags[place][2:]}" in tag_set.tags
        ]

    for row, before in enumerate(tag_set.tags):
        assert start[row] is unbroken(before)
        for column, tag in enumerate(tag_set.tags):
            opened = (f"B-{before[2:]}", before, tag) if before.startswith("I-") else (before, tag)
            assert pairs[row][column] is unbroken(*opened), (before, tag)
    assert end == [True] * len(tag_set)
