"""Each sentence is in one fold; neighbours stay together."""

import pytest
import torch

from pipeline.encoding.folds import BLOCK, fold_rows, other_rows
from pipeline.errors import UserError


@pytest.mark.parametrize("folds", [2, 3, 7])
@pytest.mark.parametrize("sentences", [7, 40, 999, 14_041])
def test_each_sentence_is_in_one_fold_and_taught_by_all_others(sentences: int, folds: int) -> None:
    rows = [fold_rows(sentences, fold, folds) for fold in range(1, folds + 1)]
    assert torch.equal(torch.cat(rows).sort().values, torch.arange(sentences))
    for fold, mine in enumerate(rows, 1):
        assert len(mine) >= 1
        assert torch.equal(
            torch.cat([mine, other_rows(sentences, fold, folds)]).sort().values, torch.arange(sentences)
        )
        assert torch.equal(mine, mine.sort().values)


def test_blocks_of_neighbours_stay_together() -> None:
    assert fold_rows(4 * BLOCK, 1, 2).tolist() == [*range(BLOCK), *range(2 * BLOCK, 3 * BLOCK)]
    assert fold_rows(1_200, 2, 2).tolist() == [*range(300, 600), *range(900, 1_200)]


@pytest.mark.parametrize("folds", [2, 3, 7])
@pytest.mark.parametrize("sentences", [40, 999, 1_499, 1_700, 14_041])
def test_folds_are_equally_large(sentences: int, folds: int) -> None:
    sizes = [len(fold_rows(sentences, fold, folds)) for fold in range(1, folds + 1)]
    assert max(sizes) - min(sizes) <= sentences // (folds * BLOCK) + 1


def test_the_only_fold_has_every_sentence() -> None:
    assert torch.equal(fold_rows(9, 1, 1), torch.arange(9))
    assert len(other_rows(9, 1, 1)) == 0


def test_more_folds_than_sentences_are_refused() -> None:
    assert fold_rows(3, 3, 3).tolist() == [2]
    for rows in (fold_rows, other_rows):
        with pytest.raises(UserError, match="folds: 3 for 2 training sentences; choose at most as many"):
            rows(2, 1, 3)
