"""One training run and one dump as several connected processes, and what each of them saw.

One interpreter imports torch; every process of a run is a fork of it.
"""

import json
import os
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STEPS = 50
SHARD = 5  # sentences in a shard


def together(places: dict[int, Path], *folders: Path) -> dict[int, list[dict[str, Any]]]:
    """What `_work` gives in each of so many processes, which write into the place of their number."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    numbers = json.dumps({count: str(place) for count, place in places.items()})
    command = [sys.executable, "-m", "tests.helpers.two_processes", numbers, *map(str, folders)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = {
        count: [_log(place, rank).read_text() for rank in range(count)] for count, place in places.items()
    }
    return {
        count: [json.loads(text.splitlines()[-1]) | {"said": text} for text in texts]
        for count, texts in said.items()
    }


def _log(place: Path, rank: int) -> Path:
    return place / f"said-{rank}"


def _start(count: int, place: Path, *folders: Path) -> list[int]:
    """The ids of `count` forks of this process that work together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [_fork(rank, count, port, place, *folders) for rank in range(count)]


def _fork(rank: int, count: int, port: int, place: Path, *folders: Path) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.dup2(os.open(_log(place, rank), os.O_CREAT | os.O_WRONLY), 1)
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "LOCAL_WORLD_SIZE": str(count)}
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
        print(json.dumps(_work(place, *folders)), flush=True)
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def _main(numbers: str, *folders: str) -> None:
    import tests.helpers.training_cases  # noqa: F401  # and with it torch, before the first fork

    for count, place in json.loads(numbers).items():
        children = _start(int(count), Path(place), *map(Path, folders))
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert ended == [0] * len(children), ended


def _work(place: Path, encoder: Path, corpus: Path, teacher: Path) -> dict[str, Any]:
    import torch

    from pipeline import processes
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.scores import write_store
    from pipeline.training.loop import reproducible, train
    from pipeline.training.loss import gold_loss
    from pipeline.training.training_state import TrainingState
    from tests.helpers.tiny_inputs import dump
    from tests.helpers.training_cases import SETTINGS, Case

    case = Case(encoder, corpus, place / "checkpoint")
    reproducible(1)
    model = ChainTagger.from_encoder(encoder, case.batches.encoded, layers=1, dropout=0.0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    losses, save, saved = list[float](), TrainingState.save, list[int]()
    read_losses = TrainingState.read_losses

    def seen(run: TrainingState) -> None:
        for one in run.unread:
            own = one.losses.sum() if len(processes.share(one.ids)[1]) else one.losses.sum() * 0
            losses.append(float(processes.summed(own.clone())) / len(one.ids))
        read_losses(run)

    def counted(run: TrainingState, checkpoint: Any) -> None:
        saved.append(run.step)
        save(run, checkpoint)

    setattr(TrainingState, "read_losses", seen)  # noqa: B010
    setattr(TrainingState, "save", counted)  # noqa: B010
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
    scores, write_shard = place / "scores", write_store.write_shard

    def noting(path: Path, header: Any, number: int, groups: Any) -> None:
        written.append(number)
        write_shard(path, header, number, groups)

    written = list[int]()
    write_store.write_shard = noting
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
    _main(*sys.argv[1:])
