"""Which sentences came before: 8 bytes of hash for each, whatever its length."""

import numpy as np
import numpy.typing as npt

from pipeline.corpora.sentence_hashes import Hashes


class SeenSentences:
    """The hashes of all sentences so far.

    Two different sentences have one hash, so that the second is taken for the first, with a probability of
    S² / 2⁶⁵ among S sentences: 4·10⁻⁷ for 4 million, 0.3 % for 300 million.

    The hashes lie in sorted runs, each longer than all behind it, which merge as they grow. So S sentences
    take 8 S bytes, and 16 S while the longest runs merge.
    """

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def first(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether each of `hashes` [S] comes for the first time; from now on all of them have come."""
        values, places = np.unique(hashes, return_index=True)
        fresh = np.ones(len(values), bool)
        for run in self._runs:
            found = np.searchsorted(run, values).clip(max=len(run) - 1)
            fresh &= run[found] != values
        self._add(values[fresh])
        is_first = np.zeros(len(hashes), bool)
        is_first[places[fresh]] = True
        return is_first

    def _add(self, run: Hashes) -> None:
        if len(run):
            self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) <= len(self._runs[-1]):
            merged = np.concatenate(self._runs[-2:])
            merged.sort()
            self._runs[-2:] = [merged]
