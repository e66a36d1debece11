"""Batches hold every word once and whole, in windows where sentences are too long, with little padding."""

import random
import tracemalloc
from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.encoding import batching
from pipeline.encoding.batching import POOL, Batches
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.input_layout import InputLayout
from pipeline.encoding.split_file import load
from pipeline.storage.ragged import Ragged
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_inputs import tagger, write_split

CLS, SEP, PAD = 1_000_000, 1_000_001, 1_000_002


def numbered(word_sizes: list[list[int]], window: int = 12, overlap: int = 4) -> Encoded:
    """Sentences of words of these many pieces; pieces are numbered through."""
    sizes = torch.tensor([sum(sentence) for sentence in word_sizes])
    first = [sum(sentence[:word]) for sentence in word_sizes for word in range(len(sentence))]
    words = torch.tensor([len(sentence) for sentence in word_sizes])
    return Encoded(
        pieces=Ragged.of(torch.arange(int(sizes.sum())), sizes),
        first=Ragged.of(torch.tensor(first), words),
        tags=Ragged.of(torch.arange(int(words.sum())) % len(TAG_SET), words),
        tag_set=TAG_SET,
        layout=InputLayout((CLS,), (SEP,), PAD, 0, window, overlap, "numbered"),
    )


def rows_of(batch) -> list[list[int]]:
    """The pieces of each encoder input, after a check of what stands around them."""
    rows = []
    for ids, mask in zip(batch.input_ids.tolist(), batch.attention_mask.tolist(), strict=True):
        size = sum(mask)
        assert mask == [1] * size + [0] * (len(mask) - size)
        assert (ids[0], ids[size - 1]) == (CLS, SEP)
        assert set(ids[size:]) <= {PAD}
        rows.append(ids[1 : size - 1])
    return rows


def expected_rows(sizes: list[int], capacity: int, overlap: int) -> list[tuple[int, int]]:
    """Windows over one sentence by the rule, as (first word, last word + 1): each takes all words that fit.

    The next starts with as many of its last words as the overlap has room for, but not with so many that the
    next word would not fit, nor with all of them.
    """
    windows, start = [], 0
    while True:
        stop = max(end for end in range(start + 1, len(sizes) + 1) if fits(sizes[start:end], capacity))
        windows.append((start, stop))
        if stop == len(sizes):
            return windows
        start = min(
            again
            for again in range(start + 1, stop + 1)
            if again == stop
            or (sum(sizes[again:stop]) <= overlap and sum(sizes[again : stop + 1]) <= capacity)
        )


def fits(sizes: list[int], capacity: int) -> bool:
    return len(sizes) == 1 or sum(sizes) <= capacity


word_sizes = st.lists(st.integers(1, 5) | st.integers(9, 12), min_size=1, max_size=30)


@settings(max_examples=300)
@given(st.lists(word_sizes, min_size=1, max_size=4), st.integers(8, 14), st.integers(0, 4))
def test_windows_follow_the_rule_and_every_word_is_read_once(split, window, overlap):
    """Checked in the batch itself: its rows are the windows, its index points to each word's first piece."""
    batches = Batches(numbered(split, window, overlap), 4)
    order = list(range(len(split)))[::-1]
    batch = batches.collate(torch.tensor(order))
    rows = rows_of(batch)
    width = batch.input_ids.shape[1]

    row = 0
    offsets = batches.encoded.pieces.in_memory().offsets.tolist()
    for place, sentence in enumerate(order):
        sizes = split[sentence]
        starts = [offsets[sentence] + sum(sizes[:word]) for word in range(len(sizes) + 1)]
        windows = expected_rows(sizes, window - 2, overlap)
        if sum(sizes) <= window - 2:
            assert windows == [(0, len(sizes))]
        for number, (start, stop) in enumerate(windows):
            pieces = list(range(starts[start], starts[stop]))[: window - 2]
            assert rows[row + number] == pieces
        for word in range(len(sizes)):
            at = divmod(int(batch.word_index[place, word]), width)
            assert int(batch.input_ids[at]) == starts[word]
            assert windows[at[0] - row][0] <= word < windows[at[0] - row][1]
        row += len(windows)
    assert row == len(rows)


@pytest.mark.parametrize(
    ("overlap", "read_in"),
    [
        (4, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]),  # windows 0-9, 6-15, 12-17
        (3, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2]),  # windows 0-9, 7-16, 14-17
        (0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]),  # windows 0-9, 10-17
    ],
)
def test_a_word_in_two_windows_is_read_where_it_has_more_context(overlap, read_in):
    batch = Batches(numbered([[1] * 18], 12, overlap), 1).collate(torch.tensor([0]))
    assert (batch.word_index[0] // batch.input_ids.shape[1]).tolist() == read_in


def test_a_word_longer_than_a_window_keeps_its_first_pieces():
    batch = Batches(numbered([[25], [2, 30, 2]]), 2).collate(torch.tensor([0, 1]))

    assert rows_of(batch) == [list(range(10)), [25, 26], list(range(27, 37)), [57, 58]]
    first = batch.input_ids.flatten()[batch.word_index]
    assert first[0, 0] == 0
    assert first[1].tolist() == [25, 27, 57]


def test_each_window_reads_a_word_that_no_earlier_one_did():
    """Even where a long word follows a full overlap."""
    batch = Batches(numbered([[1] * 10 + [9] + [1] * 10]), 1).collate(torch.tensor([0]))
    ends = [row[-1] for row in rows_of(batch)]
    assert ends == sorted(set(ends))
    assert len(set((batch.word_index[0] // batch.input_ids.shape[1]).tolist())) == len(ends)


def test_five_thousand_words_have_one_emission_each(bert, tmp_path):
    long = sentences(1, shortest=5000, longest=5000)[0]
    encoded = write_split(tmp_path / "long.parquet", [long], bert)
    batch = Batches(encoded, 4).collate(torch.tensor([0]))
    with torch.inference_mode():
        chain = tagger(bert, encoded).chain(batch)

    assert chain.emissions.shape == (1, 5000, len(TAG_SET))
    assert len(batch.word_index.unique()) == 5000
    assert batch.input_ids.shape[1] == encoded.layout.window
    assert chain.viterbi()[1].shape == (1, 5000)


def test_a_long_sentence_is_glued_from_what_the_encoder_says_of_each_window(bert, tmp_path):
    encoded = write_split(tmp_path / "long.parquet", sentences(1, shortest=60, longest=60), bert)
    model = tagger(bert, encoded)
    batch = Batches(encoded, 4).collate(torch.tensor([0]))
    first = encoded.pieces.in_memory().values[encoded.first.in_memory().values]
    with torch.inference_mode():
        emissions = model.chain(batch).emissions[0]
        for word, at in enumerate(batch.word_index[0].tolist()):
            row, column = divmod(at, batch.input_ids.shape[1])
            size = int(batch.attention_mask[row].sum())
            alone = model.encoder(batch.input_ids[row : row + 1, :size]).last_hidden_state[0, column]
            assert batch.input_ids[row, column] == first[word]
            torch.testing.assert_close(emissions[word], model.emission(alone), rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def mixed(bert, tmp_path_factory):
    """Short and long sentences, some cut into windows, with a tagger."""
    split = sentences(10, seed=3) + sentences(2, seed=4, shortest=30, longest=50) + sentences(4, longest=2)
    encoded = write_split(tmp_path_factory.mktemp("mixed") / "split.parquet", split, bert)
    return Batches(encoded, 32), tagger(bert, encoded)


def scores(model, batch):
    """log Z, gold score and emissions of each sentence."""
    with torch.inference_mode():
        chain = model.chain(batch)
        emissions = [row[:length] for row, length in zip(chain.emissions, batch.lengths, strict=True)]
        return chain.log_partition(), chain.score(batch.tags), emissions


def test_neither_padding_nor_neighbours_nor_order_change_a_sentence(mixed):
    batches, model = mixed
    ids = torch.arange(len(batches.encoded))
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(5))
    together, shuffled = (scores(model, batches.collate(rows)) for rows in (ids, order))
    for row in ids.tolist():
        alone = scores(model, batches.collate(torch.tensor([row])))
        place = int((order == row).nonzero())
        for one, two, three in zip(alone, together, shuffled, strict=True):
            torch.testing.assert_close(one[0], two[row], rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(one[0], three[place], rtol=1e-4, atol=1e-4)


def test_tags_and_lengths_come_along(mixed):
    batches, _ = mixed
    encoded = batches.encoded
    ids = torch.tensor([3, 11, 0])
    batch = batches.collate(ids)
    assert batch.lengths.tolist() == encoded.lengths[ids].tolist()
    for row, number in enumerate(ids.tolist()):
        start, stop = encoded.tags.in_memory().offsets[number : number + 2].tolist()
        gold = encoded.tags.in_memory().values[start:stop].tolist()
        assert batch.tags[row].tolist() == gold + [0] * (batch.tags.shape[1] - len(gold))


def test_an_unlabelled_split_gives_no_tags():
    encoded = numbered([[1, 2], [3]])
    unlabelled = Encoded(encoded.pieces, encoded.first, None, encoded.tag_set, encoded.layout)
    assert Batches(unlabelled, 2).collate(torch.tensor([0, 1])).tags is None


def realistic(count: int = 1500) -> list[list[int]]:
    """Word and piece counts like those of news: 24 words in a sentence, sd 12; most words are one piece."""
    chance = random.Random(0)
    lengths = [max(1, min(80, round(chance.lognormvariate(3.0, 0.55)))) for _ in range(count)]
    return [[chance.choice((1, 1, 1, 1, 2, 3)) for _ in range(length)] for length in lengths]


def test_less_than_a_tenth_of_the_pieces_is_padding():
    batches = Batches(numbered(realistic(), window=512, overlap=64), 32)
    masks = [batches.collate(ids).attention_mask for ids in batches.shuffled(0)]
    total = sum(mask.numel() for mask in masks)
    assert 1 - sum(int(mask.sum()) for mask in masks) / total < 0.1
    assert len(masks) == -(-1500 // 32)


@pytest.mark.parametrize("documents", [0, 7])
def test_an_epoch_holds_every_sentence_once_in_as_many_batches_whatever_the_seed(documents):
    """The learning rate's and λ's schedules count on it, documents or not."""
    chance = random.Random(1)
    split = realistic(150) + [[1] * chance.randint(150, 900) for _ in range(documents)]
    chance.shuffle(split)
    batches = Batches(numbered(split, window=100, overlap=10), 8)
    epochs = [list(batches.in_order()), *(batches.shuffled(seed) for seed in range(20))]

    for epoch in epochs:
        assert len(epoch) == len(batches)
        assert sorted(torch.cat([*epoch]).tolist()) == list(range(len(split)))
    for ids in epochs[1]:
        inputs = len(batches.collate(ids).input_ids)
        assert inputs <= 8 or len(ids) == 1


def test_shuffling_follows_from_the_seed():
    batches = Batches(numbered(realistic(200), window=100), 8)
    once, again, other = ([ids.tolist() for ids in batches.shuffled(seed)] for seed in (1, 1, 2))
    assert once == again
    assert once != other
    assert sorted(map(sorted, once)) != sorted(map(sorted, other))


def as_a_list(batches: Batches, seed: int) -> list[list[int]]:
    """The same order, written down as a list of all batches."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.arange(len(batches.encoded)) if batches.rows is None else batches.rows
    sizes, capacity = batches.encoded.pieces.lengths[rows], batches.encoded.layout.capacity
    order = torch.randperm(len(rows), generator=generator)
    starts = batches._long_starts.tolist()
    found = [batches._long[start:stop].tolist() for start, stop in pairwise(starts)]
    for pool in order[sizes[order] <= capacity].split(POOL * batches.batch_size):
        pool = pool[sizes[pool].argsort(stable=True)]
        found += [rows[ids].tolist() for ids in pool.split(batches.batch_size) if len(pool)]
    return [found[i] for i in torch.randperm(len(found), generator=generator).tolist()]


@pytest.mark.parametrize("some", [7, 1 << 20])
@pytest.mark.parametrize("window", [512, 30])
@pytest.mark.parametrize("step", [None, 3])
def test_the_order_is_what_a_list_of_the_batches_gives(some, window, step, monkeypatch):
    monkeypatch.setattr(batching, "_SENTENCES_AT_ONCE", some)
    split = numbered(realistic(700), window=window, overlap=4)
    batches = Batches(split, 4, None if step is None else torch.arange(1, len(split), step))
    assert (len(batches._long) > 0) == (window == 30)
    for seed in range(3):
        order, wanted = batches.shuffled(seed), as_a_list(batches, seed)
        assert [ids.tolist() for ids in order] == wanted
        assert [ids.tolist() for ids in order[5:]] == wanted[5:]
        assert [ids.tolist() for ids in order[2:9][1::2]] == wanted[2:9][1::2]
        assert order[-1].tolist() == wanted[-1]
        assert order[0].dtype == torch.int64


def test_a_stream_goes_through_pass_after_pass():
    batches = Batches(numbered(realistic(50), window=100), 8)
    passes = [batches.shuffled(3 * 1_000_003 + number)[place] for number in range(3) for place in range(7)]
    for start in (0, 5, 7, 20):
        found = islice(batches.stream(3, start), 21 - start)
        for one, other in zip(found, passes[start:], strict=True):
            assert torch.equal(one, other)


def test_tagging_reads_the_longest_first():
    batches = Batches(numbered(realistic(100), window=40), 8)
    sizes = batches.encoded.pieces.lengths[torch.cat(list(batches.in_order()))].tolist()
    assert sizes == sorted(sizes, reverse=True)


# A part of a split


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_chosen_rows_come_alone_and_as_they_stand_in_the_split(corpus: Path, batch_size: int) -> None:
    split = load(corpus / "train.parquet")
    rows = torch.arange(1, len(split), 3)
    chosen, whole = Batches(split, batch_size, rows), Batches(split, batch_size)
    assert chosen.sentences == len(rows)
    for epoch in (chosen.shuffled(4), list(chosen.in_order())):
        assert len(epoch) == len(chosen)
        assert torch.equal(torch.cat([*epoch]).sort().values, rows)
    for ids in chosen.shuffled(0):
        assert torch.equal(rows[chosen.places(ids)], ids)
        assert chosen.count_pieces(ids) == whole.count_pieces(ids) == int(split.pieces.lengths[ids].sum())
        assert torch.equal(chosen.collate(ids).input_ids, whole.collate(ids).input_ids)


def test_all_rows_are_the_split(corpus: Path) -> None:
    split = load(corpus / "train.parquet")
    one, other = Batches(split, 4), Batches(split, 4, torch.arange(len(split)))
    for a, b in zip(one.shuffled(3), other.shuffled(3), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(one.in_order(), other.in_order(), strict=True):
        assert torch.equal(a, b)


def python_bytes(encoded):
    """What Python holds at most while a split is cut into batches; numbers of tensors are not in it."""
    tracemalloc.start()
    Batches(encoded, 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_sentences_of_several_windows_take_no_object_each(bert, tmp_path, monkeypatch):
    monkeypatch.setattr(batching, "_LONG_SENTENCES_AT_ONCE", 50)
    few, many = (
        write_split(tmp_path / f"{count}.parquet", sentences(count, shortest=40, longest=40), bert)
        for count in (200, 1_200)
    )
    python_bytes(few)  # what is loaded at first use
    assert len(Batches(many, 4)._long) == 1_200
    assert python_bytes(many) - python_bytes(few) < 40 * 1_000
