"""Stages as commands: help without torch, one line for a mistake, and nothing half-written after it."""

import ast
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.encoding.split_file import load, read_column
from pipeline.errors import Interrupted, ProcessLost, UserError
from pipeline.fingerprint import fingerprint_of
from pipeline.storage import sealed_folder
from stages import command, download, fingerprint, prepare
from tests.helpers.forked_stages import Stages

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if "run(main)" in path.read_text())
TREE: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
GOOD = b"Anna B-PER\nslept O\n\nRome B-LOC\nfell O\n\nIt O\nrained O\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a stage's main as `python -m` does; (exit status, standard output, standard error)."""

    def call(main: Callable[..., Any], *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stage", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            command.run(main)
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return call


@pytest.fixture
def place(tmp_path: Path, bert: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with an own corpus, a fetched encoder and params.yaml that names both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    Path("own").mkdir()
    for split in ("train", "dev", "test"):
        Path(f"own/{split}.txt").write_bytes(GOOD)
    with sealed_folder.new_folder(Path("encoder")) as aside:
        for file in bert.iterdir():
            shutil.copy(file, aside)
    Path("code").mkdir()
    for stage in ("download", "prepare"):
        Path("code", stage).write_text(fingerprint_of(stage, ROOT))
    write_params()
    return tmp_path


def write_params(encoder: str = "encoder", **corpus: Any) -> None:
    """params.yaml of a corpus `mine` in own/, with other settings for it."""
    files = {split: f"own/{split}.txt" for split in ("train", "dev", "test")}
    files |= corpus.pop("files", {})
    changes = {"task": "mine", "corpora": {"mine": {"files": files} | corpus}}
    changes |= {"teacher": TREE["teacher"] | {"encoder": encoder}, "prepare": {"window": 40, "overlap": 6}}
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(TREE | changes, file)


def fetch(run: Run) -> tuple[int, str, str]:
    return run(download.main, "corpus", "--code", "code/download", "--out", "corpus")


def encode(run: Run) -> tuple[int, str, str]:
    options = ["--corpus", "corpus", "--encoder", "encoder", "--code", "code/prepare", "--out", "encoded"]
    return run(prepare.main, *options)


def one_line(result: tuple[int, str, str]) -> str:
    """The error, after a check that it is one, alone and without a traceback."""
    status, out, err = result
    lines = [line for line in err.splitlines() if not line.startswith(("fetching", "WARNING"))]
    assert (status, out) == (2, "")
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


def there() -> set[str]:
    """What stands in the working folder, hidden things included."""
    return {path.name for path in Path().iterdir()} - {"own", "encoder", "code", "params.yaml"}


# Every stage


def test_help_of_every_stage_answers_without_torch() -> None:
    program = """
import contextlib, io, runpy, sys
for name in "torch transformers tokenizers accelerate numpy pandas pyarrow pydantic ruamel".split():
    sys.modules[name] = None  # an import of it fails from now on
for stage in sys.argv[1:]:
    sys.argv = [stage, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        try:
            runpy.run_module(f"stages.{stage}", run_name="__main__")
        except SystemExit as end:
            assert end.code in (None, 0), (stage, end.code)
    assert "Usage: " in text.getvalue() and "--help" in text.getvalue(), stage
    print(stage)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMANDS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == COMMANDS, done.stderr[-2000:]
    assert set(COMMANDS) >= {"download", "prepare", "teacher", "dump", "distill", "evaluate", "report"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stage_is_short_and_documented(name: str) -> None:
    source = (ROOT / "stages" / f"{name}.py").read_text(encoding="utf-8")
    assert source.count("\n") <= 60
    tree = ast.parse(source)
    (main,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    assert ast.get_docstring(tree)
    assert ast.get_docstring(main)
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not {module for module in imported if module and module.startswith("pipeline")}


def test_paths_stand_in_dvc_yaml_alone() -> None:
    """No default of a stage is a path of the pipeline, but where `prepare --check` looks for a tokenizer."""
    known = {"check_corpus": {"data/encoder"}}
    for file in (ROOT / "stages").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        paths = {
            text for text in texts if isinstance(text, str) and text.startswith(("data/", "metrics", "plots"))
        }
        assert paths == known.get(file.stem, set())


# The command itself


def test_a_users_mistake_is_one_line_and_status_2(run: Run) -> None:
    def main() -> None:
        raise UserError("two\nlines \x1b[31mred")

    assert run(main) == (2, "", "error: two lines red\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stage_ends_with_128_and_the_signal(run: Run, number: int) -> None:
    def main() -> None:
        raise Interrupted(number)

    assert run(main) == (128 + number, "", "stopped\n")  # a stage without checkpoints


def test_a_signal_that_a_library_turns_into_its_own_error_is_still_a_signal(run: Run) -> None:
    def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as error:
            raise ModuleNotFoundError("Could not import module 'PreTrainedModel'") from error

    assert run(main) == (143, "", "stopped\n")


def test_a_lost_process_is_told_without_a_traceback(run: Run) -> None:
    def main() -> None:
        raise ProcessLost("Connection closed by peer\nmore")

    assert run(main) == (1, "", "error: another process of the run has ended (Connection closed by peer)\n")


def test_ctrl_c_anywhere_shows_no_traceback(run: Run) -> None:
    def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    status, _, err = run(main)
    assert status == 130
    assert "Traceback" not in err


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(ZeroDivisionError):
        command.run(main)


def test_success_is_status_0(run: Run) -> None:
    assert run(lambda: print("done")) == (0, "done\n", "")


@pytest.mark.parametrize(
    "arguments",
    [["--nope"], ["--out", "x"], ["corpse", "--out", "x"], ["corpus"], ["corpus", "more", "--out", "x"]],
)
def test_wrong_arguments_are_status_2_with_usage(run: Run, place: Path, arguments: list[str]) -> None:
    status, out, err = run(download.main, *arguments)
    assert (status, out) == (2, "")
    assert "Usage: " in err
    assert "Traceback" not in err
    assert not there()


# download and prepare


def test_download_and_prepare_make_sealed_folders(run: Run, place: Path) -> None:
    assert fetch(run)[0] == 0
    status, out, err = encode(run)
    assert (status, err) == (0, "")
    assert out.splitlines() == [f"{split}: 3 sentences, 6 words" for split in ("train", "dev", "test")]
    assert there() == {"corpus", "encoded"}
    assert sealed_folder.check(Path("corpus")).keys() == {
        f"{split}/{split}.txt" for split in ("train", "dev", "test")
    }
    assert sealed_folder.check(Path("encoded")).keys() == {
        f"{split}.{kind}" for split in ("train", "dev", "test") for kind in ("parquet", "safetensors")
    }
    assert len(load(Path("encoded/train.parquet"))) == 3
    assert read_column(Path("encoded/test.parquet"), "tags")[0] == ["B-PER", "O"]


def test_download_takes_the_encoder_of_the_parameters(run: Run, place: Path, bert: Path) -> None:
    write_params(encoder=str(bert))
    assert run(download.main, "encoder", "--code", "code/download", "--out", "fetched")[0] == 0
    assert "model.safetensors" in sealed_folder.check(Path("fetched"))
    write_params(encoder="own")
    assert "own: " in one_line(run(download.main, "encoder", "--code", "code/download", "--out", "other"))
    write_params(encoder="../nowhere")
    assert "nowhere" in one_line(run(download.main, "encoder", "--code", "code/download", "--out", "other"))
    assert there() == {"fetched"}


def test_the_mirror_is_looked_in_first(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://127.0.0.1:9/train.txt"
    write_params(files={"train": address})
    Path("mirror/mine").mkdir(parents=True)
    Path("mirror/mine/train.txt").write_bytes(b"Mirror O\n")
    assert (
        run(download.main, "corpus", "--code", "code/download", "--out", "corpus", "--mirror", "mirror")[0]
        == 0
    )
    monkeypatch.setenv("CORPUS_MIRROR", "mirror")
    assert fetch(run)[0] == 0
    assert Path("corpus/train/train.txt").read_bytes() == b"Mirror O\n"
    monkeypatch.setenv("CORPUS_MIRROR", "")
    message = one_line(run(download.main, "corpus", "--code", "code/download", "--out", "again"))
    assert message.startswith(f"{address}: ")
    assert message.endswith("put train.txt into DIR/<corpus> and set CORPUS_MIRROR=DIR")
    assert there() == {"mirror", "corpus"}


@pytest.mark.parametrize(
    ("content", "settings", "says"),
    [
        (b"Anna B-PER\nslept\n", {}, "train.txt:2: has 1 column, but line 1 has 2"),
        (b"Anna B-PER\n", {"tag": 3}, "train.txt:1: has 2 columns, so tag: 3 does not exist; choose 0 to 1"),
        (b"Anna B-PER\nslept V-X\n", {}, "train.txt:2: 'V-X' is not an iob2 tag (O, B-TYPE, I-TYPE)"),
        (b"Anna S-PER\n", {}, "train.txt:1: 'S-PER' is not an iob2 tag"),
        (b"", {}, "train.txt: is empty"),
        (b"\n\n", {}, "train.txt: holds no sentence"),
        (
            b"Anna O\nZ\xfcrich B-LOC\n",
            {},
            "train.txt:2: byte 9 of the file (0xfc) is not utf-8; set encoding",
        ),
        (b"Anna O\r\nslept O\r\n", {}, "train.txt:1: ends with a carriage return (Windows line ends)"),
        (b"\xef\xbb\xbfAnna O\n", {}, "train.txt:1: starts with a byte order mark"),
        (b"Anna O\n\nMay I-PER\n", {"strict": True}, "train.txt:3: 'I-PER' breaks the scheme iob2"),
        (b"Anna O\n", {"encoding": "utf-99"}, "encoding: 'utf-99' is unknown"),
        (GOOD, {"counts": {"train": [9, 9]}}, "train.txt: holds 3 sentences, but 9 are expected"),
        (GOOD, {"hold_out": 3, "files": {"dev": None}}, "hold_out: 3 of 3 sentences cannot be held out"),
    ],
)
def test_a_bad_corpus_is_one_line(
    run: Run, place: Path, content: bytes, settings: dict[str, Any], says: str
) -> None:
    Path("own/train.txt").write_bytes(content)
    write_params(**settings)
    assert fetch(run)[0] == 0
    message = one_line(encode(run))
    assert says in message
    assert there() == {"corpus"}
    # When it is mended, the same commands go through.
    Path("own/train.txt").write_bytes(GOOD)
    write_params()
    assert fetch(run)[0] == 0
    assert encode(run)[0] == 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"checksums": {"test": "md5:" + "0" * 32}}, "own/test.txt: md5 is "),
        (
            {"files": {"dev": "own/none.txt"}},
            "own/none.txt: there is no such file; check it, or put none.txt into",
        ),
        ({"files": {"dev": "https://127.0.0.1:9/x"}}, "https://127.0.0.1:9/x: "),
        ({"files": {"dev": "http://example.org/x"}}, "http://example.org/x: "),
        ({"scheme": "bmewo"}, "params.yaml: corpora.mine.scheme: must be 'iob1', 'iob2', 'bioes', "),
        ({"word": "x"}, "params.yaml: corpora.mine.word: must be a column's number"),
        ({"files": {"dev": "own/broken.gz"}}, "own/broken.gz: "),
    ],
)
def test_a_corpus_that_cannot_be_fetched_is_one_line(
    run: Run, place: Path, settings: dict[str, Any], says: str
) -> None:
    Path("own/broken.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03 damaged")
    write_params(**settings)
    assert says in one_line(fetch(run))
    assert not there()


def test_what_stood_before_a_mistake_still_stands(run: Run, place: Path) -> None:
    assert fetch(run)[0] == encode(run)[0] == 0
    before = sealed_folder.identity(Path("corpus")), sealed_folder.identity(Path("encoded"))
    write_params(counts={"test": [9, 9]})
    one_line(encode(run))
    Path("own/test.txt").unlink()
    one_line(fetch(run))
    sealed_folder.check(Path("corpus")), sealed_folder.check(Path("encoded"))
    assert (sealed_folder.identity(Path("corpus")), sealed_folder.identity(Path("encoded"))) == before
    assert there() == {"corpus", "encoded"}


def test_tags_that_continue_nothing_are_a_warning(
    run: Run, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Path("own/train.txt").write_bytes(b"Anna O\nMay I-PER\n")
    assert fetch(run)[0] == encode(run)[0] == 0
    assert "corpus/train/train.txt:2: the first of 1 tag that breaks the scheme iob2" in caplog.text
    assert read_column(Path("encoded/train.parquet"), "tags") == [["O", "B-PER"]]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda: shutil.rmtree("corpus"), "corpus: not a finished output of the pipeline"),
        (lambda: Path("corpus/train/train.txt").write_bytes(b"x"), "corpus/train/train.txt: damaged"),
        (lambda: Path("corpus/dev/dev.txt").unlink(), "corpus/dev/dev.txt: missing"),
        (lambda: Path("encoder/tokenizer.json").write_bytes(b"{}"), "encoder/tokenizer.json: damaged"),
        (lambda: shutil.rmtree("encoder"), "encoder: not a finished output of the pipeline"),
        (lambda: Path("params.yaml").unlink(), "params.yaml: cannot be read (No such file or directory)"),
        (lambda: Path("encoded").touch(), "encoded: cannot be written"),
    ],
)
def test_prepare_refuses_damaged_inputs(
    run: Run, place: Path, damage: Callable[[], object], says: str
) -> None:
    assert fetch(run)[0] == 0
    damage()
    assert says in one_line(encode(run))
    assert not Path("encoded").is_dir()
    assert not Path(".encoded.new").exists()


def test_a_full_disk_leaves_nothing(place: Path, stages: Stages) -> None:
    """The limit on the size of files stands for the disk: writing ends with an error of the same kind."""
    Path("own/train.txt").write_bytes(GOOD * 2000)
    arguments = ["corpus", "--code", "code/download", "--out", "corpus"]
    ended = stages.run("download", *arguments, place=place, file_size=8192)
    message = one_line((ended.status, ended.out, ended.err))
    assert "File too large" in message
    assert "free space" in message
    assert not there()


# fingerprint


def test_fingerprint_writes_a_file_for_every_stage(run: Run, place: Path) -> None:
    assert run(fingerprint.main, "--out", "digests", "--root", ROOT) == (0, "", "")
    files = {str(path.relative_to("digests")) for path in Path("digests").rglob("*") if path.is_file()}
    assert files >= set(COMMANDS) - {"distill"} | {"distill/kbest"}
    assert all(len((Path("digests") / file).read_text().strip()) == 64 for file in files)
    assert "holds no stages" in one_line(run(fingerprint.main, "--out", "other"))


def test_fingerprint_refuses_a_method_that_does_not_exist(run: Run, place: Path) -> None:
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(TREE | {"methods": ["kbst"]}, file)
    told = one_line(run(fingerprint.main, "--out", "digests", "--root", ROOT))
    assert "methods: there is no 'kbst'; choose one of " in told
    assert not Path("digests").exists()
