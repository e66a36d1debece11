"""JSON Lines, Arrow and Parquet records come in as sentences, or one line says which record is wrong."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora import records
from pipeline.corpora.tagging import Sentence
from pipeline.errors import UserError
from tests.helpers.arrow_data import save_to_disk, write_stream

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
