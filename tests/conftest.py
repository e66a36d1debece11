"""What tests share: tiny encoders, and a corpus and a teacher made with one of them, built once per run."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.helpers.forked_stages import Stages
    from tests.helpers.workspace import Workspace

# Before torch is imported: tiny tensors gain nothing from threads, and parallel test workers lose.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
if os.environ.get("DISTIL_TEST_GPU"):
    # cuBLAS is asked for it once, at its first product, which a test of `reproducible` need not be.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
else:  # tests compare bits of the CPU, and put models and batches there
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Put back what a stage run in this process has set: at SIGPIPE, a closed socket would end all tests."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of the tiny encoder of a kind (see tiny_encoders.KINDS)."""
    from tests.helpers.tiny_encoders import write_encoder

    root = tmp_path_factory.mktemp("encoders")

    def folder(kind: str) -> Path:
        return root / kind if (root / kind).exists() else write_encoder(root / kind, kind)

    return folder


@pytest.fixture(scope="session")
def bert(encoder: Callable[[str], Path]) -> Path:
    """The folder of a tiny BERT."""
    return encoder("bert")


@pytest.fixture(scope="session")
def corpus(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed folder with train, dev and test, encoded for the tiny BERT."""
    from tests.helpers.tiny_inputs import write_corpus

    return write_corpus(tmp_path_factory.mktemp("corpus") / "encoded", bert)


@pytest.fixture(scope="session")
def teacher(bert: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed folder with a tagger on the tiny BERT whose scores differ from tag to tag."""
    from tests.helpers.tiny_inputs import write_teacher

    return write_teacher(tmp_path_factory.mktemp("teacher") / "teacher", bert, corpus)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> "Workspace":
    """What every stage reads, and params.yaml for runs of a few steps; not to be changed."""
    from tests.helpers.workspace import Workspace

    return Workspace.make(tmp_path_factory.mktemp("workspace") / "inputs")


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Stages]":
    """Runs stages as processes that may be killed."""
    from tests.helpers.forked_stages import Stages

    server = Stages(tmp_path_factory.mktemp("logs"))
    yield server
    server.close()


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the chain's dynamic programs that were started so far; may be cleared."""
    from pipeline.chain import engine, linear_chain

    started: list[str] = []

    def counted(program: Callable[..., Any]) -> Callable[..., Any]:
        def start(*args: Any, **kwargs: Any) -> Any:
            started.append(program.__name__)
            return program(*args, **kwargs)

        return start

    for module, name in (
        (engine, "sweep"),
        (engine, "pull_back"),
        (engine, "viterbi"),
        (linear_chain, "kbest"),
    ):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    return started


def pytest_collection_finish() -> None:
    """Leave out what was imported and collected when Python looks for garbage: it stays to the end."""
    gc.collect()
    gc.freeze()
