"""The tagger: an encoder of any kind, a linear emission layer, and a CRF or softmax. It knows no loss."""

from os import PathLike
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoModelForTokenClassification, PreTrainedConfig, PreTrainedModel

from pipeline.chain import LinearChain
from pipeline.corpora.tagging import TagSet
from pipeline.encoding.batching import Batch
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.encoder_config import read_checked
from pipeline.encoding.pretrained import known_config, load_weights, missing_weights, read_config, refused
from pipeline.errors import UserError
from pipeline.model import token_classifier
from pipeline.model.bilstm import BiLSTM, BiLSTMConfig
from pipeline.model.encoder import drop_pooler, load_encoder, new_encoder
from pipeline.model.first_layers import check_embedding_width, check_first_layers, first_layers
from pipeline.model.label_conversion import LabelConversion
from pipeline.model.padding import known_padding
from pipeline.model.student_head import check_start
from pipeline.model.tagger_config import ChainTaggerConfig, check_layout, checked_values
from pipeline.settings import Head
from pipeline.storage.file_names import CONFIG

PIECES_AT_ONCE = 1 << 15
"""Pieces that the encoder reads together when nothing is trained: 64 windows of 512."""


class ChainTagger(PreTrainedModel):
    """Emissions from each word's first piece; transitions, start and end scores, learned or held at 0."""

    config_class = ChainTaggerConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    folder: Path | None = None
    """Where the tagger was loaded from."""
    transitions: Tensor
    start: Tensor
    end: Tensor
    conversion: LabelConversion | None

    def __init__(self, config: ChainTaggerConfig) -> None:
        super().__init__(config)
        tags = len(config.tag_set["tags"])
        self.dropout = nn.Dropout(config.dropout)
        if config.head == "softmax":
            self._take(token_classifier.new(config.encoder, len(config.labels)))
        else:
            self.encoder = new_encoder(config.encoder)
            drop_pooler(self.encoder)
            self.projection = self.conversion = None
            self.emission = nn.Linear(self.encoder.config.hidden_size, tags)
            self.transitions = nn.Parameter(torch.zeros(tags, tags))
            self.start = nn.Parameter(torch.zeros(tags))
            self.end = nn.Parameter(torch.zeros(tags))
        self.post_init()

    @classmethod
    def from_encoder(
        cls,
        folder: Path,
        encoded: Encoded,
        *,
        layers: int | None = None,
        dropout: float = 0.1,
        head: Head = "crf",
    ) -> Self:
        """A tagger over the first `layers` layers (all, if None) of a pretrained encoder; the head is new.

        Args:
            folder: the encoder.
            encoded: a split that the tagger will read, for its tag set and layout.
            layers: how many.
            dropout: before the emission layer.
            head: see Head.

        Raises:
            UserError: the encoder cannot be loaded, has fewer layers, cannot be cut to these, or has no
                head of this kind.
        """
        config = read_config(folder)
        if layers is not None and layers != config.num_hidden_layers:
            config = first_layers(config, layers, folder)
            check_first_layers(load_encoder(folder), layers, folder)
        encoder = load_encoder(folder, config)
        shape = token_classifier.shape_of(encoder.config.to_dict())
        tagger = cls(ChainTaggerConfig.for_split(shape, encoded, dropout=dropout, head=head))
        drop_pooler(encoder)
        tagger.encoder = encoder
        if tagger.projection is not None:
            tagger.projection = token_classifier.pretrained_projection(folder, config, len(encoded.tag_set))
        return tagger

    @classmethod
    def from_embeddings(
        cls,
        folder: Path,
        encoded: Encoded,
        *,
        width: int,
        hidden: int,
        layers: int,
        dropout: float = 0.1,
    ) -> Self:
        """A tagger with a CRF over a new BiLSTM, which reads a pretrained encoder's embeddings of pieces.

        Args:
            folder: the encoder.
            encoded: a split that the tagger will read, for its tag set and layout.
            width: numbers of an embedding, the first principal components of the encoder's.
            hidden: numbers of a hidden state in each direction.
            layers: of the BiLSTM.
            dropout: of the embeddings, and before the emission layer.

        Raises:
            UserError: the encoder cannot be loaded, or its embeddings have fewer numbers.
        """
        encoder = load_encoder(folder)
        check_embedding_width(encoder, width, folder)
        embeddings = encoder.get_input_embeddings().weight.detach()
        shape = BiLSTMConfig(len(embeddings), width, 2 * hidden, layers, dropout).to_dict()
        tagger = cls(ChainTaggerConfig.for_split(shape, encoded, dropout=dropout))
        tagger.encoder.start_from(embeddings)
        return tagger

    @classmethod
    def from_teacher(cls, folder: Path, *, layers: int, dropout: float = 0.1, head: Head = "crf") -> Self:
        """A student that starts as the teacher's first `layers` layers and emission layer.

        Transitions, start and end are the teacher's where both have a CRF, and 0 otherwise.

        Raises:
            UserError: the teacher cannot be loaded, has fewer layers, or cannot be cut to these; and as
                `check_start`.
        """
        teacher = cls.load(folder)
        own, converts = teacher.config, teacher.conversion is not None
        check_start(own.encoder, teacher=own.head, student=head, converts=converts)
        check_first_layers(teacher.encoder, layers, folder)
        shape = token_classifier.shape_of(first_layers(teacher.encoder.config, layers, folder).to_dict())
        student = cls(ChainTaggerConfig(shape, own.tag_set, own.input_layout, dropout, head))
        weights = student.state_dict() | teacher.state_dict()
        student.load_state_dict({name: weights[name] for name in student.state_dict()})
        return student

    @classmethod
    def load(cls, folder: Path) -> Self:
        """A tagger that `save_pretrained` wrote.

        Raises:
            UserError: the folder holds none.
        """
        what = f"{folder}: no tagger can be loaded from it"
        if not (folder / CONFIG).is_file():  # transformers would make one up
            raise UserError(f"{what}: it has no {CONFIG}")
        config = read_checked(folder)
        values = checked_values(config, folder)
        with refused(what):
            if values["head"] == "crf":
                tagger, missing = load_weights(cls, folder, ChainTaggerConfig.from_dict(config))
            else:
                tagger, missing = cls._load_stock(folder, known_config(config, what))
            check_layout(tagger.config.input_layout, tagger.encoder.config)
        if missing:
            raise missing_weights(folder, missing, "train it again")
        tagger.folder = folder
        return tagger

    @classmethod
    def _load_stock(cls, folder: Path, stock: PreTrainedConfig) -> tuple[Self, list[str]]:
        model, missing = load_weights(AutoModelForTokenClassification, folder, stock)
        config = ChainTaggerConfig(
            token_classifier.shape_of(model.config.to_dict()),
            **getattr(model.config, token_classifier.KEY),
            head="softmax",
        )
        if len(config.labels) != model.config.num_labels:
            raise ValueError(f"its {CONFIG} has different numbers of tags and labels")
        return cls.from_classifier(model, config).eval(), missing

    @classmethod
    def from_classifier(cls, model: PreTrainedModel, config: ChainTaggerConfig) -> Self:
        """The softmax tagger that consists of a stock token classifier's parts."""
        with torch.device("meta"):  # its random weights would be thrown away
            tagger = cls(config)
        tagger._take(model)
        return tagger

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **options: Any) -> None:
        """Write a folder that `load` reads; with a softmax head it is a token classifier of `transformers`.

        Args:
            save_directory: made if it does not exist.
            args, options: of `transformers`, with a CRF; not used with a softmax head.
        """
        if self.config.head == "crf":
            super().save_pretrained(save_directory, *args, **options)
            return
        named = ("tag_set", "input_layout", "dropout", *(["conversion"] if self.conversion else []))
        facts = {name: getattr(self.config, name) for name in named}
        parts = {"encoder": self.encoder, "projection": self.projection, "emission": self.emission}
        token_classifier.write(Path(save_directory), self.config.encoder, self.config.labels, facts, **parts)

    def _take(self, model: PreTrainedModel) -> None:
        """Take over the parts of a token classifier; transitions, start and end are held at 0."""
        names = token_classifier.names(model)
        self.encoder = getattr(model, names.encoder)
        drop_pooler(self.encoder)
        self.projection = getattr(model, names.projection) if names.projection else None
        self.emission = getattr(model, names.emission)
        given, tags = self.config.conversion, len(self.tag_set)
        self.conversion = None if given is None else LabelConversion.from_json(given, self.tag_set)
        for name, size in (("transitions", (tags, tags)), ("start", (tags,)), ("end", (tags,))):
            self.register_buffer(name, torch.zeros(size), persistent=False)

    @property
    def tag_set(self) -> TagSet:
        """The tags, in the order of the emission's columns."""
        return TagSet.from_json(self.config.tag_set)

    def check_pieces(self, identity: str) -> None:
        """Check that pieces are those that the tagger was trained with.

        Args:
            identity: of the tokenizer that cut them.

        Raises:
            UserError: they are another tokenizer's.
        """
        own = (self.config.input_layout or {}).get("identity")
        if own != identity:
            raise UserError(
                f"{self.folder or 'the model'}: was trained with another tokenizer (SHA-256 {_short(own)}) "
                f"than the one that cut these words ({_short(identity)}); put back the tokenizer that it was "
                "saved with, or give it a corpus that was encoded for it"
            )

    @property
    def head_parameters(self) -> list[nn.Parameter]:
        """Emission layer, CRF and BiLSTM, if any: what is new and takes its own learning rate."""
        chain = (self.transitions, self.start, self.end)
        return [
            *(self.encoder.new_parameters if isinstance(self.encoder, BiLSTM) else ()),
            *self.emission.parameters(),
            *(scores for scores in chain if isinstance(scores, nn.Parameter)),
        ]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor, lengths: Tensor
    ) -> LinearChain:
        """Score B sentences of L words, laid out as V inputs of P pieces (see Batch).

        Args:
            input_ids: [V, P].
            attention_mask: [V, P].
            word_index: [B, L], where each word's first piece stands among the V·P.
            lengths: [B] words.

        Returns:
            The chain of each sentence, in float32 whatever the encoder computes in.
        """
        return self._chain(self._emissions(input_ids, attention_mask, word_index), lengths)

    def chain(self, batch: Batch) -> LinearChain:
        """`forward` on a batch, which must be on the model's device.

        A long document takes little memory: without gradients the encoder reads no more than PIECES_AT_ONCE
        together, and with gradients no more than `batch.at_once` inputs, whose hidden states are computed
        again in the backward pass.
        """
        inputs, mask, words = batch.input_ids, batch.attention_mask, batch.word_index
        trained = torch.is_grad_enabled()
        rows = batch.at_once if trained else max(1, PIECES_AT_ONCE // inputs.shape[1])
        if rows is None or len(inputs) <= rows:
            with known_padding(batch.unpadded):
                return self(inputs, mask, words, batch.lengths)
        emissions = torch.empty(*words.shape, self.emission.out_features, device=words.device)
        first = 0  # piece of the rows at hand
        for some, some_mask in zip(inputs.split(rows), mask.split(rows), strict=True):
            inside = (words >= first) & (words < first + some.numel())
            given = some, some_mask, words[inside] - first
            emissions[inside] = (
                checkpoint(self._emissions, *given, use_reentrant=False)
                if trained
                else self._emissions(*given)
            )
            first += some.numel()
        return self._chain(emissions, batch.lengths)

    def _emissions(self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor) -> Tensor:
        """Scores [..., N] of the words whose first pieces stand at `word_index` [...].

        With a conversion those [..., M] of labels.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        words = hidden.flatten(0, 1)[word_index]
        if self.projection is not None:
            words = self.projection(words)
        with torch.autocast(words.device.type, enabled=False):
            emissions: Tensor = self.emission(self.dropout(words.float()))
        return emissions

    def _chain(self, emissions: Tensor, lengths: Tensor) -> LinearChain:
        if self.conversion is not None:
            emissions = self.conversion(emissions)
        return LinearChain(emissions, self.transitions, self.start, self.end, lengths)


def _short(identity: str | None) -> str:
    return "not recorded" if identity is None else f"{identity[:12]}…"
