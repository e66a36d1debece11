"""One training run and one dump as several connected processes, and what each of them saw."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STEPS = 50
SHARD = 5  # sentences in a shard


def together(count: int, place: Path, *folders: Path) -> list[dict[str, Any]]:
    """What `_work` gives in each of `count` processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    base |= {"ACCELERATE_USE_CPU": "true"}
    started = []
    for rank in range(count):
        env = base | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
        env |= {"LOCAL_WORLD_SIZE": str(count)}
        command = [sys.executable, "-m", "tests.helpers.two_processes", str(place), *map(str, folders)]
        started.append(subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True))
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * count
    return [json.loads(text.splitlines()[-1]) | {"said": text} for text in said]


def _work(place: Path, encoder: Path, corpus: Path, teacher: Path) -> dict[str, Any]:
    import torch

    from pipeline import processes
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.scores import store
    from pipeline.training.loop import reproducible, train
    from pipeline.training.loss import gold_loss
    from pipeline.training.optimisation import Run
    from tests.helpers.tiny_inputs import dump
    from tests.helpers.training_cases import SETTINGS, Case

    case = Case(encoder, corpus, place / "checkpoint")
    reproducible(1)
    model = ChainTagger.from_encoder(encoder, case.batches.encoded, layers=1, dropout=0.0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    losses, save, saved = list[float](), Run.save, list[int]()
    look = Run.look

    def seen(run: Run) -> None:
        for one in run.unseen:
            own = one.losses.sum() if len(processes.share(one.ids)[1]) else one.losses.sum() * 0
            losses.append(float(processes.summed(own.clone())) / len(one.ids))
        look(run)

    def counted(run: Run, checkpoint: Any) -> None:
        saved.append(run.step)
        save(run, checkpoint)

    setattr(Run, "look", seen)  # noqa: B010
    setattr(Run, "save", counted)  # noqa: B010
    from pipeline.device import accelerator

    history = train(
        model,
        case.batches,
        gold_loss,
        SETTINGS.model_copy(update={"epochs": STEPS // case.steps}),
        seed=1,
        development=lambda: 1.0 + processes.rank(),
        accelerator=accelerator("float32"),
        checkpoint=case.checkpoint,
        label="training",
    )
    scores, write_shard = place / "scores", store.write_shard

    def noting(path: Path, header: Any, number: int, groups: Any) -> None:
        written.append(number)
        write_shard(path, header, number, groups)

    written = list[int]()
    store.write_shard = noting
    if processes.is_first():
        dump(scores, corpus, teacher, shard_sentences=SHARD)
    else:
        _dump_alone(dump, scores, corpus, teacher)
    weights = float(sum(value.double().abs().sum() for value in model.state_dict().values()))
    processes.leave()
    return {
        "losses": losses,
        "weights": weights,
        "saved": saved,
        "f1": [epoch.development_f1 for epoch in history.epochs],
        "written": written,
    }


def _dump_alone(dump: Any, scores: Path, corpus: Path, teacher: Path) -> None:
    """A process that is not the first writes no store that it could open."""
    from pipeline.scores.store import ScoreStore

    ScoreStore.open = classmethod(lambda cls, folder, expect=None: None)  # type: ignore
    dump(scores, corpus, teacher, shard_sentences=SHARD)


if __name__ == "__main__":
    print(json.dumps(_work(*map(Path, sys.argv[1:]))))
