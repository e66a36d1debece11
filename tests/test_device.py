"""The device of a process, where a stand-in for Accelerate has connected two."""

from types import SimpleNamespace

import accelerate
import pytest
import torch

from pipeline.device import accelerator, best_device
from pipeline.errors import UserError


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    connected = SimpleNamespace(num_processes=2, device=torch.device("cuda", 0))
    monkeypatch.setattr(accelerate, "Accelerator", lambda **_: connected)
    for name, value in {"WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "RANK": 0, "LOCAL_RANK": 0}.items():
        monkeypatch.setenv(name, str(value))
    return connected


def test_two_processes_for_one_gpu_are_one_line(
    two: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match=r"^2 processes were started on a machine with 1 GPU; start one for"):
        accelerator("float32")
    two.device = torch.device("cpu")
    assert accelerator("float32") is two


def test_two_processes_for_two_gpus_are_taken(two: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert accelerator("float32") is two


def test_apples_device_has_no_float64_and_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recursions of the chain need it; Accelerate and PyTorch would both take the device."""
    given: dict[str, object] = {}
    monkeypatch.setattr(accelerate, "Accelerator", lambda **options: given.update(options))
    mps = torch.device("mps")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: mps)
    assert best_device() == torch.device("cpu")
    accelerator("float32")
    assert given["cpu"] is True


def test_another_accelerator_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(accelerate, "Accelerator", lambda **options: given.update(options))
    cuda = torch.device("cuda", 0)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: cuda)
    assert best_device() == cuda
    accelerator("float32")
    assert given["cpu"] is False
