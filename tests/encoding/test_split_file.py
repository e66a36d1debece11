"""Files give back what was written, and what is no encoded split is refused."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.encoding.batching import Batches
from pipeline.encoding.settings import Prepare
from pipeline.encoding.split_file import WordsDigest, load, read_column, read_words_digest
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from pipeline.errors import UserError
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_inputs import write_split


def test_files_give_back_tags_tag_set_and_vocabulary(bert, tmp_path):
    split = sentences(9)
    encoded = write_split(tmp_path / "split.parquet", split, bert)

    assert len(encoded) == 9
    assert encoded.tag_set == TAG_SET
    assert encoded.layout == input_layout(load_tokenizer(bert), bert, Prepare(window=40, overlap=6))
    assert encoded.tags is not None
    assert TAG_SET.names(encoded.tags.in_memory().values.tolist()) == [
        tag for sentence in split for tag in sentence.tags or ()
    ]
    assert encoded.tags.lengths.tolist() == encoded.lengths.tolist()
    assert read_column(tmp_path / "split.parquet", "tags") == [
        list(sentence.tags or ()) for sentence in split
    ]
    words = pq.read_table(tmp_path / "split.parquet")["words"].to_pylist()
    assert words == [list(sentence.words) for sentence in split]


def test_the_same_split_is_the_same_file(bert, tmp_path):
    for name in "ab":
        write_split(tmp_path / name, sentences(9), bert)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_unlabelled_split_has_no_tags(bert, tmp_path):
    split = [Sentence(sentence.words) for sentence in sentences(5)]
    encoded = write_split(tmp_path / "split.parquet", split, bert)

    assert encoded.tags is None
    assert encoded.lengths.tolist() == [len(sentence.words) for sentence in split]


def test_a_tag_that_only_this_split_has_is_kept_for_scoring_and_no_id(bert, tmp_path):
    split = [Sentence(("ba", "Ne", "ri"), ("O", "B-PER", "B-ORG"))]
    encoded = write_split(tmp_path / "split.parquet", split, bert, tag_set=TagSet(("O", "B-PER", "I-PER")))

    assert encoded.tags is not None
    assert encoded.tags.in_memory().values.tolist() == [0, 1, -1]
    assert read_column(tmp_path / "split.parquet", "tags") == [["O", "B-PER", "B-ORG"]]


@pytest.mark.parametrize("content", [b"", b"PAR1 but no Parquet"])
def test_a_file_that_is_no_split_is_refused(content, tmp_path):
    (tmp_path / "split.parquet").write_bytes(content)
    with pytest.raises(UserError, match=r"split\.parquet: not an encoded split .*run `dvc repro prepare`"):
        load(tmp_path / "split.parquet")


@pytest.mark.parametrize("metadata", [None, {"pandas": "{}"}])
def test_a_parquet_file_of_something_else_is_refused(metadata, tmp_path):
    pq.write_table(
        pa.table({"words": [["ba"]]}).replace_schema_metadata(metadata), tmp_path / "other.parquet"
    )
    with pytest.raises(UserError, match=r"other\.parquet: not an encoded split"):
        load(tmp_path / "other.parquet")


@pytest.mark.parametrize("damage", [lambda facts: facts.pop("layout"), lambda facts: facts["layout"].clear()])
def test_a_split_without_its_layout_is_refused(damage, bert, tmp_path):
    path = tmp_path / "split.parquet"
    write_split(path, [Sentence(("ba",), ("O",))], bert)
    table = pq.read_table(path)
    ((key, value),) = [item for item in pq.read_metadata(path).metadata.items() if b"layout" in item[1]]
    facts = json.loads(value)
    damage(facts)
    pq.write_table(table.replace_schema_metadata({key: json.dumps(facts)}), path)
    with pytest.raises(UserError, match=r"split\.parquet: not an encoded split"):
        load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"gone\.parquet: not an encoded split"):
        load(tmp_path / "gone.parquet")


def words_digest(words):
    digest = WordsDigest()
    digest.update(words)
    return digest.hex()


def test_the_hash_of_words_depends_on_the_words_alone(bert, tmp_path):
    words = [list(sentence.words) for sentence in sentences(9)]
    column = pa.chunked_array([pa.array(words)])
    digest = words_digest(column)
    pieces = pa.chunked_array([column.slice(0, 4).combine_chunks(), column.slice(4).combine_chunks()])
    assert words_digest(pieces) == digest
    assert words_digest(pa.chunked_array([column.chunks[0].slice(0, 4), column.chunks[0].slice(4)])) == digest
    write_split(tmp_path / "split.parquet", sentences(9), bert)
    assert read_words_digest(tmp_path / "split.parquet") == digest
    moved = [[words[0][0] + words[0][1][0], words[0][1][1:], *words[0][2:]], *words[1:]]  # a letter
    others = (
        words[:-1],
        words[::-1],
        moved,
        [words[0] + words[1], *words[2:]],
        [["".join(words[0])], *words[1:]],
    )
    assert all(words_digest(pa.chunked_array([pa.array(other)])) != digest for other in others)


def test_a_split_without_sentences_is_kept_with_its_tag_set(bert, tmp_path):
    encoded = write_split(tmp_path / "train.parquet", [], bert)
    assert len(encoded) == 0
    assert encoded.tag_set == TAG_SET
    batches = Batches(encoded, 4)
    assert (len(batches), batches.sentences, [*batches.in_order()], [*batches.shuffled(1)]) == (0, 0, [], [])
    assert read_column(tmp_path / "train.parquet", "tags") == []
