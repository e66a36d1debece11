"""Every scheme is read into the same IOB2, as the CoNLL evaluation script (seqeval's default) reads it."""

import json
import logging
import random
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from pipeline.corpora.tagging import Sentence, SpanReader, TagSet, tag_problem, to_iob2
from pipeline.errors import UserError

KINDS = ("PER", "B-ORG")  # the second holds a hyphen and a prefix


def random_spans(seed: int) -> tuple[int, list[tuple[str, int, int]]]:
    """A length and spans (kind, first, last) that do not overlap."""
    draw = random.Random(seed)
    position, spans = draw.randrange(3), []
    for _ in range(draw.randrange(5)):
        last = position + draw.randrange(3)
        spans.append((draw.choice(KINDS), position, last))
        position = last + 1 + draw.choice((0, 0, 1))
    return position + draw.randrange(3), spans


def write(length: int, spans: list[tuple[str, int, int]], scheme: str) -> list[str]:
    """Tags of spans, straight from each scheme's definition."""
    tags = ["O"] * length
    for kind, first, last in spans:
        for position in range(first, last + 1):
            touches = any((other, end) == (kind, first - 1) for other, _, end in spans)
            match scheme:
                case "iob1":
                    letter = "B" if position == first and touches else "I"
                case "iob2":
                    letter = "B" if position == first else "I"
                case _:
                    letter = "S" if first == last else {first: "B", last: "E"}.get(position, "I")
            tags[position] = f"{letter}-{kind}"
    return tags


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes"])
def test_spans_survive_every_scheme(scheme: str) -> None:
    for seed in range(500):
        length, spans = random_spans(seed)
        assert to_iob2(write(length, spans, scheme), scheme) == (tuple(write(length, spans, "iob2")), ())


@pytest.mark.parametrize(("scheme", "letters"), [("iob1", "BI"), ("iob2", "BI"), ("bioes", "BIES")])
def test_broken_tags_give_the_evaluation_scripts_spans(scheme: str, letters: str) -> None:
    tags = ["O", *(f"{letter}-{kind}" for letter in letters for kind in ("X", "Y"))]
    for sequence in product(tags, repeat=4):
        iob2, _ = to_iob2(sequence, scheme)
        assert get_entities(list(iob2)) == get_entities(list(sequence)), sequence
        assert to_iob2(iob2, "iob2") == (iob2, ())


@pytest.mark.parametrize(
    ("scheme", "tags", "broken"),
    [
        ("iob2", "I-X O B-X I-Y I-Y", (0, 3)),
        ("iob1", "I-X O B-X I-Y I-Y", ()),
        ("bioes", "B-X E-X S-X O", ()),
        ("bioes", "B-X O S-X I-X", (0, 3)),
        ("bioes", "B-X B-X I-X", (0, 2)),
        ("bioes", "E-X I-X E-Y", (0, 1, 2)),
    ],
)
def test_where_a_scheme_is_broken(scheme: str, tags: str, broken: tuple[int, ...]) -> None:
    assert to_iob2(tags.split(), scheme)[1] == broken


@pytest.mark.parametrize("tag", ["B-", "I", "X-PER", "b-PER", "-PER", "", "BI-PER", "NNP", "o", "B_PER"])
def test_tags_of_no_span_scheme(tag: str) -> None:
    for scheme in ("iob1", "iob2", "bioes"):
        assert repr(tag) in (tag_problem(tag, scheme) or "")
    assert tag_problem(tag, "plain") is None


def test_end_and_single_tags_belong_to_bioes_alone() -> None:
    assert tag_problem("S-PER", "bioes") is None
    assert tag_problem("E-PER", "iob2")


def test_plain_tags_stay() -> None:
    assert to_iob2(["I-X", "NN"], "plain") == (("I-X", "NN"), ())


def labelled(*tags: str) -> Sentence:
    return Sentence(tuple("w" * len(tags)), tags)


def test_tag_set_orders_types_and_completes_them() -> None:
    tags = TagSet.from_sentences([labelled("B-Z", "O")], [labelled("B-A", "I-A")])
    assert tags.tags == ("O", "B-A", "I-A", "B-Z", "I-Z")
    assert tags.ids(["I-Z", "O"]) == [4, 0]
    assert tags.names([4, 0]) == ["I-Z", "O"]
    assert [tags.index[tag] for tag in tags.tags] == list(range(len(tags)))


def test_tag_set_holds_o_even_where_none_was_seen() -> None:
    assert TagSet.from_sentences([labelled("B-A")]).tags == ("O", "B-A", "I-A")


def test_plain_tag_set_is_what_was_seen() -> None:
    tags = TagSet.from_sentences([labelled("VB", "NN")], scheme="plain")
    assert (tags.tags, tags.scheme) == (("NN", "VB"), "plain")


def test_missing_tags_are_counted_and_refused() -> None:
    tags = TagSet(("O", "B-A", "I-A"))
    assert tags.missing([labelled("B-B", "O", "B-B"), Sentence(("w",))]) == {"B-B": 2}
    with pytest.raises(UserError, match="'B-B' is not in the tag set"):
        tags.ids(["O", "B-B"])


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


def test_reader_warns_once_with_count_and_first_place(caplog: pytest.LogCaptureFixture) -> None:
    reader = SpanReader("iob2", lambda line: f"f:{line}", False, pytest.fail)
    reader.read(["B-X", "O", "B-X", "O", "B-X", "O"], [1, 2, 3, 4, 5, 6])
    reader.read(["O", "I-X"], [8, 9])
    reader.read(["I-X"], [11])
    reader.warn()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].startswith("f:9: the first of 2 tags that break the scheme iob2")
    assert "iob1" not in caplog.messages[0]


def test_reader_recognises_iob1(caplog: pytest.LogCaptureFixture) -> None:
    reader = SpanReader("iob2", str, False, pytest.fail)
    reader.read(["I-X", "I-X", "O", "I-Y"], [1, 2, 3, 4])
    reader.warn()
    assert "set scheme: iob1" in caplog.messages[0]


def test_strict_reader_reports_each_broken_tag(caplog: pytest.LogCaptureFixture) -> None:
    problems: list[str] = []
    reader = SpanReader("iob2", lambda line: f"f:{line}", True, problems.append)
    reader.read(["O", "I-X", "O", "I-Y"], [3, 4, 5, 6])
    reader.warn()
    assert [problem.split()[:2] for problem in problems] == [["f:4:", "'I-X'"], ["f:6:", "'I-Y'"]]
    assert not caplog.records


def test_unknown_scheme_is_refused_with_the_choices() -> None:
    with pytest.raises(UserError, match=r"'bilou'.*iob1, iob2, bioes, plain"):
        SpanReader("bilou", str, False, pytest.fail)


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
        assert tag_set.breaks([before]) is not start[row]
        for column, tag in enumerate(tag_set.tags):
            opened = (f"B-{before[2:]}", before, tag) if before.startswith("I-") else (before, tag)
            assert pairs[row][column] is unbroken(*opened), (before, tag)
            assert tag_set.breaks(opened) is not unbroken(*opened)
    assert end == [True] * len(tag_set)
