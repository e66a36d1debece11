"""Batches come in order, on a GPU a few ahead, and what goes wrong is raised where the batch is used."""

import threading
from contextlib import closing

import pytest
import torch

from pipeline.encoding.prefetch import AHEAD, prefetch

CPU, ANOTHER = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize("device", [CPU, ANOTHER])
def test_the_order_is_that_of_the_items(device):
    with closing(prefetch(range(50), lambda item: item * 2, device)) as ahead:
        assert list(ahead) == [item * 2 for item in range(50)]


def test_no_more_than_a_few_are_laid_out_ahead_and_by_another_thread():
    done: list[str] = []

    def lay_out(item):
        done.append(threading.current_thread().name)
        return item

    with closing(prefetch(range(50), lay_out, ANOTHER)) as ahead:
        for used in range(10):
            assert next(ahead) == used
            assert len(done) <= used + 1 + AHEAD
    assert set(done) == {"batches_0"}


def test_a_cpu_lays_each_out_itself_when_it_is_used():
    done: list[str] = []

    def lay_out(item):
        done.append(threading.current_thread().name)
        return item

    for used, item in enumerate(prefetch(range(50), lay_out, CPU)):
        assert item == used
        assert done == [threading.current_thread().name] * (used + 1)


@pytest.mark.parametrize("device", [CPU, ANOTHER])
def test_an_error_is_raised_in_the_place_of_its_item(device):
    used = []
    with (
        pytest.raises(ZeroDivisionError),
        closing(prefetch([4, 2, 0, 1], lambda item: 8 / item, device)) as ahead,
    ):
        used += list(iter(ahead.__next__, None))
    assert used == []
    with closing(prefetch([4, 2, 0, 1], lambda item: 8 / item, device)) as ahead:
        assert [next(ahead), next(ahead)] == [2, 4]
        with pytest.raises(ZeroDivisionError):
            next(ahead)


def test_the_thread_ends_with_the_iterator():
    before = threading.active_count()
    with closing(prefetch(range(50), lambda item: item, ANOTHER)) as ahead:
        next(ahead)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
