"""Scratch memory: the same at every call of a name, and never shared where that would be seen."""

import threading

import pytest
import torch

from pipeline.chain.workspace import scratch

LIKE = torch.zeros(1)


def address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_a_name_has_the_same_memory_in_any_shape_that_fits():
    first = scratch("reused", (4, 6), LIKE)
    again = scratch("reused", (3, 2), LIKE)
    assert (tuple(first.shape), tuple(again.shape)) == ((4, 6), (3, 2))
    assert address(first) == address(again)


def test_memory_grows_and_what_was_given_out_before_stays_usable():
    small = scratch("growing", (2,), LIKE).fill_(1.0)
    large = scratch("growing", (1000,), LIKE).fill_(2.0)
    assert large.shape == (1000,)
    assert small.tolist() == [1.0, 1.0]
    assert address(scratch("growing", (2,), LIKE)) == address(large)


@pytest.mark.parametrize("shape", [(0, 3), (0,), ()])
def test_shapes_without_a_dimension_or_a_number(shape):
    assert tuple(scratch("edge", shape, LIKE).shape) == shape


def test_other_names_types_and_kept_memory_are_apart():
    wide = torch.zeros(1, dtype=torch.float64)
    found = [
        scratch("one", (8,), LIKE),
        scratch("other", (8,), LIKE),
        scratch("one", (8,), wide),
        scratch("one", (8,), LIKE, keep=True),
        scratch("one", (8,), LIKE, keep=True),
    ]
    assert len({address(tensor) for tensor in found}) == len(found)
    assert [tensor.dtype for tensor in found] == [torch.float32] * 2 + [torch.float64] + [torch.float32] * 2


def test_another_device_gets_memory_of_its_own_at_every_call():
    there = torch.zeros(1, device="meta")
    one, other = scratch("there", (3,), there), scratch("there", (3,), there)
    assert one.device.type == "meta"
    assert one is not other
    assert scratch("there", (3,), LIKE).device.type == "cpu"


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_threads_have_memory_of_their_own():
    found = [scratch("threads", (5,), LIKE)]
    in_a_thread(lambda: found.append(scratch("threads", (5,), LIKE)))
    assert address(found[0]) != address(found[1])


def test_memory_first_asked_for_in_inference_mode_can_be_written_to_outside():
    found: list[torch.Tensor] = []

    def work() -> None:  # which has no scratch memory yet
        with torch.inference_mode():
            scratch("inference", (3,), LIKE)
        found.append(scratch("inference", (3,), LIKE).fill_(1.0))

    in_a_thread(work)
    assert not found[0].is_inference()
