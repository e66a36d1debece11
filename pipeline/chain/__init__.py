"""The linear chain: log Z, moments, marginals, Viterbi and K-best of a batch of tagged sentences."""

from pipeline.chain.linear_chain import LinearChain, cross_entropy
from pipeline.chain.moments import Moments, gold_moments, length_mask, path_moments

__all__ = ["LinearChain", "Moments", "cross_entropy", "gold_moments", "length_mask", "path_moments"]
