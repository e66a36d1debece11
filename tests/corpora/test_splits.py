"""Corpora in each format: fetched, sealed, read back as the same sentences, or refused in one line."""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora import splits as of_corpora
from pipeline.corpora.settings import Corpus, Split
from pipeline.corpora.splits import WATCHED, check_counts, fetch_corpus, hold_out
from pipeline.corpora.tagging import Sentence
from pipeline.errors import UserError
from tests.helpers.sample_sources import serve
from tests.helpers.tiny_project import ROOT

TRAIN = [
    Sentence(("Anna", "May", "slept"), ("B-PER", "I-PER", "O")),
    Sentence(("Rome", "fell"), ("B-LOC", "O")),
    Sentence(("It", "rained"), ("O", "O")),
]
DEV = [Sentence(("Oslo", "Rome"), ("B-LOC", "B-LOC"))]
TEST = [Sentence(("Zürich", "won"), ("B-LOC", "O"))]
SPLITS: dict[Split, list[Sentence]] = {"train": TRAIN, "dev": DEV, "test": TEST}
NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def conll(sentences: list[Sentence]) -> bytes:
    """Word, a column of no meaning, tag."""
    blocks = (
        "".join(f"{word} x {tag}\n" for word, tag in zip(s.words, s.tags or (), strict=True))
        for s in sentences
    )
    return "\n".join(blocks).encode()


def iob1(sentences: list[Sentence]) -> bytes:
    """As conll, in IOB1: B- only where a span of the same type ends right before."""
    rewritten = []
    for sentence in sentences:
        tags = []
        for before, tag in zip(("O", *(sentence.tags or ())), sentence.tags or (), strict=False):
            touches = tag.startswith("B-") and before[1:] == tag[1:]
            tags.append(tag if touches or tag == "O" else f"I-{tag[2:]}")
        rewritten.append(Sentence(sentence.words, tuple(tags)))
    return b"-DOCSTART- x O\n\n" + conll(rewritten)


def jsonl(sentences: list[Sentence], word: str = "tokens", tag: str = "ner_tags") -> bytes:
    return "".join(json.dumps({word: s.words, tag: s.tags}) + "\n" for s in sentences).encode()


def parquet(path: Path, sentences: list[Sentence]) -> Path:
    """As the hub keeps a data set: tags are numbers, their names stand in the metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "tokens": [list(s.words) for s in sentences],
            "ner_tags": [[NAMES.index(tag) for tag in s.tags or ()] for s in sentences],
        }
    )
    feature = {"feature": {"names": list(NAMES), "_type": "ClassLabel"}, "_type": "Sequence"}
    info = json.dumps({"info": {"features": {"ner_tags": feature}}})
    pq.write_table(table.replace_schema_metadata({"huggingface": info}), path)
    return path


def write(folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    """Write the files and give their paths by stem, as `files` takes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name.partition(".")[0]: str(folder / name) for name in files}


def corpus(files: Mapping[Any, str | Sequence[str]], **settings: Any) -> Corpus:
    return Corpus.model_validate({"files": files} | settings)


def read_splits(folder: Path, entry: Corpus) -> dict[Split, list[Sentence]]:
    with tempfile.TemporaryDirectory() as scratch:
        found = of_corpora.read_splits(folder, entry, Path(scratch))
        return {split: list(sentences) for split, sentences in found.items()}


def fetched(entry: Corpus, folder: Path, mirror: Path | None = None) -> dict[Split, list[Sentence]]:
    folder.mkdir()
    fetch_corpus(entry, folder, mirror=mirror)
    return read_splits(folder, entry)


def test_columns(tmp_path: Path) -> None:
    files = write(tmp_path / "own", {f"{name}.conll": conll(split) for name, split in SPLITS.items()})
    entry = corpus(files, word=0, tag=2, counts={"train": (3, 7), "dev": (1, 2), "test": (1, 2)})
    assert fetched(entry, tmp_path / "out") == SPLITS
    assert (tmp_path / "out/train/train.conll").read_bytes() == conll(TRAIN)
    assert list(fetched(corpus(files), tmp_path / "default")) == ["train", "dev", "test"]


def test_a_split_without_files_is_empty(tmp_path: Path) -> None:
    files = write(tmp_path / "own", {"test.conll": conll(TEST)})
    assert fetched(corpus(files), tmp_path / "out") == {"train": [], "dev": [], "test": TEST}
    assert fetched(corpus({}), tmp_path / "none") == {"train": [], "dev": [], "test": []}


def test_iob1_reads_files_in_iob1_and_in_iob2_as_the_same(tmp_path: Path) -> None:
    old = write(tmp_path / "old", {f"{name}.conll": iob1(split) for name, split in SPLITS.items()})
    new = write(tmp_path / "new", {f"{name}.conll": conll(split) for name, split in SPLITS.items()})
    assert b"I-LOC\nRome x B-LOC" in iob1(DEV)
    assert fetched(corpus(old, scheme="iob1"), tmp_path / "a") == SPLITS
    assert fetched(corpus(new, scheme="iob1"), tmp_path / "b") == SPLITS


def test_separator_encoding_and_strictness_reach_the_reader(tmp_path: Path) -> None:
    text = "Zürich;B-LOC\nam See;I-LOC\n\nist;I-LOC\n".encode("latin-1")
    files = write(tmp_path / "own", {"train.txt": text, "test.txt": text, "dev.txt": text})
    entry = corpus(files, separator=";", encoding="latin-1")
    place = Sentence(("Zürich", "am See"), ("B-LOC", "I-LOC"))
    assert fetched(entry, tmp_path / "out")["test"] == [place, Sentence(("ist",), ("B-LOC",))]
    with pytest.raises(UserError, match=r"train/train.txt:4: 'I-LOC' breaks the scheme iob2"):
        read_splits(tmp_path / "out", entry.model_copy(update={"strict": True}))


def test_json_lines(tmp_path: Path) -> None:
    files = write(tmp_path / "own", {f"{name}.jsonl": jsonl(split) for name, split in SPLITS.items()})
    assert fetched(corpus(files, format="jsonl"), tmp_path / "out") == SPLITS
    named = {f"{name}.jsonl": jsonl(split, "w", "t") for name, split in SPLITS.items()}
    entry = corpus(write(tmp_path / "named", named), format="jsonl", word="w", tag="t")
    assert fetched(entry, tmp_path / "out2") == SPLITS


def test_json_lines_with_numbers_for_tags(tmp_path: Path) -> None:
    line = json.dumps({"tokens": ["Rome", "fell"], "ner_tags": [3, 0]}).encode()
    files = write(tmp_path / "own", {f"{name}.jsonl": line for name in SPLITS})
    entry = corpus(files, format="jsonl", names=NAMES)
    assert fetched(entry, tmp_path / "out")["dev"] == [Sentence(("Rome", "fell"), ("B-LOC", "O"))]
    with pytest.raises(UserError, match=r"train.jsonl:1: 'ner_tags' holds numbers without names"):
        read_splits(tmp_path / "out", entry.model_copy(update={"names": None}))


def test_data_set_files(tmp_path: Path) -> None:
    files = {name: str(parquet(tmp_path / f"{name}.parquet", split)) for name, split in SPLITS.items()}
    assert fetched(corpus(files, format="dataset"), tmp_path / "out") == SPLITS
    swapped = ("B-LOC", "B-PER", "I-PER", "O", "I-LOC")
    other = read_splits(tmp_path / "out", corpus(files, format="dataset", names=swapped))
    assert other["test"] == [Sentence(("Zürich", "won"), ("O", "B-LOC"))]


def test_a_data_set_saved_to_disk_serves_all_splits(tmp_path: Path) -> None:
    root = tmp_path / "saved"
    for name, split in {"train": TRAIN, "validation": DEV, "test": TEST}.items():
        folder = root / name
        parquet(folder / "data.parquet", split)
        (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.parquet"}]}))
    entry = corpus(dict.fromkeys(SPLITS, str(root)), format="dataset", counts={"dev": (1, 2)})
    assert fetched(entry, tmp_path / "out") == SPLITS


@pytest.mark.parametrize(
    "names",
    [
        {name: f"my_{name}.parquet" for name in SPLITS},
        {name: f"{name.title()}.parquet" for name in SPLITS},
        {name: f"{name}/lang=en/part-0.parquet" for name in SPLITS},
    ],
)
def test_a_folder_whose_names_tell_no_splits_does_not_serve_several(
    tmp_path: Path, names: dict[Split, str]
) -> None:
    for split, name in names.items():
        parquet(tmp_path / "set" / name, SPLITS[split])
    for again in (f"{tmp_path}/set", f"{tmp_path}/set/"):
        entry = corpus({"train": f"{tmp_path}/set", "dev": again, "test": again}, format="dataset")
        with pytest.raises(UserError, match=r"holds no split train, .* whose names begin with train"):
            fetched(entry, tmp_path / f"out{len(again)}")


def test_a_data_set_saved_to_disk_does_not_serve_several_splits_itself(tmp_path: Path) -> None:
    parquet(tmp_path / "set/data.parquet", TRAIN)
    (tmp_path / "set/state.json").write_text(json.dumps({"_data_files": [{"filename": "data.parquet"}]}))
    entry = corpus(dict.fromkeys(("train", "test"), f"{tmp_path}/set"), hold_out=1, format="dataset")
    with pytest.raises(UserError, match="set: holds no split train"):
        fetched(entry, tmp_path / "out")


def test_one_data_set_file_may_have_any_name(tmp_path: Path) -> None:
    files = {name: str(parquet(tmp_path / f"{name}.pq", split)) for name, split in SPLITS.items()}
    assert fetched(corpus(files, format="dataset"), tmp_path / "out") == SPLITS


def test_a_path_that_cannot_be_looked_at_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/own").mkdir(parents=True)
    path = f"data/own/{'x' * 300}"
    with pytest.raises(UserError, match=rf"^{path}: cannot be read \(File name too long\); correct the path"):
        fetched(corpus({"train": path, "test": path}, hold_out=1), tmp_path / "out")


@pytest.mark.parametrize("form", ["conll", "dataset"])
@pytest.mark.parametrize("pattern", ["*.conll", "part-?.conll"])
def test_a_pattern_is_told_to_be_none_of_the_files(tmp_path: Path, form: str, pattern: str) -> None:
    (tmp_path / "part-1.conll").write_text("a O\n")
    files = {"train": f"{tmp_path}/{pattern}", "test": f"{tmp_path}/part-1.conll"}
    corpus = Corpus.model_validate({"files": files, "hold_out": 1, "format": form})
    with pytest.raises(UserError) as caught:
        fetch_corpus(corpus, tmp_path / "out", mirror=None)
    says = "there is no such file; patterns are not expanded; list the files"
    assert str(caught.value) == f"{tmp_path}/{pattern}: {says}"


def test_a_file_may_have_the_name_of_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "why?.conll").write_text("a O\n")
    files = dict.fromkeys(("train", "test"), f"{tmp_path}/why?.conll")
    fetch_corpus(Corpus.model_validate({"files": files, "hold_out": 1}), tmp_path / "out", mirror=None)
    assert (tmp_path / "out" / "train" / "why?.conll").is_file()


def test_development_is_held_out_of_training(tmp_path: Path) -> None:
    files = write(tmp_path / "own", {"train.txt": conll(TRAIN), "test.txt": conll(TEST)})
    splits = fetched(corpus(files, hold_out=1, counts={"train": (3, 7)}), tmp_path / "out")
    assert splits == {"train": TRAIN[:2], "dev": TRAIN[2:], "test": TEST}
    assert list(splits) == ["train", "dev", "test"]
    with pytest.raises(UserError, match="hold_out: 3 of 3 sentences cannot be held out"):
        read_splits(tmp_path / "out", corpus(files, hold_out=3))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("counts", "says"), [((9, 7), "sentences, but 9"), ((3, 9), "words, but 9")])
def test_counts_are_those_of_the_file(tmp_path: Path, split: str, counts: tuple[int, int], says: str) -> None:
    files = write(tmp_path / "own", {f"{name}.txt": conll(TRAIN) for name in SPLITS})
    with pytest.raises(UserError, match=rf"{split}/{split}.txt: holds . {says} are expected"):
        fetched(corpus(files, counts={split: counts}), tmp_path / "out")


def test_a_checksum_is_of_its_own_split(tmp_path: Path) -> None:
    files = write(tmp_path / "own", {f"{name}.txt": conll(split) for name, split in SPLITS.items()})
    sums = {name: "md5:" + hashlib.md5(conll(split)).hexdigest() for name, split in SPLITS.items()}
    assert fetched(corpus(files, checksums=sums), tmp_path / "out") == SPLITS
    swapped = sums | {"test": sums["dev"]}
    with pytest.raises(UserError, match=r"test.txt: md5 is .*, but .* is expected"):
        fetched(corpus(files, checksums=swapped), tmp_path / "out2")


def test_addresses_and_the_mirror(tmp_path: Path) -> None:
    with serve({"/c/train.txt.gz?raw=1": gzip.compress(conll(TRAIN)), "/c/test": conll(TEST)}) as site:
        files = {"train": f"{site}/c/train.txt.gz?raw=1", "test": f"{site}/c/test#top"}
        entry = corpus(files, hold_out=1)
        assert fetched(entry, tmp_path / "out")["test"] == TEST
        assert (tmp_path / "out/train/train.txt").read_bytes() == conll(TRAIN)
        write(tmp_path / "mirror", {"train.txt": conll(DEV * 2)})
        assert fetched(entry, tmp_path / "mirrored", tmp_path / "mirror")["train"] == DEV
    for place in ("gone", "gone2"):
        with pytest.raises(UserError, match=r"put train.txt into .*"):
            fetched(entry, tmp_path / place, None if place == "gone" else tmp_path)


def test_a_source_without_a_file_name_gets_the_splits(tmp_path: Path) -> None:
    with serve({"/": conll(TRAIN)}) as site:
        fetched(corpus({"train": f"{site}/", "test": f"{site}/"}, hold_out=1), tmp_path / "out")
    assert (tmp_path / "out/train/train").is_file()
    assert (tmp_path / "out/test/test").is_file()


@pytest.mark.parametrize("change", [{"files": "more"}, {"files": "fewer"}, {"format": "dataset"}])
def test_a_folder_with_another_corpus_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    files = write(tmp_path / "own", {"train.txt": conll(TRAIN), "test.txt": conll(TEST)})
    entry = corpus(files, hold_out=1)
    fetched(entry, tmp_path / "out")
    if change == {"files": "more"}:
        (tmp_path / "out/train/x").touch()
    elif change == {"files": "fewer"}:
        entry = corpus(files | {"dev": files["test"]})
    else:
        entry = corpus(files, hold_out=1, format="dataset")
    with pytest.raises(UserError, match=r"out/(train|dev): (was fetched for another corpus|holds no Arrow)"):
        read_splits(tmp_path / "out", entry)


def test_hold_out_takes_the_last() -> None:
    sentences = [Sentence((str(number),)) for number in range(5)]
    assert hold_out(sentences, 2) == (sentences[:3], sentences[3:])
    for count in (0, 5, 6, -1):
        with pytest.raises(UserError, match="hold_out"):
            hold_out(sentences, count)


def test_counts_are_compared() -> None:
    check_counts(TRAIN, "train", (3, 7))
    check_counts(TRAIN, "train", None)
    with pytest.raises(UserError, match=r"^train: holds 3 sentences, but 3,000 are expected"):
        check_counts(TRAIN, "train", (3000, 7))
    with pytest.raises(UserError, match=r"^train: holds 7 words, but 8 are expected"):
        check_counts(TRAIN, "train", (3, 8))


def test_a_split_of_several_files_is_read_in_their_order(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, {"part.conll": conll(TRAIN)}) for name in ("a", "b"))
    (tmp_path / "b" / "part.conll").write_bytes(conll(DEV))
    train = (one["part"], two["part"])
    sums = ["md5:" + hashlib.md5(conll(split)).hexdigest() for split in (TRAIN, DEV)]
    entry = corpus(
        {"train": train, "test": one["part"]}, hold_out=1, counts={"train": (4, 9)}, checksums={"train": sums}
    )
    assert fetched(entry, tmp_path / "out") == {"train": TRAIN, "dev": DEV, "test": TRAIN}
    assert (tmp_path / "out/train/2/part.conll").read_bytes() == conll(DEV)
    turned = entry.model_copy(update={"checksums": {"train": tuple(reversed(sums))}})
    with pytest.raises(UserError, match=r"a/part.conll: md5 is .* expected"):
        fetched(turned, tmp_path / "other")
    for changed in (one["part"], (*train, one["part"])):
        with pytest.raises(UserError, match=r"out/train(/3)?: was fetched for another corpus"):
            read_splits(tmp_path / "out", corpus({"train": changed, "test": one["part"]}, hold_out=1))


def test_a_data_set_of_several_files(tmp_path: Path) -> None:
    files = [str(parquet(tmp_path / name / "x.parquet", part)) for name, part in (("a", TRAIN), ("b", DEV))]
    entry = corpus({"train": files, "test": files[0]}, format="dataset", hold_out=1)
    assert fetched(entry, tmp_path / "out") == {"train": TRAIN, "dev": DEV, "test": TRAIN}


def test_the_watched_folder_is_a_dependency_of_download() -> None:
    assert f"own: {WATCHED}" in (ROOT / "dvc.yaml").read_text(encoding="utf-8")


def test_a_linked_folder_in_own_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "elsewhere", {"train.conll": conll(TRAIN)})
    own = tmp_path / "data/own"
    own.mkdir(parents=True)
    (own / "linked").symlink_to(tmp_path / "elsewhere")
    (own / "file.conll").symlink_to(tmp_path / "elsewhere/train.conll")
    for place in ("data/own", "./data/own", "data/own/../own", str(own)):
        path = f"{place}/linked/train.conll"
        with pytest.raises(UserError, match=r"^data/own/.*linked: is a link to a folder, whose edits DVC"):
            fetched(corpus({"train": path, "test": path}, hold_out=1), tmp_path / path.replace("/", "-"))
    linked = corpus(dict.fromkeys(("train", "test"), "data/own/file.conll"), hold_out=1)
    assert fetched(linked, tmp_path / "out")["test"] == TRAIN
    (own / "set").symlink_to(tmp_path / "elsewhere")
    entry = corpus(dict.fromkeys(("train", "test"), "data/own/set"), hold_out=1, format="dataset")
    with pytest.raises(UserError, match=r"^data/own/set: is a link to a folder"):
        fetched(entry, tmp_path / "out2")
