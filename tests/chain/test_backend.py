"""Which backend runs where, and that kernels with a wrong answer, or none, are never taken."""

import types
import warnings
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from pipeline.chain import backend, scaled, unfused

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SPOILT = {
    "sweep": lambda found: found._replace(log_z=found.log_z + 0.01),
    "moments": lambda found: (found[0], found[1] * 1.01),
    "log_marginals": lambda found: found - 0.01,
    "pull_back": lambda found: (found[0], found[1] + 0.01),
    "viterbi": lambda found: (found[0], found[1].flip(0)),
}


@pytest.fixture(autouse=True)
def _asked_afresh() -> Iterator[None]:
    """What is known of a device's kernels is kept for the whole process."""
    backend._fused.cache_clear()
    yield
    backend._fused.cache_clear()


def emissions(cuda, tags=3):
    return SimpleNamespace(is_cuda=cuda, device=CUDA if cuda else CPU, shape=(2, 3, tags))


def kernels(monkeypatch, module):
    """Let `module`, or the error that its import raises, be the kernels."""

    def imported(name):
        assert name == "pipeline.chain.fused"
        if isinstance(module, Exception):
            raise module
        return module

    monkeypatch.setattr(backend.importlib, "import_module", imported)


def stand_in(**changed):
    """Kernels that answer as `unfused` does, on the CPU."""
    return types.SimpleNamespace(**vars(unfused) | {"MAX_TAGS": 8} | changed)


def spoilt(name):
    right, change = getattr(unfused, name), SPOILT[name]
    return stand_in(**{name: lambda *args, **kwargs: change(right(*args, **kwargs))})


@pytest.mark.parametrize("tags", [1, 2, 7])
def test_right_answers_agree(tags):
    assert backend.agrees(stand_in(), CPU, tags)


@pytest.mark.parametrize("name", SPOILT)
def test_one_wrong_answer_is_enough_to_disagree(name):
    assert not backend.agrees(spoilt(name), CPU, 5)


def test_kernels_that_fail_at_forbidden_tags_alone_disagree():
    def sweep(e, *rest, **kwargs):
        return unfused.sweep(e.clamp_min(-1e4), *rest, **kwargs)  # -inf is not forbidden, but unlikely

    assert not backend.agrees(stand_in(sweep=sweep), CPU, 3)


def test_the_cpu_takes_scaled_and_never_asks_for_kernels(monkeypatch):
    kernels(monkeypatch, AssertionError("the kernels were asked for"))
    assert backend.backend_for(emissions(cuda=False)) is scaled


def test_a_cuda_device_takes_kernels_that_agree_and_checks_them_once(monkeypatch):
    found, checked = stand_in(), []

    def agrees(*arguments):
        checked.append(arguments)
        return True

    kernels(monkeypatch, found)
    monkeypatch.setattr(backend, "agrees", agrees)
    assert backend.backend_for(emissions(cuda=True)) is found
    assert backend.backend_for(emissions(cuda=True)) is found
    assert checked == [(found, CUDA, 3)]


def test_more_tags_than_the_kernels_take_are_computed_unfused(monkeypatch):
    kernels(monkeypatch, stand_in())
    monkeypatch.setattr(backend, "agrees", lambda *arguments: True)
    assert backend.backend_for(emissions(cuda=True, tags=8)) is not unfused
    assert backend.backend_for(emissions(cuda=True, tags=9)) is unfused


def test_without_triton_a_cuda_device_computes_unfused_in_silence(monkeypatch):
    kernels(monkeypatch, ImportError("triton"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert backend.backend_for(emissions(cuda=True)) is unfused


def test_kernels_that_do_not_run_are_warned_of_and_not_taken(monkeypatch):
    kernels(monkeypatch, RuntimeError("no compiler"))
    with pytest.warns(UserWarning, match="kernels do not run on cuda: no compiler"):
        assert backend.backend_for(emissions(cuda=True)) is unfused


def test_kernels_that_answer_wrongly_are_warned_of_and_not_taken(monkeypatch):
    kernels(monkeypatch, stand_in())
    monkeypatch.setattr(backend, "agrees", lambda *arguments: False)
    with pytest.warns(UserWarning, match="wrong answers on cuda; plain torch runs instead"):
        assert backend.backend_for(emissions(cuda=True)) is unfused
