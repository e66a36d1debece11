"""A trained tagger as something to call: `load("FOLDER")(["Text."])` → words, tags and spans."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from huggingface_hub.utils import are_progress_bars_disabled
from transformers.utils import logging

from pipeline.chain.linear_chain import LinearChain
from pipeline.corpora.tagging import Scheme, Sentence, spans
from pipeline.corpora.words import Text
from pipeline.device import best_device
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import Encoded, as_tensors, encode
from pipeline.encoding.input_layout import InputLayout
from pipeline.errors import UserError, is_encodable
from pipeline.fetching.encoder_folder import FILES
from pipeline.fetching.hub import is_hub_id, model_files
from pipeline.inference.confidence import span_probabilities
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model_and_tokenizer
from pipeline.model.prediction import constrain, tag_names

BATCH = 32  # sentences
# What a stream holds at a time, sorted by length together; a sentence more where it is the last.
CHUNK_SENTENCES, CHUNK_WORDS, CHUNK_CHARACTERS = 1024, 80_000, 500_000


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity or chunk; a single word, where the tags are plain.

    start, end: its first character in the sentence, and the one after its last.
    confidence: the probability, under the model's chain, of exactly this span (see span_probabilities).
    """

    type: str
    start: int
    end: int
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Tagged:
    """A sentence with a tag for each word, and its spans from left to right.

    offsets: for each word, the place in `text` of its first character and of the one after its last.
    """

    text: str
    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    tags: tuple[str, ...]
    spans: tuple[Entity, ...]


class Tagger:
    """A model with its tokenizer on its device, to be called with sentences. `load` makes one."""

    def __init__(
        self, model: ChainTagger, tokenizer: Any, device: torch.device, *, constrained: bool = False
    ) -> None:
        """Move `model` to `device`.

        Args:
            model: the tagger.
            tokenizer: the one it was trained with.
            device: to compute on, in the model's precision.
            constrained: see `load`.
        """
        self._model = model.to(device).eval()  # type: ignore[arg-type]
        self._tokenizer, self._device, self._constrained = tokenizer, device, constrained
        self._layout = InputLayout.from_json(model.config.input_layout)
        self._tag_set = model.tag_set

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag that the model knows, in the order of its scores."""
        return self._tag_set.tags

    @property
    def scheme(self) -> Scheme:
        """The scheme of the tags: iob2 (spans) or plain (one tag per word)."""
        return self._tag_set.scheme

    def __call__(self, texts: Iterable[str | Sequence[str] | Text]) -> list[Tagged]:
        """Tag sentences and give a `Tagged` for each, in order.

        A string is raw text and is cut into words by `pipeline.corpora.words.split_words`; a list of strings
        is a sentence's words. A sentence without words has no tags. A sentence longer than the encoder's
        window is read in several windows.

        Raises:
            TypeError: `texts` is one string, or a sentence is something else; the message has its number.
            UserError: a sentence contains a lone surrogate.
        """
        return list(self.stream(texts))

    def stream(
        self, texts: Iterable[str | Sequence[str] | Text], *, at_once: int = CHUNK_SENTENCES
    ) -> Iterator[Tagged]:
        """Tag sentences as they come, in order; for text that is too long to hold in memory.

        Args:
            texts: see `__call__`.
            at_once: sentences that are read and tagged at a time, at most.

        Raises:
            TypeError, UserError: see `__call__`.
        """
        for chunk in _chunks(texts, at_once):
            yield from self._tag(chunk)

    def marginals(self, texts: Iterable[str | Sequence[str] | Text]) -> Iterator[npt.NDArray[np.float32]]:
        """The probability of each tag at each word of each sentence, [words, N], in order.

        These are the marginals of the chain, with tags in the order of `tags`. The most probable tag of a
        word may differ from that of the most probable sequence, which `__call__` gives.

        Args:
            texts: see `__call__`.

        Raises:
            TypeError, UserError: see `__call__`.
        """
        for chunk in _chunks(texts, CHUNK_SENTENCES):
            yield from self._marginals(chunk)

    @torch.inference_mode()
    def _marginals(self, texts: Sequence[Text]) -> list[npt.NDArray[np.float32]]:
        results = [np.zeros((0, len(self.tags)), np.float32)] * len(texts)
        for rows, chain in self._chains(texts):
            marginals = chain.log_marginals().exp().cpu().numpy()
            for row, length, found in zip(rows, chain.lengths.tolist(), marginals, strict=True):
                results[row] = found[:length].copy()
        return results

    @torch.inference_mode()
    def _tag(self, texts: Sequence[Text]) -> list[Tagged]:
        results = [Tagged(text.text, (), (), (), ()) for text in texts]
        for rows, chain in self._chains(texts):
            _, paths = chain.viterbi()
            tags = tag_names(paths, chain.lengths, self._tag_set)
            found = [
                sorted(spans(names, scheme=self._tag_set.scheme), key=lambda span: span[1]) for names in tags
            ]
            confidence = span_probabilities(chain, found, self._tag_set)
            for row, names, places, shares in zip(rows, tags, found, confidence, strict=True):
                text = texts[row]
                entities = tuple(
                    _span(text, *place, share) for place, share in zip(places, shares, strict=True)
                )
                results[row] = Tagged(text.text, text.words, text.offsets, tuple(names), entities)
        return results

    def _chains(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], LinearChain]]:
        """The chain of each batch of the texts that have words, and where its sentences stand in `texts`."""
        rows = [row for row, text in enumerate(texts) if text.words]
        if not rows:
            return
        batches = Batches(self._encoded([texts[row] for row in rows]), BATCH)
        for ids in batches.in_order():
            chain = self._model.chain(batches.collate(ids).to(self._device))
            if self._constrained:
                chain = constrain(chain, self._tag_set)
            yield [rows[index] for index in ids.tolist()], chain

    def _encoded(self, texts: Sequence[Text]) -> Encoded:
        table = encode([Sentence(text.words) for text in texts], self._tokenizer, self._layout)
        return as_tensors(table, self._tag_set, self._layout)


def load(source: str | Path, *, constrained: bool = False) -> Tagger:
    """Load a teacher or student, in float32, onto the GPU if PyTorch finds one, else onto the CPU.

        tagger = load("data/students/structural/1")
        for sentence in tagger(["Anna Hope left Paris."]):
            print(sentence.words, sentence.tags, sentence.spans)

    Args:
        source: the folder that the pipeline wrote, or `org/name[@revision]` on the Hugging Face hub. A folder
            with a seal is checked against it.
        constrained: give only tag sequences that the scheme allows: in IOB2, I-X only after B-X or I-X.
            Confidence is then the probability given such a sequence.

    Raises:
        UserError: the folder is missing, damaged, or holds no tagger with its tokenizer; the hub has no such
            model or cannot be reached.
    """
    folder = _folder(source)
    with _quiet():
        model, tokenizer = load_model_and_tokenizer(folder)
    return Tagger(model, tokenizer, best_device(), constrained=constrained)


def _folder(source: str | Path) -> Path:
    """The folder itself, or where a hub's model was fetched to.

    `data/teacher` reads as a hub id, too: it is none where the folder `data` is here.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    name = str(source)
    if "/" in name and is_hub_id(name) and not Path(name.partition("/")[0]).exists():
        return model_files(name, FILES)
    raise UserError(f"{folder}: no such folder; name a trained model, such as data/students/METHOD/SEED")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of the weights, and no warning that `transformers` does not know this kind of model."""
    verbosity = logging.get_verbosity()
    bar = logging.is_progress_bar_enabled() and not are_progress_bars_disabled()
    logging.set_verbosity_error()
    if bar:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def _text(sentence: Any, number: int) -> Text:
    """The sentence that is given as a string, words or a Text; `number` counts it from 1, for messages."""
    if isinstance(sentence, Text):
        text = sentence
    elif isinstance(sentence, str):
        text = Text.raw(sentence)
    else:
        _check_words(sentence, number)
        text = Text.of_words(sentence)
    if not is_encodable(text.text):
        raise UserError(
            f"sentence {number}: contains a lone surrogate, which is not a character; correct the text"
        )
    return text


def _check_words(sentence: Any, number: int) -> None:
    advice = "give a string or a list of words"
    if not isinstance(sentence, Collection) or isinstance(sentence, Mapping | Set | bytes | bytearray):
        raise TypeError(f"sentence {number}: is of the type {type(sentence).__name__}; {advice}")
    for place, word in enumerate(sentence, 1):
        if not isinstance(word, str):
            kind = type(word).__name__
            raise TypeError(f"sentence {number}: word {place} is of the type {kind}; {advice}")


def _chunks(texts: Iterable[str | Sequence[str] | Text], at_once: int) -> Iterator[list[Text]]:
    if isinstance(texts, str):
        raise TypeError("give a list of sentences, as tagger([text]), not one string")
    if isinstance(texts, Mapping):
        raise TypeError("give a list of sentences, as tagger([text]), not a dictionary")
    chunk: list[Text] = []
    words = characters = 0
    try:
        for text in map(_text, texts, count(1)):
            chunk.append(text)
            words += len(text.words)
            characters += len(text.text)
            if len(chunk) == at_once or words >= CHUNK_WORDS or characters >= CHUNK_CHARACTERS:
                yield chunk
                chunk, words, characters = [], 0, 0
    except Exception:
        if chunk:  # the sentences before one that cannot be read
            yield chunk
        raise
    if chunk:
        yield chunk


def _span(text: Text, kind: str, first: int, after: int, confidence: float) -> Entity:
    start, end = text.offsets[first][0], text.offsets[after - 1][1]
    return Entity(kind, start, end, text.text[start:end], confidence)
