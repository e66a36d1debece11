"""An optimisation step: its clipping, in the optimiser's kernel, is that of PyTorch's `clip_grad_norm_`."""

import copy

import pytest
import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.model.chain_tagger import ChainTagger
from pipeline.training.loop import reproducible
from pipeline.training.loss import gold_loss
from pipeline.training.training_state import TrainingState
from tests.helpers.training_cases import SETTINGS

STEPS = 3


@pytest.mark.parametrize(("max_grad_norm", "clipped"), [(0.05, True), (1e9, False)])
def test_a_step_is_clipping_and_then_the_optimiser_of_pytorch(
    max_grad_norm, clipped, bert, corpus, monkeypatch
):
    # Read by Accelerate, which would divide every loss by it though nothing is accumulated.
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    reproducible(1)
    batches = Batches(load(corpus / "train.parquet"), 4)
    model = ChainTagger.from_encoder(bert, batches.encoded, layers=1).eval()
    settings = SETTINGS.model_copy(update={"max_grad_norm": max_grad_norm, "warmup": 0.0})
    other = copy.deepcopy(model)
    run, device = TrainingState(model, settings, STEPS), accelerator("float32")
    reference = AdamW(TrainingState(other, settings, STEPS).optimizer.param_groups)
    for step in range(STEPS):
        batch = batches.collate(torch.arange(step * 4, step * 4 + 4))
        run.update(batch, gold_loss, device)
        for group, rate in zip(reference.param_groups, run.rates, strict=True):
            group["lr"] = rate * (STEPS - step) / STEPS
        reference.zero_grad()
        gold_loss(other.chain(batch), batch, step).mean().backward()
        norm = clip_grad_norm_(other.parameters(), max_grad_norm)
        reference.step()
        assert (float(norm) > max_grad_norm) == clipped
        torch.testing.assert_close(run.unread[-1].norm, norm)
    for (name, ours), theirs in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7, msg=name)
