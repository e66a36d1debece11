import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import f1_score as sklearn_f1  # type: ignore[import-untyped]

from pipeline.corpora.tagging import spans
from pipeline.evaluation.metrics import compute_metrics, confusion, sentence_counts

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-X-Y", "I-X-Y"]
pairs = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12),
    min_size=1,
    max_size=6,
)


def split(corpus):
    return [[g for g, _ in s] for s in corpus], [[p for _, p in s] for s in corpus]


class Conlleval:
    """conlleval.pl (2004), transcribed: one pass over the lines, an empty line after each sentence."""

    def __init__(self, gold, predicted):
        self.correct, self.found_gold, self.found_guess = Counter[str](), Counter[str](), Counter[str]()
        self.tokens = self.correct_tags = 0
        in_correct = False
        last_gold, last_gold_type, last_guess, last_guess_type = "O", "", "O", ""
        for gold_tag, guess_tag in self.lines(gold, predicted):
            boundary = gold_tag is None
            gold_tag, gold_type = self.parse("O" if boundary else gold_tag)
            guess_tag, guess_type = self.parse("O" if boundary else guess_tag)
            if in_correct:
                gold_ends = self.ends(last_gold, gold_tag, last_gold_type, gold_type)
                guess_ends = self.ends(last_guess, guess_tag, last_guess_type, guess_type)
                if gold_ends and guess_ends and last_guess_type == last_gold_type:
                    in_correct = False
                    self.correct[last_gold_type] += 1
                elif gold_ends != guess_ends or guess_type != gold_type:
                    in_correct = False
            gold_starts = self.starts(last_gold, gold_tag, last_gold_type, gold_type)
            guess_starts = self.starts(last_guess, guess_tag, last_guess_type, guess_type)
            if gold_starts and guess_starts and guess_type == gold_type:
                in_correct = True
            self.found_gold[gold_type] += gold_starts
            self.found_guess[guess_type] += guess_starts
            if not boundary:
                self.correct_tags += gold_tag == guess_tag and gold_type == guess_type
                self.tokens += 1
            last_gold, last_gold_type, last_guess, last_guess_type = (
                gold_tag,
                gold_type,
                guess_tag,
                guess_type,
            )

    @staticmethod
    def lines(gold, predicted):
        for gold_tags, guess_tags in zip(gold, predicted, strict=True):
            yield from zip(gold_tags, guess_tags, strict=True)
            yield None, None

    @staticmethod
    def parse(tag):
        match = re.fullmatch(r"([^-]*)-(.*)", tag)
        return match.groups() if match else (tag, "")

    @staticmethod
    def ends(last, tag, last_type, kind):
        return (last, tag) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")} or (
            last not in ("O", ".") and last_type != kind
        )

    @staticmethod
    def starts(last, tag, last_type, kind):
        return (last, tag) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")} or (
            tag not in ("O", ".") and last_type != kind
        )

    def rates(self, kind=None):
        of = (lambda c: c.total()) if kind is None else (lambda c: c[kind])
        hits, guessed, gold = of(self.correct), of(self.found_guess), of(self.found_gold)
        precision = 100 * hits / guessed if guessed else 0.0
        recall = 100 * hits / gold if gold else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return precision, recall, f1


@given(pairs)
def test_scores_are_conllevals(corpus):
    gold, predicted = split(corpus)
    scores, script = compute_metrics(gold, predicted, scheme="iob2"), Conlleval(gold, predicted)
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx(script.rates())
    assert scores.accuracy == pytest.approx(100 * script.correct_tags / script.tokens)
    for kind, rates in scores.types.items():
        assert (rates.precision, rates.recall, rates.f1) == pytest.approx(script.rates(kind))
        assert (rates.gold, rates.predicted) == (script.found_gold[kind], script.found_guess[kind])
    assert set(scores.types) == {k for k, n in (script.found_gold + script.found_guess).items() if n}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore::UserWarning")
@given(pairs)
def test_scores_are_seqevals_default_mode(corpus):
    gold, predicted = split(corpus)
    scores = compute_metrics(gold, predicted, scheme="iob2")
    assert scores.precision == pytest.approx(100 * precision_score(gold, predicted, zero_division=0))
    assert scores.recall == pytest.approx(100 * recall_score(gold, predicted, zero_division=0))
    assert scores.f1 == pytest.approx(100 * f1_score(gold, predicted, zero_division=0))
    for tags in gold:
        assert spans(tags, scheme="iob2") == {(k, a, b + 1) for k, a, b in get_entities(tags)}


def test_an_orphan_inside_tag_starts_a_span():
    assert spans(["I-PER", "I-LOC", "I-LOC", "O", "I-LOC", "B-LOC"], scheme="iob2") == {
        ("PER", 0, 1), ("LOC", 1, 3), ("LOC", 4, 5), ("LOC", 5, 6),
    }  # fmt: skip


def test_hand_counted_sentence():
    gold = [["B-PER", "I-PER", "O", "B-LOC", "O"]]
    predicted = [["B-PER", "O", "O", "B-LOC", "B-LOC"]]
    scores = compute_metrics(gold, predicted, scheme="iob2")
    assert scores.precision == pytest.approx(100 / 3)
    assert scores.recall == pytest.approx(50)
    assert scores.f1 == pytest.approx(40)
    assert scores.token_f1 == pytest.approx(200 / 3)  # 2 of 3 predicted and 2 of 3 gold words
    assert scores.accuracy == pytest.approx(60)
    assert (scores.types["LOC"].recall, scores.types["PER"].recall) == (100, 0)


@given(pairs)
def test_token_f1_is_the_micro_f1_over_words_that_are_not_o(corpus):
    flat = [pair for sentence in corpus for pair in sentence]
    labels = [tag for tag in TAGS if tag != "O"]
    expected = sklearn_f1(*zip(*flat, strict=True), labels=labels, average="micro", zero_division=0)
    assert compute_metrics(*split(corpus), scheme="iob2").token_f1 == pytest.approx(100 * expected)


@given(pairs)
def test_plain_tags_score_every_word(corpus):
    gold, predicted = split(corpus)
    scores = compute_metrics(gold, predicted, scheme="plain")
    words = [g == p for sentence in corpus for g, p in sentence]
    accuracy = pytest.approx(100 * sum(words) / len(words))
    assert scores.accuracy == accuracy
    for value in (scores.precision, scores.recall, scores.f1, scores.token_f1):
        assert value == accuracy


def test_nothing_found_scores_zero_not_an_error():
    scores = compute_metrics([["O", "O"]], [["O", "O"]], scheme="iob2")
    assert (scores.precision, scores.recall, scores.f1, scores.token_f1, scores.accuracy) == (0, 0, 0, 0, 100)
    assert scores.types == {}
    assert compute_metrics([], [], scheme="iob2").accuracy == 0


@given(pairs)
def test_sentence_counts_add_up_to_the_score(corpus):
    gold, predicted = split(corpus)
    counts = sentence_counts(gold, predicted, scheme="iob2")
    hits, guessed, found = counts.sum(0)
    assert counts.shape == (len(gold), 3)
    assert compute_metrics(gold, predicted, scheme="iob2").f1 == pytest.approx(
        200 * hits / max(guessed + found, 1)
    )
    for row, *sentence in zip(counts, gold, predicted, strict=True):
        script = Conlleval([sentence[0]], [sentence[1]])
        totals = (script.correct.total(), script.found_guess.total(), script.found_gold.total())
        assert tuple(row) == totals


def test_confusion_has_one_row_per_word():
    rows = confusion([["O", "B-X"], ["O"]], [["O", "O"], ["B-X"]])
    assert list(rows) == [("O", "O"), ("B-X", "O"), ("O", "B-X")]


@pytest.mark.parametrize("function", [compute_metrics, sentence_counts])
def test_unequal_shapes_are_refused(function):
    with pytest.raises(ValueError, match="2 gold sentences but 1"):
        function([["O"], ["O"]], [["O"]], scheme="iob2")
    with pytest.raises(ValueError, match="sentence 1 has 1 gold tags but 2"):
        function([["O"], ["O"]], [["O"], ["O", "O"]], scheme="iob2")


@pytest.mark.parametrize("tag", ["PER", "E-PER", "B", "I-", "", "b-PER"])
def test_foreign_tags_are_refused(tag):
    with pytest.raises(ValueError, match="not an IOB2 tag"):
        compute_metrics([["O", tag]], [["O", "O"]], scheme="iob2")
