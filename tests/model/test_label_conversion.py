"""Labels in other schemes become the corpus's tags: compared with an enumeration of all label sequences."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.corpora.schemes import to_iob2
from pipeline.corpora.tagging import TagSet
from pipeline.model.label_conversion import SMALLEST, LabelConversion

TYPES = ("LOC", "PER")
TAGS = TagSet(("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))
LABELS = {
    "iob1": ("I-PER", "O", "B-LOC", "I-LOC"),  # no B-PER: two persons never stand side by side
    "iob2": ("B-PER", "O", "I-PER", "B-LOC", "I-LOC"),
    "io": ("PER", "O", "LOC"),
    "bioes": ("O", *(f"{letter}-{kind}" for kind in TYPES for letter in "BIES")),
    "bilou": ("O", *(f"{letter}-{kind}" for kind in TYPES for letter in "UILB")),
}


def enumerated(
    scores: Tensor, labels: tuple[str, ...], scheme: str, types: dict[str, str | None], tags: TagSet
) -> Tensor:
    """P [L, N] of each word's tag, summed over the IOB2 forms of all sequences of labels."""
    probabilities = scores.double().softmax(-1).tolist()
    found = torch.zeros(len(probabilities), len(tags), dtype=torch.float64)
    for sequence in itertools.product(range(len(labels)), repeat=len(probabilities)):
        weight = math.prod(row[label] for row, label in zip(probabilities, sequence, strict=True))
        iob2, _ = to_iob2([labels[label] for label in sequence], scheme)
        for word, tag in enumerate(iob2):
            letter, _, kind = tag.partition("-")
            renamed = types.get(kind, kind)
            found[word, tags.index["O" if not kind or renamed is None else f"{letter}-{renamed}"]] += weight
    return found


def scores_of(sentence: list[list[float]]) -> Tensor:
    return torch.tensor(sentence)


@pytest.mark.parametrize("scheme", ["iob1", "io"])
@given(data=st.data())
def test_a_span_starts_where_the_word_before_is_of_another_type(scheme: str, data: st.DataObject) -> None:
    labels = LABELS[scheme]
    score = st.floats(-4, 4, width=32)
    row = st.lists(score, min_size=len(labels), max_size=len(labels))
    scores = scores_of(data.draw(st.lists(row, min_size=1, max_size=4)))
    found = LabelConversion(labels, scheme, {}, TAGS)(scores[None])[0]
    wanted = enumerated(scores, labels, scheme, {}, TAGS)
    torch.testing.assert_close(found.double().exp(), wanted.clamp_min(SMALLEST), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("types", [{"PER": "LOC"}, {"PER": None}, {"PER": "LOC", "LOC": None}])
@pytest.mark.parametrize("scheme", ["iob1", "io"])
def test_types_are_renamed_behind_the_scheme(scheme: str, types: dict[str, str | None]) -> None:
    """Two spans side by side whose types become one stay two."""
    tags = TagSet(("O", "B-LOC", "I-LOC"))
    scores = torch.randn(4, len(LABELS[scheme]), generator=torch.Generator().manual_seed(3))
    found = LabelConversion(LABELS[scheme], scheme, types, tags)(scores[None])[0].exp()
    wanted = enumerated(scores, LABELS[scheme], scheme, types, tags)
    torch.testing.assert_close(found.double(), wanted.clamp_min(SMALLEST), rtol=1e-4, atol=1e-7)


def legal(scheme: str, length: int) -> list[tuple[str, ...]]:
    """All sequences of labels that the scheme allows."""
    return [
        sequence
        for sequence in itertools.product(LABELS[scheme], repeat=length)
        if not to_iob2(sequence, scheme)[1]
    ]


@pytest.mark.parametrize("scheme", ["iob2", "bioes", "bilou"])
def test_every_legal_sequence_becomes_its_iob2(scheme: str) -> None:
    sequences, conversion = legal(scheme, 3), LabelConversion(LABELS[scheme], scheme, {}, TAGS)
    assert len(sequences) > 20
    scores = torch.tensor(
        [
            [[50.0 * (each == label) for each in LABELS[scheme]] for label in sequence]
            for sequence in sequences
        ]
    )
    found = [[TAGS.tags[tag] for tag in row] for row in conversion(scores).argmax(-1).tolist()]
    assert found == [list(to_iob2(sequence, scheme)[0]) for sequence in sequences]


@pytest.mark.parametrize("scheme", LABELS)
def test_the_probabilities_of_a_word_add_up_to_one(scheme: str) -> None:
    labels = LABELS[scheme]
    scores = 3 * torch.randn(5, 7, len(labels), generator=torch.Generator().manual_seed(1))
    total = LabelConversion(labels, scheme, {}, TAGS)(scores).exp().sum(-1)
    torch.testing.assert_close(total, torch.ones(5, 7), rtol=0, atol=1e-5)


def test_bioes_adds_up_the_labels_of_one_tag() -> None:
    labels = LABELS["bioes"]
    p = torch.randn(len(labels), generator=torch.Generator().manual_seed(2)).softmax(-1)
    found = LabelConversion(labels, "bioes", {}, TAGS)(p.log()[None, None])[0, 0].exp()
    of = dict(zip(labels, p, strict=True))
    wanted = [of["O"], of["B-LOC"] + of["S-LOC"], of["I-LOC"] + of["E-LOC"]]
    wanted += [of["B-PER"] + of["S-PER"], of["I-PER"] + of["E-PER"]]
    torch.testing.assert_close(found, torch.stack(wanted))


def test_no_emission_is_infinite() -> None:
    scores = torch.tensor([[[300.0, -300.0, -300.0, -300.0]]])
    found = LabelConversion(LABELS["iob1"], "iob1", {}, TAGS)(scores)
    assert found.isfinite().all()
    assert found.min() == pytest.approx(math.log(SMALLEST))


def test_plain_tags_are_renamed_and_added_up() -> None:
    tags = TagSet(("NOUN", "VERB"), "plain")
    conversion = LabelConversion(
        ("VB", "NN", "NNS"), "plain", {"VB": "VERB", "NN": "NOUN", "NNS": "NOUN"}, tags
    )
    found = conversion(torch.zeros(1, 2, 3)).exp()
    torch.testing.assert_close(found, torch.tensor([[[2 / 3, 1 / 3]] * 2]))


def test_a_conversion_is_read_as_it_was_written() -> None:
    one = LabelConversion(LABELS["iob1"], "iob1", {"PER": None}, TAGS)
    other = LabelConversion.from_json(one.to_json(), TAGS)
    assert (other.labels, other.scheme, other.types) == (one.labels, one.scheme, one.types)
    scores = torch.randn(2, 3, 4)
    assert torch.equal(one(scores), other(scores))


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"labels": ["O", "B-PER"], "scheme": "iob3", "types": {}},
        {"labels": ["O", 3], "scheme": "iob2", "types": {}},
        {"labels": "O", "scheme": "iob2", "types": {}},
        {"labels": ["O", "B-ORG"], "scheme": "iob2", "types": {}},
        {"labels": ["O", "B-PER"], "scheme": "iob2", "types": {"PER": 3}},
        {"labels": ["O", "B-PER"], "scheme": "iob2", "types": {"PER": "ORG"}},
    ],
)
def test_a_damaged_conversion_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="its "):
        LabelConversion.from_json(value, TAGS)
