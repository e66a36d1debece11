"""A head held at 0: what each method is then, by torch's own losses, and what is trained."""

import json
import os
import shutil
import signal
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
import typer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForTokenClassification
from typer.testing import CliRunner

from pipeline.chain import LinearChain, Moments, gold_moments
from pipeline.device import accelerator
from pipeline.distillation.objective import find_method, objective
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.errors import Interrupted, UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model, save_model
from pipeline.scores.dump import origin_of, parameters_of
from pipeline.scores.store import ScoreStore
from pipeline.settings import Head
from pipeline.storage.file_names import HISTORY
from pipeline.training.loss import gold_loss
from pipeline.training.run_length import RunLength
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores
from pipeline.training.training_state import TrainingState
from tests.helpers import tiny_inputs
from tests.helpers.methods import TEACHERS, settings_of
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_encoders import LAYERS
from tests.helpers.tiny_inputs import dump, same_bits, tagger, train_batches, write_split
from tests.helpers.training_cases import SETTINGS, Case
from tests.helpers.workspace import METHOD, Workspace, place_of

LENGTHS = torch.tensor([6, 1, 4, 3])
TAGS = 5
PAIRS: list[tuple[Head, Head]] = [
    ("crf", "crf"),
    ("crf", "softmax"),
    ("softmax", "crf"),
    ("softmax", "softmax"),
]


def chain(seed: int, head: Head) -> LinearChain:
    generator = torch.Generator().manual_seed(seed)

    def draw(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64) * 2

    emissions, scores = draw(4, 6, TAGS), [draw(TAGS, TAGS), draw(TAGS), draw(TAGS)]
    if head == "softmax":
        scores = [torch.zeros_like(score) for score in scores]
    return LinearChain(emissions.requires_grad_(), scores[0], scores[1], scores[2], LENGTHS)


def by_sentence(words: Tensor, of: LinearChain) -> Tensor:
    """Sums over the words of each sentence [B] of what `words` [B, L] has for each."""
    return words.where(of.mask, 0.0).sum(1)


def soft_cross_entropy(student: LinearChain, shares: Tensor, temperature: float = 1.0) -> Tensor:
    """Of each sentence [B], with target probabilities `shares` [B, L, N]."""
    words = functional.cross_entropy(
        student.emissions.flatten(0, 1) / temperature, shares.flatten(0, 1), reduction="none"
    )
    return by_sentence(words.view(student.mask.shape), student)


def method_loss(name: str, student: LinearChain, teacher: LinearChain, **settings: Any) -> Tensor:
    method, own = find_method(name), settings_of(name, **settings)
    with torch.no_grad():
        target = method.targets(teacher, own)
    return objective(method, own, 1.0, student=student, target=target, gold=None)


def same_with_gradient(found: Tensor, expected: Tensor, student: LinearChain) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    one, other = (
        torch.autograd.grad(loss.sum(), student.emissions, retain_graph=True)[0] for loss in (found, expected)
    )
    torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


def test_gold_tags_give_the_cross_entropy_of_each_word() -> None:
    student = chain(1, "softmax")
    gold = torch.randint(TAGS, (4, 6), generator=torch.Generator().manual_seed(2))
    words = functional.cross_entropy(student.emissions.transpose(1, 2), gold, reduction="none")
    found = objective(
        find_method("structural"),
        settings_of("structural"),
        0.0,
        student=student,
        target=None,
        gold=Moments(*(part.double() for part in gold_moments(gold, LENGTHS, TAGS))),
    )
    same_with_gradient(found, by_sentence(words, student), student)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_between_softmax_heads_structural_is_the_cross_entropy_of_each_word(temperature: float) -> None:
    student, teacher = chain(1, "softmax"), chain(2, "softmax")
    shares = (teacher.emissions.detach() / temperature).softmax(-1)
    expected = temperature**2 * soft_cross_entropy(student, shares, temperature)
    found = method_loss("structural", student, teacher, temperature=temperature)
    same_with_gradient(found, expected, student)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_between_softmax_heads_posterior_is_the_divergence_of_each_word(temperature: float) -> None:
    student, teacher = chain(1, "softmax"), chain(2, "softmax")
    own, target = ((one.emissions / temperature).log_softmax(-1) for one in (student, teacher))
    words = functional.kl_div(own, target.detach(), reduction="none", log_target=True).sum(-1)
    found = method_loss("posterior", student, teacher, temperature=temperature)
    same_with_gradient(found, temperature**2 * by_sentence(words, student), student)


def test_a_softmax_learns_a_crfs_marginals_by_structural_and_posterior_alike() -> None:
    """Wang et al.: the cross-entropy with the CRF's marginals; the two methods differ by a constant."""
    student, teacher = chain(1, "softmax"), chain(2, "crf")
    marginals = teacher.moments().unary.detach()
    structural = method_loss("structural", student, teacher)
    same_with_gradient(structural, soft_cross_entropy(student, marginals), student)
    posterior = method_loss("posterior", student, teacher)
    entropy = by_sentence(-torch.xlogy(marginals, marginals).sum(-1), student)
    same_with_gradient(posterior, structural - entropy, student)


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_a_softmax_learns_the_tag_counts_of_the_k_best(head: Head) -> None:
    student, teacher = chain(1, "softmax"), chain(2, head)
    scores, paths = teacher.kbest(3)
    shares = (functional.one_hot(paths, TAGS) * scores.softmax(-1)[..., None, None]).sum(1).detach()
    same_with_gradient(method_loss("kbest", student, teacher), soft_cross_entropy(student, shares), student)


def test_between_softmax_heads_the_best_sequences_are_those_of_independent_words() -> None:
    teacher = chain(2, "softmax")
    _, paths = teacher.viterbi()
    assert torch.equal(paths[teacher.mask], teacher.emissions.argmax(-1)[teacher.mask])


def test_between_softmax_heads_efficient_weighs_the_squares_of_emissions() -> None:
    """Once at the first word and N times at each later one, over 2N + (L-1)N² sub-structures."""
    student, teacher = chain(1, "softmax"), chain(2, "softmax")
    words = functional.mse_loss(student.emissions, teacher.emissions.detach(), reduction="none").sum(-1)
    weights = torch.full_like(words, TAGS)
    weights[:, 0] = 1
    expected = by_sentence(words * weights, student) / (2 * TAGS + (LENGTHS - 1) * TAGS**2)
    same_with_gradient(method_loss("efficient", student, teacher), expected, student)
    alone = by_sentence(words, student) / (LENGTHS * TAGS)
    same_with_gradient(method_loss("efficient_emission", student, teacher), alone, student)


@pytest.mark.parametrize(
    ("name", "teacher_head", "student_head"),
    [
        (name, *pair)
        for name in TEACHERS
        for pair in PAIRS
        if not (
            settings_of(name).matches_transitions and pair == ("crf", "softmax")
        )  # params.yaml refuses it
    ],
)
def test_every_method_learns_every_pair_that_is_not_refused(
    name: str, teacher_head: Head, student_head: Head, bert: Path, corpus: Path, tmp_path: Path
) -> None:
    """From a teacher's folder to a student whose every weight moves; what is held at 0 stays there."""
    encoded = load(corpus / "train.parquet")
    model = tagger(bert, encoded, head=teacher_head)
    save_model(tmp_path / "teacher", model, bert, tiny_inputs.HISTORY)
    store = dump(tmp_path / "scores", corpus, tmp_path / "teacher")
    zeros = [not part.any() for part in parameters_of(model)]
    assert zeros == [teacher_head == "softmax"] * 3

    batches = train_batches(corpus, 8)
    student = ChainTagger.from_encoder(bert, encoded, layers=1, head=student_head).train()
    run = TrainingState(student, SETTINGS, 10)
    before = {key: tensor.clone() for key, tensor in student.state_dict().items()}
    loss = student_loss(name, settings_of(name), [PartScores((store,))], RunLength(10, 5))
    for ids in list(batches.in_order())[:2]:
        run.update(batches.collate(ids), loss, accelerator("float32"))
    after = student.state_dict()
    assert after.keys() == before.keys()
    assert ("transitions" in after) == (student_head == "crf")
    assert not torch.equal(after["emission.weight"], before["emission.weight"])
    if student_head == "softmax":
        assert not any(part.any() for part in (student.transitions, student.start, student.end))
    elif name != "efficient_emission":  # which leaves the CRF to the gold tags
        assert not torch.equal(after["transitions"], before["transitions"])


def test_what_is_held_at_zero_is_no_parameter(bert: Path, corpus: Path) -> None:
    encoded = load(corpus / "train.parquet")
    crf, softmax = (ChainTagger.from_encoder(bert, encoded, head=head) for head in ("crf", "softmax"))
    names = {name for name, _ in softmax.named_parameters()}
    assert {name for name, _ in crf.named_parameters()} - names == {"transitions", "start", "end"}
    assert softmax.head_parameters == list(softmax.emission.parameters())
    trained = [
        id(weight)
        for group in TrainingState(softmax, SETTINGS, 3).optimizer.param_groups
        for weight in group["params"]
    ]
    assert sorted(trained) == sorted(map(id, softmax.parameters()))
    assert all(isinstance(weight, nn.Parameter) for weight in softmax.parameters())


def test_a_stopped_softmax_run_goes_on_to_the_same_bits(bert: Path, corpus: Path, tmp_path: Path) -> None:
    case = Case(bert, corpus, tmp_path / "one")

    def student() -> ChainTagger:
        torch.manual_seed(3)
        return ChainTagger.from_encoder(bert, case.batches.encoded, layers=1, head="softmax")

    whole, _ = case.run(model=student())
    stopped = Case(bert, corpus, tmp_path / "two")

    def stops(chain: LinearChain, batch: Any, step: int) -> Tensor:
        if step == stopped.steps + 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return gold_loss(chain, batch, step)

    with pytest.raises(Interrupted):
        stopped.run(stops, model=student())
    assert stopped.saved_step == stopped.steps + 2
    again, _ = stopped.run(model=student())
    assert same_bits(again.state_dict(), whole.state_dict())


@pytest.mark.parametrize(("teacher_head", "student_head"), PAIRS)
def test_a_student_may_start_as_its_teacher(
    teacher_head: Head, student_head: Head, bert: Path, corpus: Path, tmp_path: Path
) -> None:
    encoded = load(corpus / "train.parquet")
    teacher = tagger(bert, encoded, layers=LAYERS, head=teacher_head)
    teacher.save_pretrained(tmp_path)
    student = ChainTagger.from_teacher(tmp_path, layers=2, head=student_head).eval()
    assert student.config.head == student_head
    weights = teacher.state_dict()
    for name, tensor in student.state_dict().items():
        if name in weights:
            assert torch.equal(tensor, weights[name]), name
        else:
            assert (name in ("transitions", "start", "end"), bool(tensor.any())) == (True, False)
    assert torch.equal(student.emission.weight, teacher.emission.weight)
    batch = Batches(encoded, 4).collate(torch.arange(4))
    assert student.transitions.any() == (teacher_head == student_head == "crf")
    with torch.inference_mode():
        assert student.chain(batch).viterbi()[1].any()


def test_the_stages_make_the_heads_that_the_parameters_name(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teacher, scores, student and timing; the student is trained on what the softmax teacher left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    own = Workspace(shutil.copytree(workspace.root, tmp_path / "inputs"))
    softmax = {"head": "softmax", "precision": "float32"}
    own.set(teacher=softmax, student=softmax)
    written = {"dump": "scores", "dump_text": "text_scores"}
    for stage in ("teacher", "dump", "dump_text", "distill", "time_epochs"):
        app = typer.Typer()
        app.command()(import_module(f"stages.{stage}").main)
        done = CliRunner().invoke(app, own.arguments(stage, stage), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        if (own.root / stage).is_dir():
            shutil.rmtree(own.root / stage)
            shutil.copytree(tmp_path / stage, own.root / stage)
        elif stage in written:
            shutil.rmtree(own.root / written[stage])
            shutil.copytree(tmp_path / stage, own.root / written[stage])
    torch.use_deterministic_algorithms(False)
    folders = [place_of(stage, tmp_path / stage) for stage in ("teacher", "distill")]
    for folder in folders:
        assert load_model(folder).config.head == "softmax"
        AutoModelForTokenClassification.from_pretrained(folder)
    made = [json.loads((folder / HISTORY).read_text())["made"] for folder in folders]
    assert [(one["method"], one["training"]["head"]) for one in made] == [
        ("teacher", "softmax"),
        (METHOD, "softmax"),
    ]
    assert "encoder" not in made[0]["training"]
    scores = ScoreStore.open(
        tmp_path / "dump/1/1", expect=origin_of(own.root / "encoded/train.parquet", tmp_path / "teacher")
    )
    assert not any(part.any() for part in scores.parameters)


def test_a_start_that_no_emission_layer_fits_is_refused(encoder: Any, tmp_path: Path) -> None:
    encoded = write_split(tmp_path / "split.parquet", sentences(4), encoder("modernbert"))
    for head in get_args(Head):
        tagger(encoder("modernbert"), encoded, head=head).save_pretrained(tmp_path / head)
        ChainTagger.from_teacher(tmp_path / head, layers=1, head=head)
    for head, other in PAIRS[1:3]:
        with pytest.raises(
            UserError, match=r"`teacher` needs the same head for teacher and student over modernbert"
        ):
            ChainTagger.from_teacher(tmp_path / head, layers=1, head=other)
