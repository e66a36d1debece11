"""A training step moves nothing between host and device, so that the program never waits for the device.

Without a GPU the device `meta` stands for one: its tensors have no numbers, so that reading one raises.
"""

from contextlib import nullcontext, suppress
from types import SimpleNamespace

import pytest
import torch
from torch.optim import AdamW
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pipeline.chain import engine, unfused
from pipeline.device import accelerator
from pipeline.distillation.registry import method_names
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.model.attention import use_cpu_attention
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.dropout import use_cpu_dropout
from pipeline.model.used_pieces import train_used_pieces
from pipeline.training.loop import reproducible
from pipeline.training.loss import LookupLoss
from pipeline.training.run_length import RunLength
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores
from pipeline.training.training_state import TrainingState
from tests.helpers.methods import settings_of
from tests.helpers.tiny_inputs import dump
from tests.helpers.training_cases import SETTINGS

READS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique", "item")
STEPS = 6


class HostReads(TorchDispatchMode):
    """Notes what is read from a device other than the CPU, depends on its numbers, or mixes the two.

    A tensor of the CPU among those of a device is copied there, which waits, or is an error; a single number
    is not, as the kernel is started with it.
    """

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
        away = any(value.device.type != "cpu" for value in given)
        here = any(value.device.type == "cpu" and value.ndim > 0 for value in given)
        name = func.overloadpacket.__name__
        index = args[1] if name in ("index", "index_put", "index_put_", "_unsafe_index") else ()
        by_mask = any(one is not None and one.dtype in (torch.bool, torch.uint8) for one in index)
        copies = name in ("_to_copy", "copy_")
        to_host, to_device = copies and _is_cpu(args, kwargs), copies and not _is_cpu(args, kwargs)
        reads = name in READS or name.startswith("unique") or by_mask or to_host
        if (away and (reads or here)) or (here and to_device):
            self.found.append(name)
        return func(*args, **kwargs)


def _is_cpu(args, kwargs):
    """Whether the copy that is made with these arguments stands on the CPU."""
    return torch.device(kwargs.get("device") or args[0].device).type == "cpu"


@pytest.fixture
def place(bert, corpus, teacher, tmp_path):
    """Two batches, one of which is padded, a student of each kind, and the store of a teacher's scores."""
    reproducible(1)
    split = Batches(load(corpus / "train.parquet"), SETTINGS.batch_size)
    bilstm = {"width": 8, "hidden": 6, "layers": 1}
    students = {
        "transformer": ChainTagger.from_encoder(bert, split.encoded, layers=1),
        "bilstm": ChainTagger.from_embeddings(bert, split.encoded, **bilstm),
    }
    for student in students.values():  # as a run trains them
        use_cpu_dropout(student.train())
        use_cpu_attention(student.encoder)
        train_used_pieces(student.encoder, torch.arange(student.encoder.config.vocab_size))
    yield SimpleNamespace(
        batches=[split.collate(ids) for ids in (torch.arange(6), torch.arange(1))],
        students=students,
        store=dump(tmp_path / "scores", corpus, teacher),
    )
    torch.use_deterministic_algorithms(False)


def loss_of(method, store):
    """At λ = 1/2 where the method has a λ, so that both terms of the loss are computed."""
    schedule = {} if method == "vanilla" else {"schedule": "constant", "weight": 0.5}
    return student_loss(
        method, settings_of(method, **schedule), [PartScores((store,))], RunLength(STEPS, STEPS)
    )


def laid_out(loss, batch, device):
    """The batch as a run's other thread makes it."""
    return (loss.look_up(batch, 0) if isinstance(loss, LookupLoss) else batch).pinned(device)


class NotFused(AdamW):
    """AdamW on a device without the fused kernel, which alone takes a scale of the gradient."""

    grad_scale = property(lambda self: None, lambda self, scale: None)

    def __init__(self, groups, fused):
        super().__init__(groups, foreach=True)


# The loss does not know which student it is of.
BOTH = [("transformer", method) for method in method_names()] + [("bilstm", "structural")]


@pytest.mark.parametrize(("kind", "method"), BOTH)
def test_a_step_reads_nothing(kind, method, place, monkeypatch):
    monkeypatch.setattr(engine, "backend_for", lambda emissions: unfused)
    monkeypatch.setattr("pipeline.training.training_state.AdamW", NotFused)
    autocast, is_enabled = torch.autocast, torch.is_autocast_enabled  # which do not know the device
    monkeypatch.setattr(torch, "autocast", lambda device, enabled: autocast("cpu", enabled=enabled))
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: is_enabled("cpu"))
    assert sorted(batch.unpadded for batch in place.batches) == [False, True]
    run, device = TrainingState(place.students[kind].to("meta"), SETTINGS, STEPS), torch.device("meta")
    loss, reads, runner = loss_of(method, place.store), HostReads(), accelerator("float32")
    there = [laid_out(loss, batch, device).to(device) for batch in place.batches]
    with reads:
        for batch in there:
            run.update(batch, loss, runner)
    assert reads.found == []
    assert len(run.unread) == 2


def test_a_read_would_be_found():
    value = torch.ones(2, 3, device="meta")
    for read in (lambda: value.sum().item(), lambda: bool(value.all()), lambda: value[value > 0], value.cpu):
        with HostReads() as reads, pytest.raises((RuntimeError, NotImplementedError)):
            read()
        assert reads.found


def test_what_is_made_on_the_host_would_be_found():
    value = torch.ones(2, 3, device="meta")
    made = (
        lambda: value + torch.ones(3),
        lambda: value[torch.arange(2)],
        lambda: torch.stack([value[0], torch.ones(3)]),
        lambda: torch.ones(3).to("meta"),
        lambda: value.copy_(torch.ones(3)),
    )
    for make in made:
        with HostReads() as reads, suppress(RuntimeError):
            make()
        assert reads.found
    with HostReads() as reads:
        torch.where(value > 0, value * 2.0, 0.0).clamp(min=1.0)
    assert not reads.found


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize(("kind", "method"), BOTH)
def test_on_a_gpu_a_step_waits_for_nothing(kind, method, place):
    device = torch.device("cuda")
    run = TrainingState(place.students[kind].to(device), SETTINGS, STEPS)
    loss, runner = loss_of(method, place.store), accelerator("float32")
    for mode in (nullcontext(), _Waits()):  # the first steps build kernels and choose algorithms
        with mode:
            for batch in place.batches:
                run.update(laid_out(loss, batch, device).to(device), loss, runner)


class _Waits:
    """Inside, what waits for the device raises."""

    def __enter__(self):
        torch.cuda.set_sync_debug_mode("error")

    def __exit__(self, *_):
        torch.cuda.set_sync_debug_mode("default")
