"""What is measured: the clock's boundaries, who runs when and on what, and the arithmetic of the figures."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.chain import LinearChain, engine
from pipeline.device import accelerator
from pipeline.distillation.registry import method_names
from pipeline.encoding.batching import Batch, Batches
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.scores.store import ChainParameters, Origin, ScoreStore, write_scores
from pipeline.timing import as_published, epochs
from pipeline.timing.epochs import (
    FLOOR,
    PIPELINE,
    PUBLISHED,
    STUDENT_BACKWARD,
    STUDENT_FORWARD,
    TEACHER_FORWARD,
    Contender,
    PhaseClock,
)
from pipeline.timing.settings import TimeEpochs
from pipeline.training.length import Length
from pipeline.training.settings import Student
from pipeline.training.targets import PartScores
from tests.helpers.tiny_inputs import tagger, train_batches

STUDENT = Student(layers=1, epochs=2, batch_size=4, learning_rate=1e-3, head_learning_rate=1e-2)


@pytest.fixture
def batches(corpus: Path) -> Batches:
    return train_batches(corpus)


@pytest.fixture
def model(bert: Path, batches: Batches) -> ChainTagger:
    return tagger(bert, batches.encoded, layers=1, seed=1)


@pytest.fixture
def device() -> Accelerator:
    return accelerator("float32")


@pytest.fixture
def store(tmp_path: Path, teacher: Path, batches: Batches) -> ScoreStore:
    live, encoded = load_model(teacher), batches.encoded
    with torch.no_grad():
        chain = live.chain(batches.batch(torch.arange(len(encoded))))
    rows = torch.arange(len(encoded)), chain.lengths, chain.emissions[chain.mask]
    parameters = ChainParameters(*(p.detach() for p in (chain.transitions, chain.start, chain.end)))
    origin = Origin(live.tag_set.tags, "a teacher", "a corpus", encoded.layout.identity)
    write_scores(tmp_path / "scores", [rows], origin=origin, parameters=parameters, sentences=len(encoded))
    return ScoreStore.open(tmp_path / "scores", expect=origin)


def test_the_device_is_idle_before_the_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    ticks = iter([10.0, 12.0, 15.0, 100.0, 101.0])

    def tick() -> float:
        events.append("read")
        return next(ticks)

    monkeypatch.setattr(epochs, "synchronize", lambda device: events.append("wait"))
    monkeypatch.setattr(epochs.time, "perf_counter", tick)
    clock = PhaseClock(torch.device("cpu"))
    clock.start()
    clock.lap(TEACHER_FORWARD)
    clock.lap(STUDENT_FORWARD)
    clock.start()  # what lies between is in no phase
    clock.lap(STUDENT_FORWARD)
    assert clock.seconds == {TEACHER_FORWARD: 2.0, STUDENT_FORWARD: 4.0, STUDENT_BACKWARD: 0.0}
    assert events == ["wait", "read"] * 5


def test_batches_of_all_sizes_are_chosen(batches: Batches) -> None:
    sizes = [int(batches.encoded.pieces.lengths[ids].sum()) for ids in epochs.representative(batches, None)]
    assert len(sizes) == len(batches) == 7
    assert sizes == sorted(sizes)
    middle = epochs.representative(batches, 1)
    assert [int(batches.encoded.pieces.lengths[ids].sum()) for ids in middle] == [sizes[3]]
    two = epochs.representative(batches, 2)
    assert [int(batches.encoded.pieces.lengths[ids].sum()) for ids in two] == [sizes[1], sizes[5]]
    assert len(epochs.representative(batches, 99)) == 7


def recorder(name: str, calls: list[tuple[str, int, list[float]]], model: ChainTagger) -> Contender:
    """Records name, step and the weights that it finds."""

    def loss(chain: LinearChain, batch: Batch, target: Any, step: int) -> Tensor:
        calls.append((name, step, model.emission.weight.detach().flatten().tolist()))
        return chain.emissions.square().mean((1, 2))

    return Contender(PIPELINE, name, None, loss)


def test_passes_are_alike_but_for_their_order(
    batches: Batches, model: ChainTagger, device: Accelerator
) -> None:
    calls: list[tuple[str, int, list[float]]] = []
    chosen = [batches.batch(ids) for ids in epochs.representative(batches, 2)]
    names = ["a", "b", "c", "d"]
    contenders = [recorder(name, calls, model) for name in names]
    taken = epochs.measure(contenders, model, chosen, STUDENT, steps=20, passes=3, accelerator=device)

    assert [len(passes) for passes in taken] == [3, 3, 3, 3]
    assert all(seconds[STUDENT_FORWARD] > 0 < seconds[STUDENT_BACKWARD] for p in taken for seconds in p)
    firsts, seconds = calls[::2], calls[1::2]
    assert [name for name, _, _ in firsts] == [*"abcd", *"bcda", *"cdab", *"dabc"]
    assert {step for _, step, _ in calls} == {9}
    start = firsts[0][2]
    assert all(weights == start for _, _, weights in firsts)
    assert all(weights != start for _, _, weights in seconds)  # the optimiser has made its step
    assert model.training


def test_a_long_pass_is_cut_into_turns_of_all_contenders(
    batches: Batches, model: ChainTagger, device: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "TURN", 2)
    calls: list[tuple[str, int, list[float]]] = []
    chosen = [batches.batch(ids) for ids in epochs.representative(batches, 3)]
    contenders = [recorder(name, calls, model) for name in "ab"]
    taken = epochs.measure(contenders, model, chosen, STUDENT, steps=20, passes=1, accelerator=device)

    assert [name for name, _, _ in calls] == [*"aabb", *"ab", *"bbaa", *"ba"]
    firsts = [calls[place][2] for place in (0, 2, 4, 5, 6, 8, 10, 11)]
    assert all(weights == firsts[0] for weights in firsts)
    assert [len(passes) for passes in taken] == [1, 1]


def test_only_the_published_block_runs_a_teacher(
    batches: Batches, model: ChainTagger, teacher: Path, device: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = load_model(teacher).eval()
    runs: list[bool] = []
    forward = live.forward

    def counted(*args: Tensor) -> LinearChain:
        runs.append(torch.is_grad_enabled())
        return forward(*args)

    monkeypatch.setattr(live, "forward", counted)
    contenders = [*epochs.published(["vanilla", "structural"], live, device), epochs.floor()]
    chosen = [batches.batch(ids) for ids in epochs.representative(batches, 3)]
    taken = epochs.measure(contenders, model, chosen, STUDENT, steps=4, passes=1, accelerator=device)
    assert runs == [False] * 6  # `structural`, for each batch, once to warm up and once to count
    assert [passes[0][TEACHER_FORWARD] > 0 for passes in taken] == [False, True, False]


@pytest.mark.parametrize(
    ("method", "programs"),
    [
        ("vanilla", 1),
        ("kbest", 1),  # one log Z for both terms
        ("structural", 1),
        ("posterior", 3),  # log marginals, their gradient, and the gold term's log Z
        ("efficient", 0),
        ("efficient_emission", 0),
    ],
)
def test_the_pipeline_block_runs_the_regime_of_most_steps(
    method: str,
    programs: int,
    batches: Batches,
    model: ChainTagger,
    store: ScoreStore,
    device: Accelerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contenders, once = epochs.pipeline([method], [PartScores(store)], Length(14, 7))
    assert list(once) == [method]
    started: list[Callable[..., Any]] = []

    def start(program: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        started.append(program)
        return program(*args, **kwargs)

    monkeypatch.setattr(engine, "start", start)
    chosen = [batches.batch(next(batches.in_order()))]
    epochs.measure(contenders, model, chosen, STUDENT, steps=14, passes=1, accelerator=device)
    assert len(started) == programs * 2  # the warm-up and the pass that counts


def a_pass(teacher: float, forward: float, backward: float) -> dict[str, float]:
    return {TEACHER_FORWARD: teacher, STUDENT_FORWARD: forward, STUDENT_BACKWARD: backward}


def test_the_median_pass_is_what_counts() -> None:
    def contender(block: str, method: str) -> Contender:
        return Contender(block, method, None, lambda chain, batch, target, step: chain.emissions)

    contenders = [contender(PUBLISHED, "structural"), contender(PIPELINE, "efficient"), contender(FLOOR, "")]
    taken = [
        [a_pass(1.5, 1.5, 1), a_pass(0.5, 0.5, 0.5), a_pass(4.5, 4.5, 4.5)],
        [a_pass(0, 0.5, 1), a_pass(0, 1, 1)],
        [a_pass(0, 0.5, 0.5)],
    ]
    figures = epochs.times(contenders, taken, scale=2.0)
    assert figures["published"] == {"structural": {**a_pass(3, 3, 2), "total": 8}}
    assert figures["pipeline"] == {"efficient": {**a_pass(0, 1, 2), "total": 3}}
    assert figures["floor"] == {STUDENT_FORWARD: 1, STUDENT_BACKWARD: 1, "total": 2}
    assert figures["spread"] == {
        "published": {"structural": {"min": 3, "max": 27}},
        "pipeline": {"efficient": {"min": 3, "max": 4}},
        "floor": {"min": 2, "max": 2},
    }
    assert figures["ratios"] == {
        "published_to_floor": {"structural": 4.0},
        "pipeline_to_floor": {"efficient": 1.5},
        "efficient_in_pipeline_to_structural_as_published": 3 / 8,
    }


def test_every_method_is_measured_in_both_blocks(
    batches: Batches,
    model: ChainTagger,
    teacher: Path,
    store: ScoreStore,
    device: Accelerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forms = {name: form for name, form in as_published.FORMS.items() if name != "kbest"}
    monkeypatch.setattr(as_published, "FORMS", forms)
    figures = epochs.epoch_times(
        method_names(),
        batches,
        [PartScores(store)],
        load_model(teacher),
        model,
        STUDENT,
        TimeEpochs(epochs=1, batches=2),
        device,
    )
    assert set(figures["published"]) == set(forms)  # a method without a published form is left out
    assert set(figures["pipeline"]) == set(figures["targets_once_per_run"]) == set(method_names())
    for phases in (*figures["published"].values(), *figures["pipeline"].values(), figures["floor"]):
        assert math.isclose(phases["total"], sum(s for name, s in phases.items() if name != "total"))
    assert figures["shape"] == {"teacher_layers": 2, "student_layers": 1, "hidden_size": 16}
    assert (figures["batches"], figures["epoch_batches"], figures["batch_size"]) == (2, 7, 4)


def test_bert_base_has_the_papers_shape_and_room_for_the_corpus(batches: Batches) -> None:
    with torch.device("meta"):
        live = epochs.bert_base(batches.encoded)
        student = epochs.bert_base(batches.encoded, layers=epochs.BERT_BASE_LAYERS, dropout=0.2)
    assert (live.encoder.config.num_hidden_layers, student.encoder.config.num_hidden_layers) == (12, 3)
    assert live.encoder.config.hidden_size == student.encoder.config.hidden_size == 768
    assert live.encoder.config.vocab_size == 30_522
    assert live.encoder.config.max_position_embeddings == 512
    assert student.dropout.p == 0.2
    assert live.tag_set == batches.encoded.tag_set


def test_bert_base_grows_to_a_larger_vocabulary(batches: Batches) -> None:
    pieces = batches.encoded.pieces.in_memory()
    pieces.values[0] = 40_000
    with torch.device("meta"):
        grown = epochs.bert_base(replace(batches.encoded, pieces=pieces), layers=1)
    assert grown.encoder.config.vocab_size == 40_001
