"""How probable a chain holds each span: the exact probability of "this span, neither longer nor shorter"."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.chain import LinearChain, log_space
from pipeline.corpora.tagging import Span, TagSet

Floats = NDArray[np.float64]


def span_probabilities(
    chain: LinearChain, spans: Sequence[Sequence[Span]], tag_set: TagSet
) -> list[list[float]]:
    """The share of exp(score) / Z that goes to tag sequences with the given span.

    For IOB2 and a span of type X over the words s..e-1, read as `tagging.spans` reads it, that is

        Σ_a P(y_s = a, y_{s+1} = … = y_{e-1} = I-X, y_e ≠ I-X),

    a being B-X, or I-X behind a tag that is neither B-X nor I-X. For plain tags it is the tag's marginal.
    One forward-backward pass, in float64, serves all spans of a sentence.

    Args:
        chain: B sentences.
        spans: of each sentence (type, first word, word after the last).
        tag_set: of the chain's columns; must hold the spans' tags.

    Returns:
        A probability for every span, in the order given.
    """
    tensors = (tensor.detach().cpu() for tensor in (*chain.potentials, chain.lengths))
    states = log_space.sweep(*tensors)
    transitions, log_z = states.transitions.numpy(), states.log_z.numpy()
    probabilities = []
    for row, length in enumerate(chain.lengths.tolist()):
        emissions, alpha, beta = (
            tensor[row, :length].numpy() for tensor in (states.emissions, states.alpha, states.beta)
        )
        sentence = _Sentence(emissions, alpha, beta, transitions, tag_set)
        logs = np.array([sentence.log_mass(span) for span in spans[row]])
        probabilities.append(np.exp(np.minimum(logs - log_z[row], 0.0)).tolist())
    return probabilities


class _Sentence:
    """Emissions, alpha and beta [L, N] of one sentence (see `LogStates`) and the transitions [N, N]."""

    def __init__(
        self, emissions: Floats, alpha: Floats, beta: Floats, transitions: Floats, tag_set: TagSet
    ) -> None:
        self.emissions, self.alpha, self.beta, self.transitions = emissions, alpha, beta, transitions
        self.tag_set = tag_set

    def log_mass(self, span: Span) -> float:
        """Log of the summed exp(score) of all tag sequences with the span."""
        kind, start, end = span
        if self.tag_set.scheme == "plain":
            tag = self.tag_set.index[kind]
            return float(self.alpha[start, tag] + self.beta[start, tag])
        first, inside = (self.tag_set.index.get(f"{letter}-{kind}") for letter in "BI")
        masses = []
        if first is not None:
            masses.append(self.alpha[start, first] + self._rest(first, inside, start, end))
        if inside is not None:
            masses.append(self._unopened(first, inside, start) + self._rest(inside, inside, start, end))
        return float(np.logaddexp.reduce(masses))

    def _unopened(self, first: int | None, inside: int, word: int) -> float:
        """Log mass of the prefixes that end in `inside` at `word` and in no tag of its type before."""
        if word == 0:
            return float(self.alpha[0, inside])
        before = self.alpha[word - 1] + self.transitions[:, inside]
        others = [tag for tag in range(len(before)) if tag not in (first, inside)]
        return float(np.logaddexp.reduce(before[others]) + self.emissions[word, inside])

    def _rest(self, tag: int, inside: int | None, start: int, end: int) -> float:
        """Log mass of what follows `tag` at `start`: `inside` up to `end`, then another tag or nothing."""
        if end - start > 1 and inside is None:
            return -np.inf
        mass = 0.0
        for word in range(start + 1, end):
            mass += float(self.transitions[tag, inside] + self.emissions[word, inside])
            tag = inside  # type: ignore[assignment]  # None is excluded above
        if end == len(self.alpha):
            return float(mass + self.beta[end - 1, tag])
        after = self.transitions[tag] + self.emissions[end] + self.beta[end]
        others = [column for column in range(len(after)) if column != inside]
        return float(mass + np.logaddexp.reduce(after[others]))
