"""A published student is a sealed copy with its card, and what the hub gets is that folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.exporting.hub_upload import CARD, push, write_published
from pipeline.storage.sealed_folder import SEAL, check, new_folder
from tests.helpers.fake_hub import fake_hub
from tests.helpers.sample_sources import read_folder

ROOT = Path(__file__).parents[2]
FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 40, "tokenizer.json": b"[]"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    with new_folder(tmp_path / "students" / "1") as aside:
        for name, content in FILES.items():
            (aside / name).write_bytes(content)
    return tmp_path / "students" / "1"


def run_push(folder: Path, repository: str, home: Path, address: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.errors import UserError\n"
        "from pipeline.exporting.hub_upload import push\n"
        f"try:\n    print(push(Path({str(folder)!r}), {repository!r}))\n"
        "except UserError as error:\n    sys.exit(str(error))"
    )
    environment = os.environ | {
        "HF_HOME": str(home),
        "HF_ENDPOINT": address,
        "HF_TOKEN": "hf_secret",
        "HF_HUB_DISABLE_XET": "1",  # the fake takes large files by LFS alone
        "http_proxy": "http://127.0.0.1:9",  # nobody listens there: a hub on this machine needs no proxy
    }
    for name in ("no_proxy", "NO_PROXY"):
        environment.pop(name, None)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_published_folder_is_the_model_with_a_card_under_a_seal(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "published"
    write_published(model, "# Straße\n", out)
    assert check(out).keys() == FILES.keys() | {CARD}
    assert {name: content for name, content in read_folder(out).items() if name != SEAL} == {
        **FILES,
        CARD: "# Straße\n".encode(),
    }
    assert check(model).keys() == FILES.keys()


def test_a_folder_in_the_models_is_copied_too(tmp_path: Path) -> None:
    """Tokenizers with several chat templates are saved with one."""
    with new_folder(tmp_path / "model") as aside:
        (aside / "templates").mkdir()
        (aside / "templates" / "rag.jinja").write_text("x")
    write_published(tmp_path / "model", "# card\n", tmp_path / "out")
    assert set(check(tmp_path / "out")) == {CARD, "templates/rag.jinja"}


@pytest.mark.parametrize("out", ["students/1", "students", "students/../students/1"])
def test_the_model_itself_is_never_replaced(model: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(UserError, match="--out"):
        write_published(model, "card", tmp_path / out)
    assert check(model).keys() == FILES.keys()


def test_a_folder_with_files_of_others_is_never_replaced(model: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/notes.txt").write_text("mine")
    with pytest.raises(UserError, match="own"):
        write_published(model, "card", tmp_path / "own")
    assert read_folder(tmp_path / "own") == {"notes.txt": b"mine"}


def test_what_was_published_is_replaced(model: Path, tmp_path: Path) -> None:
    for card in ("first", "second"):
        write_published(model, card, tmp_path / "out")
    assert (tmp_path / "out" / CARD).read_text() == "second"


def test_the_hub_gets_every_file_but_the_seal(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "published"
    write_published(model, "# card\n", out)
    with fake_hub() as hub:
        done = run_push(out, "org/name", tmp_path / "home", hub.address)
        assert (done.returncode, done.stdout) == (0, f"{hub.address}/org/name\n"), done.stderr
    assert hub.made == ["org/name"]
    assert hub.files == {"org/name": {**FILES, CARD: b"# card\n"}}
    assert len(hub.objects) == 1
    assert hub.tokens == {"Bearer hf_secret"}


def test_an_unreachable_hub_is_one_line(model: Path, tmp_path: Path) -> None:
    with fake_hub() as hub:
        closed = hub.address
    done = run_push(model, "org/name", tmp_path / "home", closed)
    assert done.returncode == 1
    assert done.stderr.startswith("org/name: the upload failed (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["name", "org/name/more", "org/name@main", "../name", "org/a b", ""])
def test_a_name_that_no_hub_has_is_refused(model: Path, name: str) -> None:
    with pytest.raises(UserError, match="--push"):
        push(model, name)


def test_nothing_is_written_into_the_models_own_folder(model: Path) -> None:
    before = {path.name for path in model.iterdir()}
    with pytest.raises(UserError, match="lies in the model's own folder"):
        write_published(model, "card", model / "published")
    assert {path.name for path in model.iterdir()} == before
