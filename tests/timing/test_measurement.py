"""The clock's boundaries, and who is measured when and on what."""

from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.encoding.batching import Batch, Batches
from pipeline.model.chain_tagger import ChainTagger
from pipeline.timing import measurement
from pipeline.timing.measurement import (
    STUDENT_BACKWARD,
    STUDENT_FORWARD,
    TEACHER_FORWARD,
    PhaseClock,
    measure,
    representative,
)
from pipeline.timing.timed_steps import PIPELINE, TimedStep
from pipeline.training.settings import Student


def test_the_device_is_idle_before_the_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    ticks = iter([10.0, 12.0, 15.0, 100.0, 101.0])

    def tick() -> float:
        events.append("read")
        return next(ticks)

    monkeypatch.setattr(measurement, "synchronize", lambda device: events.append("wait"))
    monkeypatch.setattr(measurement.time, "perf_counter", tick)
    clock = PhaseClock(torch.device("cpu"))
    clock.start()
    clock.lap(TEACHER_FORWARD)
    clock.lap(STUDENT_FORWARD)
    clock.start()  # what lies between is in no phase
    clock.lap(STUDENT_FORWARD)
    assert clock.seconds == {TEACHER_FORWARD: 2.0, STUDENT_FORWARD: 4.0, STUDENT_BACKWARD: 0.0}
    assert events == ["wait", "read"] * 5


def test_batches_of_all_sizes_are_chosen(batches: Batches) -> None:
    sizes = [int(batches.encoded.pieces.lengths[ids].sum()) for ids in representative(batches, None)]
    assert len(sizes) == len(batches) == 7
    assert sizes == sorted(sizes)
    middle = representative(batches, 1)
    assert [int(batches.encoded.pieces.lengths[ids].sum()) for ids in middle] == [sizes[3]]
    two = representative(batches, 2)
    assert [int(batches.encoded.pieces.lengths[ids].sum()) for ids in two] == [sizes[1], sizes[5]]
    assert len(representative(batches, 99)) == 7


def recorder(name: str, calls: list[tuple[str, int, list[float]]], model: ChainTagger) -> TimedStep:
    """Records name, step and the weights that it finds."""

    def loss(chain: LinearChain, batch: Batch, target: Any, step: int) -> Tensor:
        calls.append((name, step, model.emission.weight.detach().flatten().tolist()))
        return chain.emissions.square().mean((1, 2))

    return TimedStep(PIPELINE, name, None, loss)


def test_passes_are_alike_but_for_their_order(
    batches: Batches, model: ChainTagger, student: Student, device: Accelerator
) -> None:
    calls: list[tuple[str, int, list[float]]] = []
    chosen = [batches.collate(ids) for ids in representative(batches, 2)]
    names = ["a", "b", "c", "d"]
    timed_steps = [recorder(name, calls, model) for name in names]
    taken = measure(timed_steps, model, chosen, student, steps=20, passes=3, accelerator=device)

    assert [len(passes) for passes in taken] == [3, 3, 3, 3]
    assert all(seconds[STUDENT_FORWARD] > 0 < seconds[STUDENT_BACKWARD] for p in taken for seconds in p)
    firsts, seconds = calls[::2], calls[1::2]
    assert [name for name, _, _ in firsts] == [*"abcd", *"bcda", *"cdab", *"dabc"]
    assert {step for _, step, _ in calls} == {9}
    start = firsts[0][2]
    assert all(weights == start for _, _, weights in firsts)
    assert all(weights != start for _, _, weights in seconds)  # the optimiser has made its step
    assert model.training


def test_a_long_pass_is_cut_into_turns_of_all_kinds_of_step(
    batches: Batches,
    model: ChainTagger,
    student: Student,
    device: Accelerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measurement, "TURN", 2)
    calls: list[tuple[str, int, list[float]]] = []
    chosen = [batches.collate(ids) for ids in representative(batches, 3)]
    timed_steps = [recorder(name, calls, model) for name in "ab"]
    taken = measure(timed_steps, model, chosen, student, steps=20, passes=1, accelerator=device)

    assert [name for name, _, _ in calls] == [*"aabb", *"ab", *"bbaa", *"ba"]
    firsts = [calls[place][2] for place in (0, 2, 4, 5, 6, 8, 10, 11)]
    assert all(weights == firsts[0] for weights in firsts)
    assert [len(passes) for passes in taken] == [1, 1]
