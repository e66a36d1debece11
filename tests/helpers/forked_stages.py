"""Stages as processes that are killed where a test says.

One server imports torch once; each run of a stage is a fork of it, with the stage's own command line.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.fingerprint import fingerprints

OTHERS = {"results": "benchmarks.results"}  # no stage, but run and stopped as one
ROOT = Path(__file__).parents[2]
# As `stages.command.run` sets them, which here comes after the libraries that read them.
QUIET = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
IMPORTED = (
    "accelerate",
    "pandas",
    "pyarrow.parquet",
    "pipeline.params",
    "pipeline.corpora.splits",
    "pipeline.corpora.unlabelled_corpus",
    "pipeline.encoding.encoded_text",
    "pipeline.scores.text_scores",
    "pipeline.training.teacher",
    "pipeline.training.student",
    "pipeline.evaluation.evaluate",
    "pipeline.timing.timed_run",
    "pipeline.reporting.markdown_page",
    "pipeline.reporting.summary",
    "pipeline.exporting.hub_upload",
    "pipeline.exporting.model_card",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert",
)


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit status (−n after signal n), what it printed, and the moments it went through.

    read: how many bytes of standard input it took, unless it was killed.
    """

    status: int
    out: str
    err: str
    moments: list[str]
    seconds: float
    read: int


class Stages:
    """The server, seen from a test."""

    def __init__(self, logs: Path) -> None:
        """Start it; what stages print goes to files in `logs`."""
        self._logs = logs
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.forked_stages"],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"} | QUIET,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        stage: str,
        *arguments: object,
        place: Path,
        at: int | None = None,
        number: int = signal.SIGKILL,
        after: float | None = None,
        checkpoint_seconds: float = 0.0,
        file_size: int | None = None,
        out: str | None = "",
        err: str | None = "",
        encoding: str = "utf-8",
        digest: str | None = None,
        typed: str = "",
    ) -> Ended:
        """Run `python -m stages.<stage> <arguments>` in the folder `place`, which is its DVC project too.

        Args:
            stage: its name, or the module of another command.
            arguments: on the command line.
            place: working folder.
            at: which moment (from 0, see `watch`) brings the signal `number`.
            number: of the signal.
            after: seconds after which SIGKILL comes, wherever the stage is.
            checkpoint_seconds: at least so long between two checkpoints.
            file_size: bytes beyond which no file can grow, which stands for a full disk.
            out, err: files that standard output and error go to instead of a log; None closes them.
            encoding: of both streams.
            digest: of the stage's code, as if it were edited; None for its own.
            typed: what stands on standard input.
        """
        request = {
            "stage": stage,
            "module": OTHERS.get(stage, stage if "." in stage else f"stages.{stage}"),
            "arguments": [str(argument) for argument in arguments],
            "place": str(place),
            "at": at,
            "number": int(number),
            "after": after,
            "checkpoint_seconds": checkpoint_seconds,
            "file_size": file_size,
            "streams": [out, err],
            "encoding": encoding,
            "digest": digest,
            "logs": str(self._logs),
        }
        (self._logs / "typed").write_text(typed)
        (self._logs / "read").write_text("0")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        told, complained = ((self._logs / name).read_text(encoding) for name in ("out", "err"))
        moments = (self._logs / "moments").read_text().splitlines()
        read = int((self._logs / "read").read_text())
        return Ended(answer["status"], told, complained, moments, answer["seconds"], read)

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


def _serve() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    fingerprints(ROOT)  # so that no fork parses the code again
    gc.collect()
    gc.freeze()  # what stands here is never collected, so that no fork copies its pages
    for line in sys.stdin:
        request = json.loads(line)
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            _run(request)
        if request["after"] is not None:
            time.sleep(request["after"])
            os.kill(child, signal.SIGKILL)  # one that has ended keeps its id until it is waited for
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        answer = {"status": status, "seconds": time.monotonic() - began}
        print(json.dumps(answer), flush=True)


def _run(request: dict[str, Any]) -> None:
    """The child: never returns."""
    logs = Path(request["logs"])
    status: object = 0
    try:
        os.chdir(request["place"])
        os.environ["DVC_ROOT"] = request["place"]
        os.dup2(os.open(logs / "typed", os.O_RDONLY), 0)
        moments = os.open(logs / "moments", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        for stream, name, path in zip((1, 2), ("out", "err"), request["streams"], strict=True):
            log = os.open(logs / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
            if path is None:
                os.close(stream)
                setattr(sys, f"std{name}", None)
            else:
                os.dup2(os.open(path, os.O_WRONLY) if path else log, stream)
                getattr(sys, f"std{name}").reconfigure(encoding=request["encoding"], errors="strict")
        from pipeline import fingerprint
        from pipeline.training import loop
        from stages import command

        main = importlib.import_module(request["module"]).main
        loop.CHECKPOINT_SECONDS = request["checkpoint_seconds"]
        sys.argv = [request["stage"], *request["arguments"]]
        if request["digest"] is not None:
            fingerprint.fingerprint_of = lambda stage, root: str(request["digest"])
        if request["file_size"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], resource.RLIM_INFINITY))
        seen = 0

        def moment(name: str) -> None:
            nonlocal seen
            os.write(moments, f"{name}\n".encode())
            seen += 1
            if seen - 1 == request["at"]:
                os.kill(os.getpid(), request["number"])

        watch(request["place"], moment)
        command.run(main)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 1
    for told in filter(None, (sys.stdout, sys.stderr)):
        told.flush()
    with contextlib.suppress(OSError):  # standard input was closed, or no file may grow
        (logs / "read").write_text(str(os.lseek(0, 0, os.SEEK_CUR)))
    os._exit(status if isinstance(status, int) else 1)


def watch(place: str, moment: Callable[[str], None]) -> None:
    """Call `moment` with the name of every moment of this process, just before it.

    A moment is an operation on a file in `place`, a flush of one to the disk, a batch through the encoder, or
    a step of the optimiser.
    """
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.storage import commit
    from pipeline.training.training_state import TrainingState

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" or event.startswith(("os.", "shutil.")):
            path = arguments[0] if arguments else None
            if isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(place):  # noqa: PTH100
                moment(f"{event} {os.path.relpath(path, place)}")

    def before(owner: Any, name: str, label: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            moment(label)
            return original(*arguments, **named)

        setattr(owner, name, wrapped)

    before(commit, "_sync", "sync")
    before(ChainTagger, "chain", "batch")
    before(TrainingState, "optimise", "step")
    sys.addaudithook(hook)


if __name__ == "__main__":
    _serve()
