"""The same four questions, asked of this project's chain, of its peers and of the textbook's loop."""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from pipeline.chain import LinearChain, cross_entropy, gold_moments

TASKS = ("loss", "marginals", "viterbi", "kbest")
K = 3


@dataclass(frozen=True)
class Problem:
    """One batch: potentials that require gradients, gold tags, lengths."""

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    lengths: Tensor
    tags: Tensor

    @classmethod
    def draw(cls, batch: int, length: int, tags: int, device: str) -> "Problem":
        """Random scores as a trained tagger's head gives them; lengths between half and the whole."""
        generator = torch.Generator().manual_seed(0)
        emissions = torch.randn(batch, length, tags, generator=generator) * 3
        transitions = torch.randn(tags, tags, generator=generator)
        start, end = torch.randn(2, tags, generator=generator)
        lengths = torch.randint(length // 2, length + 1, (batch,), generator=generator)
        lengths[0] = length
        gold = torch.randint(tags, (batch, length), generator=generator)
        e, t, b, d = (p.to(device).requires_grad_() for p in (emissions, transitions, start, end))
        return cls(e, t, b, d, lengths.to(device), gold.to(device))

    @property
    def potentials(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What gradients are taken of."""
        return self.emissions, self.transitions, self.start, self.end

    @property
    def mask(self) -> Tensor:
        """[B, L], True at words."""
        return torch.arange(self.emissions.shape[1], device=self.lengths.device) < self.lengths[:, None]

    def chain(self) -> LinearChain:
        """This project's object on the same scores."""
        return LinearChain(*self.potentials, self.lengths)

    def with_gradient(self, losses: Tensor) -> Tensor:
        """Run the backward pass of the summed losses; return the losses."""
        torch.autograd.grad(losses.sum(), self.potentials)
        return losses.detach()

    def path_scores(self, paths: list[list[int]]) -> Tensor:
        """Score each sentence's decoded tags."""
        tags = torch.zeros_like(self.tags)
        for row, path in enumerate(paths):
            tags[row, : len(path)] = torch.tensor(path)
        return self.chain().score(tags).detach()


Question = Callable[[], Tensor]


def ours(problem: Problem) -> dict[str, Question]:
    """This project; a training step makes its gold moments anew, so that they are part of the question."""
    tags = problem.emissions.shape[2]

    def loss() -> Tensor:
        target = gold_moments(problem.tags, problem.lengths, tags)
        return problem.with_gradient(cross_entropy(problem.chain(), target))

    return {
        "loss": loss,
        "marginals": lambda: problem.chain().moments().unary,
        "viterbi": lambda: problem.chain().viterbi()[0],
        "kbest": lambda: problem.chain().kbest(K)[0],
    }


def pytorch_crf(problem: Problem) -> dict[str, Question]:
    """The package pytorch-crf. It has no marginals: they are the gradient of its log Z. It has no K-best."""
    from torchcrf import CRF

    crf = CRF(problem.emissions.shape[2], batch_first=True).to(problem.emissions.device)
    crf.transitions, crf.start_transitions, crf.end_transitions = (  # its parameters are ours, by name
        torch.nn.Parameter(p.detach()) for p in problem.potentials[1:]
    )
    mask = problem.mask
    parameters = (problem.emissions, *crf.parameters())

    def loss() -> Tensor:
        losses = -crf(problem.emissions, problem.tags, mask, reduction="none")
        torch.autograd.grad(losses.sum(), parameters)
        return losses.detach()

    def marginals() -> Tensor:
        log_z = crf._compute_normalizer(problem.emissions.transpose(0, 1), mask.t())
        return torch.autograd.grad(log_z.sum(), problem.emissions)[0]

    def viterbi() -> list[list[int]]:
        with torch.no_grad():
            return crf.decode(problem.emissions, mask)

    return {"loss": loss, "marginals": marginals, "viterbi": Decoded(viterbi, problem)}


@dataclass(frozen=True)
class Decoded:
    """A decoder that returns tags: only decoding is timed, and the scores are made for the comparison."""

    decode: Callable[[], list[list[int]]]
    problem: Problem

    def __call__(self) -> Any:
        """Decode."""
        return self.decode()

    def value(self) -> Tensor:
        """Return the scores of the decoded tags [B]."""
        return self.problem.path_scores(self.decode())


def torch_struct(problem: Problem) -> dict[str, Question]:
    """The package torch-struct, whose scores are [B, L - 1, N, N]; building them is part of the question."""
    from torch_struct import LinearChainCRF

    size = problem.emissions.shape[1]

    def scores() -> Tensor:
        e, t, b, d = problem.potentials
        last = one_hot(problem.lengths - 2, size - 1).to(e.dtype)
        steps = t.t() + e[:, 1:, :, None] + last[:, :, None, None] * d[:, None]
        first = torch.zeros_like(last).index_fill(1, torch.tensor([0], device=e.device), 1.0)
        return steps + first[:, :, None, None] * (b + e[:, 0])[:, None, None, :]

    def distribution() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return LinearChainCRF(scores(), lengths=problem.lengths)

    def loss() -> Tensor:
        log_z = distribution().partition
        return problem.with_gradient(log_z - problem.chain().score(problem.tags))

    def marginals() -> Tensor:
        edges = distribution().marginals
        unary = torch.cat((edges[:, :1].sum(2), edges.sum(3)), 1)
        return unary.detach()

    def viterbi() -> Tensor:
        one = distribution()
        return (one.argmax * one.log_potentials).flatten(1).sum(1).detach()

    def kbest() -> Tensor:
        one = distribution()
        return (one.topk(K) * one.log_potentials).flatten(2).sum(2).t().detach()

    return {"loss": loss, "marginals": marginals, "viterbi": viterbi, "kbest": kbest}


def textbook(problem: Problem) -> dict[str, Question]:
    """The loop over words in log space with autograd's tape, and Viterbi with back pointers."""
    e, t, b, d = problem.potentials
    size, mask = e.shape[1], problem.mask

    def log_partition() -> Tensor:
        alpha = b + e[:, 0]
        for word in range(1, size):
            after = (alpha[:, :, None] + t + e[:, word, None, :]).logsumexp(1)
            alpha = torch.where(mask[:, word, None], after, alpha)
        return (alpha + d).logsumexp(1)

    def marginals() -> Tensor:
        return torch.autograd.grad(log_partition().sum(), e)[0]

    def viterbi() -> Tensor:
        with torch.no_grad():
            best, pointers = b + e[:, 0], []
            for word in range(1, size):
                after, back = (best[:, :, None] + t + e[:, word, None, :]).max(1)
                best = torch.where(mask[:, word, None], after, best)
                pointers.append(back)
            top, tag = (best + d).max(1)
            tags = [tag]
            for word in range(size - 1, 0, -1):
                back = pointers[word - 1].gather(1, tag[:, None])[:, 0]
                tag = torch.where(mask[:, word], back, tag)
                tags.append(tag)
            torch.stack(tags[::-1], 1)  # the tags are made, as by the others, though only scores are compared
            return top

    def loss() -> Tensor:
        return problem.with_gradient(log_partition() - problem.chain().score(problem.tags))

    return {"loss": loss, "marginals": marginals, "viterbi": viterbi}


def reference(problem: Problem) -> dict[str, Tensor]:
    """Answers in float64 from the textbook's loop."""
    e, t, b, d = (p.detach().double().requires_grad_() for p in problem.potentials)
    asked = textbook(Problem(e, t, b, d, problem.lengths, problem.tags))
    return {task: ask().float() for task, ask in asked.items()}


def fits(name: str, task: str, batch: int, length: int, tags: int) -> bool:
    """Whether one question of this size is answered within seconds and gigabytes."""
    if name != "torch-struct":
        return True
    return batch * length * tags**2 <= (200_000 if task == "kbest" else 1_200_000)


def available() -> dict[str, Callable[[Problem], dict[str, Question]]]:
    """The implementations that are installed, this project first."""
    found: dict[str, Callable[[Problem], dict[str, Question]]] = {"ours": ours, "textbook": textbook}
    if importlib.util.find_spec("torchcrf"):
        found["pytorch-crf"] = pytorch_crf
    if importlib.util.find_spec("torch_struct"):
        found["torch-struct"] = torch_struct
    return found
