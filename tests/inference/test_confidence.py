"""A span's probability equals the sum over all tag sequences that have it."""

import pytest
import torch

from pipeline.chain import LinearChain
from pipeline.corpora.schemes import to_iob2
from pipeline.corpora.tagging import TagSet, spans
from pipeline.inference.confidence import span_probabilities
from pipeline.model.prediction import constrain
from tests.helpers.brute_force import BruteForce

TAG_SETS = {
    "two types": TagSet(("O", "B-X", "I-X", "B-Y", "I-Y")),
    "another order, no B-Y": TagSet(("I-Y", "I-X", "O", "B-X")),
    "no I-X": TagSet(("B-X", "O", "B-Y", "I-Y")),
    "no O": TagSet(("B-X", "I-X")),
    "plain": TagSet(("A", "B", "C"), "plain"),
}


@pytest.mark.parametrize("tag_set", TAG_SETS.values(), ids=TAG_SETS)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_against_every_sequence(tag_set: TagSet, scale: float) -> None:
    generator = torch.Generator().manual_seed(len(tag_set))
    lengths, tags = torch.tensor([4, 1, 5]), len(tag_set)
    emissions, transitions, start, end = (
        scale * torch.randn(shape, generator=generator)
        for shape in ((3, 5, tags), (tags, tags), (tags,), (tags,))
    )
    emissions[0, 4:], emissions[1, 1:] = torch.nan, torch.nan
    expected: list[dict[tuple[str, int, int], float]] = []
    for row, length in enumerate(lengths.tolist()):
        sentence = BruteForce(emissions[row, :length], transitions, start, end)
        found: dict[tuple[str, int, int], float] = {}
        shares = (sentence.scores - sentence.log_partition()).exp().tolist()
        for path, share in zip(sentence.sequences.tolist(), shares, strict=True):
            for span in spans(tag_set.names(path), scheme=tag_set.scheme):
                found[span] = found.get(span, 0.0) + share
        expected.append(found)

    chain = LinearChain(emissions, transitions, start, end, lengths)
    computed = span_probabilities(chain, [list(found) for found in expected], tag_set)
    for probabilities, found in zip(computed, expected, strict=True):
        assert probabilities == pytest.approx(list(found.values()), rel=1e-5, abs=1e-12)
        assert all(0 <= probability <= 1 for probability in probabilities)


@pytest.mark.parametrize("name", ["two types", "no I-X", "plain"])
def test_of_a_constrained_chain_it_is_the_share_among_allowed_sequences(name: str) -> None:
    tag_set = TAG_SETS[name]
    generator = torch.Generator().manual_seed(1)
    tags = len(tag_set)
    emissions, transitions, start, end = (
        torch.randn(shape, generator=generator) for shape in ((1, 4, tags), (tags, tags), (tags,), (tags,))
    )
    oracle = BruteForce(emissions[0], transitions, start, end)
    found: dict[tuple[str, int, int], float] = {}
    total = 0.0
    for path, score in zip(oracle.sequences.tolist(), oracle.scores.double().exp().tolist(), strict=True):
        names = tag_set.names(path)
        if tag_set.scheme == "plain" or not to_iob2(names, "iob2")[1]:
            total += score
            for span in spans(names, scheme=tag_set.scheme):
                found[span] = found.get(span, 0.0) + score
    chain = constrain(LinearChain(emissions, transitions, start, end, torch.tensor([4])), tag_set)
    (computed,) = span_probabilities(chain, [list(found)], tag_set)
    assert computed == pytest.approx([mass / total for mass in found.values()], rel=1e-5)


def test_a_sentence_without_spans_has_none() -> None:
    chain = LinearChain(
        torch.zeros(1, 2, 2), torch.zeros(2, 2), torch.zeros(2), torch.zeros(2), torch.tensor([2])
    )
    assert span_probabilities(chain, [[]], TagSet(("B-X", "I-X"))) == [[]]
