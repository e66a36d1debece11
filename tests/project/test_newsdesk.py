"""The embedded corpus keeps what its README promises, and make.py writes it again to the byte."""

import importlib.util
import re
from itertools import chain, pairwise
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.corpora.settings import Unlabelled
from pipeline.corpora.unlabelled_text import read_unlabelled
from pipeline.params import load_params

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "newsdesk"
SPLITS = {"train": 1500, "dev": 300, "test": 400}
CHUNKS = {"NP", "VP", "PP", "ADJP", "ADVP", "SBAR", "PRT", "CONJP", "INTJ", "LST"}
ENTITIES = {"PER", "LOC", "ORG", "MISC"}
PENN = re.compile(
    r"CC|CD|DT|EX|FW|IN|JJ[RS]?|LS|MD|NNP?S?|PDT|POS|PRP\$?|RB[RS]?|RP|SYM|TO|UH|VB[DGNPZ]?|WDT|WP\$?|WRB"
    r'|[.,:()"$#]'
)
MARKS = {",", ";", ":", "?", "!", '"', "(", ")", "...", "--"}
Row = list[str]


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("newsdesk_make", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(split: str) -> list[list[Row]]:
    blocks = (FOLDER / f"{split}.conll").read_bytes().decode("utf-8").split("\n\n")
    assert blocks.pop() == "", "a blank line ends the last sentence, and nothing follows it"
    return [[line.split(" ") for line in block.split("\n")] for block in blocks]


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[list[Row]]]:
    return {split: read(split) for split in SPLITS}


def read_text() -> list[list[str]]:
    content = (FOLDER / "text.txt").read_bytes().decode("utf-8")
    assert content.endswith("\n")
    return [line.split(" ") for line in content[:-1].split("\n")]


def entities(sentences: list[list[Row]]) -> set[tuple[str, str]]:
    """Return the distinct (type, words in lower case)."""
    found = []
    for sentence in sentences:
        for word, _, _, tag in sentence:
            if tag.startswith("B-"):
                found.append((tag[2:], [word.lower()]))
            elif tag.startswith("I-"):
                found[-1][1].append(word.lower())
    return {(kind, " ".join(words)) for kind, words in found}


def plain(sentence: list[Row]) -> str:
    return " ".join(row[0] for row in sentence).lower()


@pytest.mark.parametrize("split", SPLITS)
def test_format(split, corpus):
    sentences = corpus[split]
    assert len(sentences) >= SPLITS[split]
    for sentence in sentences:
        for row in sentence:
            assert len(row) == 4, row
            assert all(row), row
            assert PENN.fullmatch(row[1]), row
            assert "DOCSTART" not in row[0]
            assert row[0] == "$" or not set(row[0]) & set("[]{}$"), row


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("column", "types"), [(2, CHUNKS), (3, ENTITIES)])
def test_columns_are_iob2(split, column, types, corpus):
    for sentence in corpus[split]:
        previous = "O"
        for row in sentence:
            tag = row[column]
            if tag != "O":
                assert tag[:2] in {"B-", "I-"}, row
                assert tag[2:] in types, row
            if tag.startswith("I-"):
                assert previous[2:] == tag[2:], plain(sentence)
            previous = tag
    seen = {row[column][2:] for sentence in corpus["train"] for row in sentence if row[column] != "O"}
    assert seen == types


@pytest.mark.parametrize("split", SPLITS)
def test_lengths_are_varied_and_in_range(split, corpus):
    lengths = [len(sentence) for sentence in corpus[split]]
    assert min(lengths) >= 5
    assert max(lengths) <= 45
    assert len(set(lengths)) >= 20


def test_no_sentence_stands_twice(corpus):
    sentences = [plain(sentence) for split in SPLITS for sentence in corpus[split]]
    assert len(sentences) == len(set(sentences))


def test_most_test_entities_are_unseen(corpus):
    train = {words for _, words in entities(corpus["train"])}
    test = {words for _, words in entities(corpus["test"])}
    assert len(test - train) > 0.6 * len(test)


def test_names_are_ambiguous(corpus):
    train, test = entities(corpus["train"]), entities(corpus["test"])
    kinds: dict[str, set[str]] = {}
    for kind, words in test:
        kinds.setdefault(words, set()).add(kind)
    assert sum(len(types) > 1 for types in kinds.values()) >= 50
    other_in_train = {
        w for k, w in test if any((o, w) in train for o in ENTITIES - {k}) and (k, w) not in train
    }
    assert other_in_train, "some names of the test split have another type in training"


def test_articles_fit_the_next_word(corpus):
    for split in SPLITS:
        for sentence in corpus[split]:
            for row, following in pairwise(sentence):
                if row[1] == "DT" and following[0].isalpha() and row[0].lower() in {"a", "an"}:
                    vowel = following[0][0].lower() in "aeiou"
                    odd = (
                        following[0].lower().startswith(("uni", "us", "eu", "one", "hour", "honest", "heir"))
                    )
                    assert (row[0].lower() == "an") == (vowel != odd), plain(sentence)


@pytest.mark.parametrize("headlines", [str.islower, str.isupper])
def test_headlines_in_one_case(headlines, corpus):
    words = [" ".join(row[0] for row in sentence) for sentence in corpus["test"]]
    assert sum(map(headlines, words)) >= 10


def test_make_writes_the_same_bytes(make, tmp_path):
    make.main(tmp_path)
    for name in ["train.conll", "dev.conll", "test.conll", "text.txt", "counts.md"]:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_composed_sentences_lead_the_file(make, corpus):
    composed = make.composed("test", make.read_lexicon())
    assert len(composed) >= 150
    assert [[list(token) for token in sentence] for sentence in composed] == corpus["test"][: len(composed)]


def test_the_counts_are_those_of_the_files(corpus):
    table = {}
    of_splits = (FOLDER / "counts.md").read_text(encoding="utf-8").split("\n\n")[0]
    for line in of_splits.splitlines()[2:]:
        name, *figures = [cell.strip() for cell in line.strip("|").split("|")]
        table[name] = [int(figure.replace(",", "")) for figure in figures if figure]
    for position, split in enumerate(SPLITS):
        rows = [row for sentence in corpus[split] for row in sentence]
        assert table["sentences"][position] == len(corpus[split])
        assert table["words"][position] == len(rows)
        for kind in ENTITIES:
            assert table[f"entities: {kind}"][position] == sum(row[3] == f"B-{kind}" for row in rows)
    text = read_text()
    assert table["sentences"][3] == len(text)
    assert table["words"][3] == sum(map(len, text))
    assert all(len(figures) == 3 for name, figures in table.items() if ":" in name)


def test_the_text_has_3000_sentences_of_separate_words():
    text = read_text()
    assert len(text) == 3000
    for words in text:
        assert 5 <= len(words) <= 45, words
        assert all(words), f"single spaces separate words: {words}"
        for word in words:
            assert re.fullmatch(r"\S+", word), words
            assert not re.search(r"[][{}<>~]|\$.|/[A-Z.,:()\"]+\$?$", word), f"notation of make.py: {words}"
            assert word in MARKS or word[-1] not in ',;:?!"()', f"a mark is a word: {words}"


def test_the_text_stands_in_no_split_and_no_sentence_of_it_twice(corpus):
    splits = {plain(sentence) for split in SPLITS for sentence in corpus[split]}
    text = [" ".join(words).lower() for words in read_text()]
    assert len(text) == len(set(text))
    assert not splits & set(text)


def test_most_names_of_the_text_are_in_no_split(make):
    corpus = make.build(make.read_lexicon())
    text = make.build_text(corpus, make.read_lexicon())
    known = set(chain.from_iterable(map(make.names, corpus.values())))
    found = make.names(sentence for _, sentence in text.drawn)
    assert sum(name not in known for name in found) > 0.6 * len(found)


def test_the_stages_read_the_words_of_the_text():
    newsdesk = load_params(ROOT / "params.yaml").corpora["newsdesk"]
    read = read_unlabelled(FOLDER / "text.txt", "text.txt", Unlabelled(), newsdesk)
    assert [list(words) for words in read.sentences] == read_text()


def test_notation_lets_entities_cross_chunks(make):
    tokens = make.annotate(
        "[NP a/DT {ORG House ] [PP of ] [NP Deputies} vote] [VP failed] .", make.read_lexicon()
    )
    assert [tuple(token) for token in tokens] == [
        ("A", "DT", "B-NP", "O"),
        ("House", "NNP", "I-NP", "B-ORG"),
        ("of", "IN", "B-PP", "I-ORG"),
        ("Deputies", "NNP", "B-NP", "I-ORG"),
        ("vote", "NN", "I-NP", "O"),
        ("failed", "VBD", "B-VP", "O"),
        (".", ".", "O", "O"),
    ]


@pytest.mark.parametrize("text", ["[NP open", "closed ]", "[XP what]", "[NP a [NP b]]", "{PER a {LOC b}}"])
def test_notation_refuses_brackets_that_do_not_match(make, text):
    with pytest.raises(ValueError, match=r"stays open|closes nothing|is no type"):
        make.annotate(text, {})


@pytest.mark.parametrize(
    ("following", "article"),
    [("hour", "an"), ("union", "a"), ("unnamed", "an"), ("European", "a"), ("18", "an")],
)
def test_article(make, following, article):
    assert make.article("a", following) == article
