"""JSON Lines, Arrow and Parquet records come in as sentences, or one line says which record is wrong."""

import gzip
import json
import re
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora import records
from pipeline.corpora.tagging import Sentence
from pipeline.errors import UserError

NAMES = ["O", "B-X", "I-X"]
TOKENS = [["a", "b"], ["c"], [], ["d", "e"]]
NUMBERS = [[1, 2], [0], [], [0, 1]]
SENTENCES = [
    Sentence(("a", "b"), ("B-X", "I-X")),
    Sentence(("c",), ("O",)),
    Sentence(("d", "e"), ("O", "B-X")),
]
LABEL = {"names": NAMES, "_type": "ClassLabel"}
FEATURES = [
    {"ner_tags": {"feature": LABEL, "_type": "List"}},
    {"ner_tags": {"feature": LABEL, "length": -1, "_type": "Sequence"}},
    {"ner_tags": [LABEL]},
]


def read_jsonl(path: Path, **options: Any) -> list[Sentence]:
    """All sentences of a file."""
    return list(records.read_jsonl(path, **options))


def read_arrow(path: Path, **options: Any) -> list[Sentence]:
    """All sentences of a data set."""
    return list(records.read_arrow(path, **options))


def table(tags: Any = NUMBERS, features: Any = None) -> pa.Table:
    made = pa.table({"id": range(len(TOKENS)), "tokens": TOKENS, "ner_tags": tags})
    if features is None:
        return made
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def write_stream(data: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, data.schema) as stream:
        stream.write_table(data)


def save_to_disk(folder: Path, *shards: pa.Table, features: Any, **state: Any) -> Path:
    """The layout that the datasets library's save_to_disk gives a split."""
    folder.mkdir()
    names = [f"data-{number:05}-of-{len(shards):05}.arrow" for number in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        write_stream(shard, folder / name)
    listed = {"_data_files": [{"filename": name} for name in names], "_split": None, **state}
    (folder / "state.json").write_text(json.dumps(listed))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    return folder


@pytest.mark.parametrize("features", FEATURES)
def test_a_saved_data_set(tmp_path: Path, features: Any) -> None:
    folder = save_to_disk(tmp_path / "train", table()[:1], table()[1:], features=features)
    assert read_arrow(folder) == SENTENCES


@pytest.mark.parametrize("features", FEATURES)
def test_files_tell_their_names(tmp_path: Path, features: Any) -> None:
    pq.write_table(table(features=features), tmp_path / "x.parquet", row_group_size=1)
    write_stream(table(features=features), tmp_path / "x.arrow")
    assert read_arrow(tmp_path / "x.parquet") == read_arrow(tmp_path / "x.arrow") == SENTENCES


def test_a_folder_of_files_in_order(tmp_path: Path) -> None:
    pq.write_table(table(features=FEATURES[0])[:1], tmp_path / "0000.parquet")
    pq.write_table(table(features=FEATURES[0])[1:], tmp_path / "0001.parquet")
    assert read_arrow(tmp_path) == SENTENCES


def test_each_file_of_a_folder_numbers_tags_as_it_says_itself(tmp_path: Path) -> None:
    turned = [[len(NAMES) - 1 - tag for tag in tags] for tags in NUMBERS]
    other = {"ner_tags": [LABEL | {"names": NAMES[::-1]}]}
    pq.write_table(table(features=FEATURES[0]), tmp_path / "0.parquet")
    pq.write_table(table(turned, features=other), tmp_path / "1.parquet")
    pq.write_table(table(turned), tmp_path / "2.parquet")  # says nothing: as the file before
    assert read_arrow(tmp_path) == 3 * SENTENCES


def test_a_folder_with_several_splits_is_refused(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
        pq.write_table(table(features=FEATURES[0]), tmp_path / f"{name}.parquet")
    with pytest.raises(UserError, match=r"holds several splits \(train, dev\); give the files of one"):
        read_arrow(tmp_path)
    (tmp_path / "validation-00000-of-00001.parquet").unlink()
    assert read_arrow(tmp_path) == SENTENCES * 2


def test_tags_may_be_names_and_names_may_be_given(tmp_path: Path) -> None:
    pq.write_table(table([[NAMES[n] for n in row] for row in NUMBERS]), tmp_path / "names.parquet")
    assert read_arrow(tmp_path / "names.parquet") == SENTENCES
    pq.write_table(table(), tmp_path / "numbers.parquet")
    assert read_arrow(tmp_path / "numbers.parquet", names=NAMES) == SENTENCES
    with pytest.raises(UserError, match="row 1: 'ner_tags' holds numbers without names"):
        read_arrow(tmp_path / "numbers.parquet")


def test_columns_are_chosen_and_missing_ones_listed(tmp_path: Path) -> None:
    data = table().rename_columns(["id", "words", "pos"])
    pq.write_table(data, tmp_path / "x.parquet")
    assert read_arrow(tmp_path / "x.parquet", word="words", tag="pos", names=NAMES) == SENTENCES
    with pytest.raises(
        UserError, match=r"x.parquet: has no column 'tokens' \(but id, words, pos\); set word"
    ):
        read_arrow(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ([[1, 2], [0], [], [0]], "row 4: has 2 words, but 1 tag"),
        ([[1, 2], [3], [], [0, 0]], "row 2: 'ner_tags' holds 3, but names are 0 to 2"),
        ([[1, 2], [-1], [], [0, 0]], "row 2: 'ner_tags' holds -1"),
        ([[1, 2], None, [], [0, 0]], "row 2: 'ner_tags' is not a list"),
        ([["O", "B_X"], ["O"], [], ["O", "O"]], "row 1: 'B_X' is not an iob2 tag"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, tags: Any, says: str) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table(tags), path)
    with pytest.raises(UserError, match=rf"^{path}: {says}"):
        read_arrow(path, names=NAMES)


def test_a_row_of_a_folder_is_named_by_its_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    empty = table()[:0]
    for name, tags in (("0", NUMBERS), ("2", [[1, 2], [0], [], [0]]), ("4", [[1, 2], [7], [], [0, 2]])):
        pq.write_table(table(tags), tmp_path / f"{name}.parquet")
        pq.write_table(empty, tmp_path / f"{name}-empty.parquet")
    problems: list[str] = []
    read_arrow(tmp_path, names=NAMES, report=problems.append)
    assert [problem.partition(": ")[::2] for problem in problems] == [
        (f"{tmp_path}/2.parquet", "row 4: has 2 words, but 1 tag; correct it"),
        (f"{tmp_path}/4.parquet", "row 2: 'ner_tags' holds 7, but names are 0 to 2; correct it"),
    ]
    (warning,) = caplog.messages
    assert warning.startswith(f"{tmp_path}/4.parquet: row 4: the first of 1 tag that breaks the scheme")


def test_damaged_data_sets_are_named(tmp_path: Path) -> None:
    write_stream(table(), tmp_path / "x.arrow")
    cut = tmp_path / "cut.arrow"
    cut.write_bytes((tmp_path / "x.arrow").read_bytes()[:-200])
    with pytest.raises(UserError, match=rf"^{cut}: is not a readable .arrow file"):
        read_arrow(cut, names=NAMES)
    html = tmp_path / "page.parquet"
    html.write_text("<html>")
    with pytest.raises(UserError, match=rf"^{html}: is not a readable .parquet file"):
        read_arrow(html)
    with pytest.raises(UserError, match="holds no Arrow or Parquet files"):
        read_arrow(tmp_path / "none")


@pytest.mark.parametrize("old_format", [False, True])
def test_a_stream_that_is_cut_between_batches_is_refused(tmp_path: Path, old_format: bool) -> None:
    """The last batch ends with the bytes of the mark itself, so that bytes alone do not tell."""
    data = pa.table({"tokens": [["a"]], "ner_tags": [["O"]], "id": pa.array([2**32 - 1], pa.int64())})
    whole, mark = tmp_path / "whole.arrow", 4 if old_format else 8
    options = pa.ipc.IpcWriteOptions(use_legacy_format=old_format)
    with pa.OSFile(str(whole), "wb") as sink, pa.ipc.new_stream(sink, data.schema, options=options) as stream:
        stream.write_table(data)
        stream.write_table(data)
    assert len(read_arrow(whole)) == 2
    cut = tmp_path / "cut.arrow"
    cut.write_bytes(whole.read_bytes()[:-mark])
    assert cut.read_bytes().endswith(b"\xff\xff\xff\xff\0\0\0\0")
    with pytest.raises(
        UserError, match=rf"^{cut}: lacks the mark of an Arrow stream's end, .*; fetch or save"
    ):
        read_arrow(cut)
    twice = tmp_path / "twice.arrow"
    twice.write_bytes(2 * whole.read_bytes())
    with pytest.raises(UserError, match=rf"^{twice}: goes on behind the end of its Arrow stream; give each"):
        read_arrow(twice)


def test_lists_that_reach_past_their_values(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    write_stream(pa.table({"tokens": [["a", "b"], ["c", "d", "e"]], "ner_tags": [[0, 1], [2]]}), path)
    data = path.read_bytes()
    offsets = struct.pack("<3i", 0, 2, 3)
    assert data.count(offsets) == 1
    path.write_bytes(data.replace(offsets, struct.pack("<3i", 0, 2, 5)))
    with pytest.raises(UserError, match=r"x.arrow: is not a readable .arrow file \(.*offset"):
        read_arrow(tmp_path / "x.arrow", names=NAMES)


def test_damaged_states_are_named(tmp_path: Path) -> None:
    folder = save_to_disk(
        tmp_path / "a", table(), features=FEATURES[0], _indices_data_files=[{"filename": "i"}]
    )
    with pytest.raises(UserError, match="flatten_indices"):
        read_arrow(folder)
    for content in (
        "",
        "[]",
        "{}",
        '{"_data_files": [{"filename": "../x.arrow"}]}',
        '{"_data_files": [{"filename": 1}]}',
    ):
        (folder / "state.json").write_text(content)
        with pytest.raises(UserError, match=re.escape(str(folder / "state.json"))):
            read_arrow(folder)


def write_lines(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_json_lines(tmp_path: Path) -> None:
    rows = [{"tokens": words, "ner_tags": tags} for words, tags in zip(TOKENS, NUMBERS, strict=True)]
    path = write_lines(tmp_path / "x.jsonl", rows[0], "", *rows[1:])
    assert read_jsonl(path, names=NAMES) == SENTENCES
    packed = tmp_path / "x.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_jsonl(packed, names=NAMES) == SENTENCES


@pytest.mark.parametrize("scheme", ["plain", "io"])
def test_a_tag_that_is_none_of_the_names_given_is_refused(tmp_path: Path, scheme: str) -> None:
    """A number in quotes, which would be a tag itself where any text is one."""
    path = write_lines(tmp_path / "x", {"tokens": ["a", "b"], "ner_tags": [1, "1"]})
    with pytest.raises(UserError, match=rf"^{path}:1: 'ner_tags' holds '1', which is not one of the names"):
        read_jsonl(path, names=["O", "X"], scheme=scheme)
    path = write_lines(tmp_path / "y", {"tokens": ["a", "b"], "ner_tags": [1, "X"]})
    assert read_jsonl(path, names=["O", "X"], scheme="plain")[0].tags == ("X", "X")


def test_json_lines_of_utf_8_that_are_read_as_latin_1(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_lines(tmp_path / "x", '{"tokens": ["Zoë"], "ner_tags": ["O"]}')
    read_jsonl(path, encoding="latin-1")
    assert caplog.messages == [f"{path}:1: is also valid UTF-8; set encoding: utf-8 if words look wrong"]


def test_json_lines_in_other_schemes(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x", {"w": ["a", "b"], "t": ["I-X", "I-X"]})
    assert read_jsonl(path, word="w", tag="t", scheme="iob1")[0].tags == ("B-X", "I-X")
    assert read_jsonl(path, word="w", tag="t", scheme="plain")[0].tags == ("I-X", "I-X")
    with pytest.raises(UserError, match=rf"^{path}:1: 'I-X' breaks the scheme iob2"):
        read_jsonl(path, word="w", tag="t", strict=True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ([{"tokens": ["a"], "ner_tags": [0]}], "is a JSON array; write an object on each line, .*jq -c"),
        ("[" * 100_000, "is not JSON"),
        ('{"tokens": [' + "9" * 5000 + '], "ner_tags": []}', "is not JSON"),
        ("[]", "is not an object with 'tokens' and 'ner_tags'"),
        ({"tokens": ["a"]}, "is not an object with 'tokens' and 'ner_tags'"),
        ({"tokens": "a", "ner_tags": ["O"]}, "'tokens' is not a list of words"),
        ({"tokens": [1], "ner_tags": ["O"]}, "'tokens' is not a list of words"),
        ('{"tokens": ["\\ud800"], "ner_tags": ["O"]}', "a lone surrogate"),
        ({"tokens": ["a"], "ner_tags": "O"}, "'ner_tags' is not a list of tags"),
        ({"tokens": ["a"], "ner_tags": [True]}, "'ner_tags' is not a list of tags"),
        ({"tokens": ["a"], "ner_tags": ["O", "O"]}, "has 1 word, but 2 tags"),
        ({"tokens": ["a"], "ner_tags": [0]}, "holds numbers without names"),
        ({"tokens": ["a"], "ner_tags": ["PER"]}, "'PER' is not an iob2 tag"),
    ],
)
def test_bad_json_lines_are_named(tmp_path: Path, line: Any, says: str) -> None:
    good = {"tokens": ["a"], "ner_tags": ["O"]}
    path = write_lines(tmp_path / "x", good, line, good)
    with pytest.raises(UserError, match=rf"^{path}:2: .*{says}") as caught:
        read_jsonl(path)
    assert "\n" not in str(caught.value)
    problems: list[str] = []
    assert len(read_jsonl(path, report=problems.append)) == 2
    assert problems == [str(caught.value)]


def test_a_file_of_empty_sentences_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x", {"tokens": [], "ner_tags": []})
    with pytest.raises(UserError, match=rf"^{path}: holds no sentence"):
        read_jsonl(path)


def test_empty_words_are_left_out_with_a_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"tokens": ["Ida", "", "left"], "ner_tags": ["B-X", "O", "O"]},
        {"tokens": ["", "May", "", "ran"], "ner_tags": ["B-X", "I-X", "I-X", "I-X"]},
        {"tokens": [""], "ner_tags": ["O"]},
        {"tokens": ["A", "", "", "C", "D"], "ner_tags": ["B-X", "B-X", "I-X", "I-X", "I-X"]},
    ]
    says = "holds the first empty word of 6; empty words are left out with their tags"
    wanted = [Sentence(("Ida", "left"), ("B-X", "O")), Sentence(("May", "ran"), ("B-X", "I-X"))]
    wanted.append(Sentence(("A", "C", "D"), ("B-X", "B-X", "I-X")))  # two spans, as before
    path = write_lines(tmp_path / "x.jsonl", *rows)
    assert read_jsonl(path, strict=True) == wanted
    assert caplog.messages == [f"{path}:1: {says}"]
    caplog.clear()
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({key: [row[key] for row in rows] for key in rows[0]}), path)
    assert read_arrow(path, strict=True) == wanted
    assert caplog.messages == [f"{path}: row 1: {says}"]
    assert read_jsonl(write_lines(tmp_path / "y", rows[0]), scheme="plain")[0].tags == ("B-X", "O")
    plain = {"tokens": ["Ida", "", "left"], "ner_tags": ["NN", "X", "I-VB"]}
    assert read_jsonl(write_lines(tmp_path / "y", plain), scheme="plain")[0].tags == ("NN", "I-VB")


def test_what_cannot_be_seen_in_a_tag_is_refused(tmp_path: Path) -> None:
    for tag in ("B-PER ", "B-PER\u200b", "B-\ud800"):
        path = write_lines(tmp_path / "x", {"tokens": ["a"], "ner_tags": [tag]})
        with pytest.raises(UserError, match=rf"^{path}:1: the tag ") as caught:
            read_jsonl(path)
        assert str(caught.value).isprintable()


def test_a_line_of_any_length_is_bounded(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x", {"tokens": ["a" * 1_000_001], "ner_tags": ["O"]})
    with pytest.raises(UserError, match=r"x:1: is longer than 1,000,000 characters"):
        read_jsonl(path)


@pytest.mark.parametrize("name", ["f.PARQUET", "f.pq", "f.arrow", "f.feather", "stream"])
def test_a_file_is_known_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    path, data = tmp_path / name, table(features=FEATURES[0])
    if name.lower().endswith(("parquet", "pq")):
        pq.write_table(data, path)
    elif name == "stream":
        write_stream(data, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, data.schema) as writer:
            writer.write_table(data)
    assert [sentence.words for sentence in read_arrow(path)] == [("a", "b"), ("c",), ("d", "e")]
