"""A training step reads no number back from the device, so that the program never waits for it.

Without a GPU the device `meta` stands for one: its tensors have no numbers, so that reading one raises.
"""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.optim import AdamW
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.chain import engine, log_space
from pipeline.device import accelerator
from pipeline.distillation.registry import method_names
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load
from pipeline.model.chain_tagger import ChainTagger
from pipeline.training.length import Length
from pipeline.training.loop import reproducible
from pipeline.training.loss import LooksUp
from pipeline.training.optimisation import TrainingState
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores
from tests.helpers.methods import settings_of
from tests.helpers.tiny_inputs import dump
from tests.helpers.training_cases import SETTINGS

READS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique", "item")
STEPS = 6


class HostReads(TorchDispatchMode):
    """Notes what is read from a device other than the CPU, or depends on its numbers."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = [value for value in args if isinstance(value, torch.Tensor)]
        away = any(value.device.type != "cpu" for value in given)
        name = func.overloadpacket.__name__
        index = args[1] if name in ("index", "index_put", "index_put_", "_unsafe_index") else ()
        by_mask = any(one is not None and one.dtype in (torch.bool, torch.uint8) for one in index)
        to_host = name in ("_to_copy", "copy_") and _is_cpu(args, kwargs, name)
        if away and (name in READS or name.startswith("unique") or by_mask or to_host):
            self.found.append(name)
        return func(*args, **kwargs)


def _is_cpu(args, kwargs, name):
    if name == "copy_":
        return args[0].device.type == "cpu"
    device = kwargs.get("device")
    return device is not None and torch.device(device).type == "cpu"


class Kernels:
    """In the place of the GPU's kernels: a form of the recursions that reads nothing."""

    def sweep(self, *potentials, keep):
        return SimpleNamespace(**log_space.sweep(*potentials)._asdict(), exact=None)

    def moments(self, found):
        return tuple(value.float() for value in log_space.moments(found))

    def log_marginals(self, found):
        return log_space.log_marginals(found).float()

    def pull_back(self, found, grad):
        return tuple(value.float() for value in log_space.pull_back(found, grad))


@pytest.fixture
def place(bert, corpus, teacher, tmp_path):
    """Two batches, one of which is padded, a student, and the store of a teacher's scores."""
    reproducible(1)
    split = Batches(load(corpus / "train.parquet"), SETTINGS.batch_size)
    student = ChainTagger.from_encoder(bert, split.encoded, layers=1)
    yield SimpleNamespace(
        batches=[split.batch(ids) for ids in (torch.arange(6), torch.arange(1))],
        student=student.train(),
        store=dump(tmp_path / "scores", corpus, teacher),
    )
    torch.use_deterministic_algorithms(False)


def loss_of(method, store):
    """At λ = 1/2 where the method has a λ, so that both terms of the loss are computed."""
    schedule = {} if method == "vanilla" else {"schedule": "constant", "weight": 0.5}
    return student_loss(method, settings_of(method, **schedule), [PartScores((store,))], Length(STEPS, STEPS))


def steps(run, loss, batches, device, runner):
    for batch in batches:
        ready = (loss.look_up(batch, run.step) if isinstance(loss, LooksUp) else batch).pinned(device)
        run.update(ready.to(device), loss, runner)


class NotFused(AdamW):
    """AdamW on a device without the fused kernel, which alone takes a scale of the gradient."""

    grad_scale = property(lambda self: None, lambda self, scale: None)

    def __init__(self, groups, fused):
        super().__init__(groups, foreach=True)


@pytest.mark.parametrize("method", method_names())
def test_a_step_reads_nothing(method, place, monkeypatch):
    monkeypatch.setattr(engine, "backend_for", lambda emissions: Kernels())
    monkeypatch.setattr("pipeline.training.optimisation.AdamW", NotFused)
    autocast, is_enabled = torch.autocast, torch.is_autocast_enabled  # which do not know the device
    monkeypatch.setattr(torch, "autocast", lambda device, enabled: autocast("cpu", enabled=enabled))
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: is_enabled("cpu"))
    assert sorted(batch.unpadded for batch in place.batches) == [False, True]
    run = TrainingState(place.student.to("meta"), SETTINGS, STEPS)
    loss, reads = loss_of(method, place.store), HostReads()
    with reads:
        steps(run, loss, place.batches, torch.device("meta"), accelerator("float32"))
    assert reads.found == []
    assert len(run.unread) == 2


def test_a_read_would_be_found():
    reads = HostReads()
    value = torch.ones(2, 3, device="meta")
    for read in (lambda: value.sum().item(), lambda: bool(value.all()), lambda: value[value > 0], value.cpu):
        with reads, pytest.raises((RuntimeError, NotImplementedError)):
            read()
    assert len(reads.found) >= 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("method", method_names())
def test_on_a_gpu_a_step_waits_for_nothing(method, place):
    device = torch.device("cuda")
    run = TrainingState(place.student.to(device), SETTINGS, STEPS)
    loss, runner = loss_of(method, place.store), accelerator("float32")
    for mode in (nullcontext(), _Waits()):  # the first steps build kernels and choose algorithms
        with mode:
            steps(run, loss, place.batches, device, runner)


class _Waits:
    """Inside, what waits for the device raises."""

    def __enter__(self):
        torch.cuda.set_sync_debug_mode("error")

    def __exit__(self, *_):
        torch.cuda.set_sync_debug_mode("default")
