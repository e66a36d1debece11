"""Every scheme is read into the same IOB2, as the CoNLL evaluation script (seqeval's default) reads it."""

import random
from collections.abc import Sequence
from itertools import groupby, product

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from pipeline.corpora.schemes import PREFIXES, SCHEMES, UNNAMED, FileScheme, SpanReader, tag_problem, to_iob2
from pipeline.corpora.tagging import spans

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
                case "io":
                    letter = "I"
                case _:
                    single, end = ("S", "E") if scheme == "bioes" else ("U", "L")
                    letter = single if first == last else {first: "B", last: end}.get(position, "I")
            tags[position] = f"{letter}-{kind}"
    return tags


@pytest.mark.parametrize("scheme", PREFIXES)
def test_spans_survive_every_scheme(scheme: str) -> None:
    for seed in range(500):
        length, spans = random_spans(seed)
        assert to_iob2(write(length, spans, scheme), scheme) == (tuple(write(length, spans, "iob2")), ())


def runs(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """The runs of one type, by itertools: what io can say."""
    found, start = set(), 0
    for kind, group in groupby(tags):
        end = start + len(list(group))
        found |= {(kind, start, end)} - {("O", start, end)}
        start = end
    return found


@pytest.mark.parametrize("prefix", ["", "I-"])
def test_io_spans_are_runs_of_one_type(prefix: str) -> None:
    for sequence in product(["O", "person", "art-film"], repeat=5):
        written = [tag if tag == "O" else prefix + tag for tag in sequence]
        iob2, broken = to_iob2(written, "io")
        assert spans(iob2, scheme="iob2") == runs(sequence)
        assert not broken


def test_bilou_is_bioes_by_other_letters() -> None:
    letters = str.maketrans("ES", "LU")
    tags = ["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("X", "Y"))]
    for sequence in product(tags, repeat=4):
        assert to_iob2([tag.translate(letters) for tag in sequence], "bilou") == to_iob2(sequence, "bioes")


@pytest.mark.parametrize("scheme", PREFIXES)
def test_tags_without_a_type_are_spans_of_one_unnamed_type(scheme: str) -> None:
    for seed in range(200):
        length, found = random_spans(seed)
        typed = write(length, [(UNNAMED, first, last) for _, first, last in found], scheme)
        bare = [tag.partition("-")[0] for tag in typed]
        assert to_iob2(bare, scheme) == to_iob2(typed, scheme)
        assert not any(tag_problem(tag, scheme) for tag in bare)


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


@pytest.mark.parametrize("tag", ["B-", "X", "X-PER", "b-PER", "-PER", "BI-PER", "NNP", "o", "B_PER"])
def test_tags_of_no_span_scheme(tag: str) -> None:
    for scheme in ("iob1", "iob2", "bioes"):
        assert repr(tag) in (tag_problem(tag, scheme) or "")
    assert tag_problem(tag, "plain") is None


def test_a_letter_of_another_scheme_names_it() -> None:
    assert tag_problem("S-PER", "bioes") is None
    assert "may be in bioes" in (tag_problem("E-PER", "iob2") or "")
    assert tag_problem("U-PER", "bilou") is None
    assert "may be in bilou" in (tag_problem("U-PER", "bioes") or "")
    assert "may be in bioes" in (tag_problem("S-PER", "bilou") or "")
    assert "set scheme to the file's own" in (tag_problem("B-PER", "io") or "")
    assert "may be in" not in (tag_problem("B-", "iob2") or "")
    assert tag_problem("B-movie", "plain") is None


def test_no_other_scheme_is_named_where_tags_were_refused() -> None:
    warnings: list[str] = []
    reader = SpanReader("bioes", str, False, pytest.fail)
    assert reader.problem("U-X")
    reader.read(["B-X", "I-X"], [1, 2])
    reader.warn(warnings.append)
    assert "looks like" not in warnings[0]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_cannot_be_seen_in_a_tag_is_refused_in_every_scheme(scheme: str) -> None:
    good = "B-PER" if scheme in PREFIXES else "PER"
    assert tag_problem(good, scheme) is None
    for hidden in "\u00a0\u200b\ufeff\u00ad\u200e\u2028\t\ufe0f\u3164\ud800\x1b":
        for tag in (good + hidden, hidden + good, good[:-1] + hidden + good[-1]):
            assert f"U+{ord(hidden):04X}, which cannot be seen" in (tag_problem(tag, scheme) or "")
    for tag in (good + " ", " " + good, good + "  X", " "):
        assert "has a space at an end, or two in a row" in (tag_problem(tag, scheme) or "")
    assert tag_problem(f"{good} name", scheme) is None
    assert "is empty" in (tag_problem("", scheme) or "")


def test_a_type_behind_a_space_is_refused() -> None:
    assert "space at an end" in (tag_problem("B- PER", "iob2") or "")


def test_tags_with_and_without_a_type_do_not_mix() -> None:
    reader = SpanReader("iob2", str, False, pytest.fail)
    assert [reader.problem(tag) for tag in ("O", "B-X", "O", "I-X")] == [None] * 4
    assert reader.problem("I") == "'I' has no type, but 'B-X' before it has one; correct one of them"
    reader = SpanReader("bioes", str, False, pytest.fail)
    assert [reader.problem(tag) for tag in ("O", "B", "E")] == [None] * 3
    assert reader.problem("S-X") == "'S-X' has a type, but 'B' before it has none; correct one of them"


def test_plain_tags_stay() -> None:
    assert to_iob2(["I-X", "NN"], "plain") == (("I-X", "NN"), ())


def test_reader_warns_once_with_count_and_first_place() -> None:
    warnings: list[str] = []
    reader = SpanReader("iob2", lambda line: f"f:{line}", False, pytest.fail)
    reader.read(["B-X", "O", "B-X", "O", "B-X", "O"], [1, 2, 3, 4, 5, 6])
    reader.read(["O", "I-X"], [8, 9])
    reader.read(["I-X"], [11])
    reader.warn(warnings.append)
    (warning,) = warnings
    assert warning.startswith("f:9: the first of 2 tags that break the scheme iob2")
    assert "iob1" not in warning


@pytest.mark.parametrize(
    ("scheme", "tags", "hint"),
    [
        ("iob2", "I-X I-X O I-Y", "looks like IOB1: set scheme: iob1"),
        ("bioes", "B-X I-X O B-Y", "looks like IOB2: set scheme: iob2"),
        ("bioes", "I-X I-X O I-Y", "looks like IOB1: set scheme: iob1"),
        ("bilou", "B-X I-X O B-Y", "looks like IOB2: set scheme: iob2"),
        ("bioes", "B-X I-X O S-Y", None),
        ("iob2", "B-X O B-X O I-X", None),
    ],
)
def test_reader_names_the_scheme_that_the_file_is_in(scheme: FileScheme, tags: str, hint: str | None) -> None:
    warnings: list[str] = []
    reader = SpanReader(scheme, str, False, pytest.fail)
    reader.read(tags.split(), range(9))
    reader.warn(warnings.append)
    (warning,) = warnings
    assert hint in warning if hint else "looks like" not in warning


def test_strict_reader_reports_each_broken_tag() -> None:
    problems: list[str] = []
    warnings: list[str] = []
    reader = SpanReader("iob2", lambda line: f"f:{line}", True, problems.append)
    reader.read(["O", "I-X", "O", "I-Y"], [3, 4, 5, 6])
    reader.warn(warnings.append)
    assert [problem.split()[:2] for problem in problems] == [["f:4:", "'I-X'"], ["f:6:", "'I-Y'"]]
    assert not warnings


def test_types_that_look_the_same_are_not_two() -> None:
    composed, decomposed = "B-caf\u00e9", "B-cafe\u0301"
    assert tag_problem(composed, "iob2") is None
    assert "is not in Unicode's form NFC" in (tag_problem(decomposed, "iob2") or "")
