"""A softmax teacher's labels, in any scheme, as the corpus's tags: P(tag | word) from P(label | word)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.corpora.schemes import SCHEMES, letter_and_type, tag_problem
from pipeline.corpora.tagging import TagSet

SMALLEST = float(torch.finfo(torch.float32).eps)
"""The least probability, so that no emission is -inf: the distance from 1 to the next float32 number."""

_BY_RUN = ("iob1", "io")  # in these an I-X starts a span where the word before is not of type X


class LabelConversion(nn.Module):
    """Log P(tag | word) from a teacher's scores of its M labels.

    Spans become IOB2. In IOB2, BIOES and BILOU, B-X, S-X and U-X become B-X; I-X, E-X and L-X become I-X. In
    IOB1 and IO an I-X starts a span where the word before is not of type X. A softmax gives each word's label
    independently of the others', so that with q_l(X) = p_l(B-X) + p_l(I-X)

        P_l(B-X) = p_l(B-X) + p_l(I-X) · (1 − q_{l−1}(X)),    P_l(I-X) = p_l(I-X) · q_{l−1}(X).

    Then types are renamed; where several become one, their probabilities are added, and those of a type that
    becomes none are added to O.
    """

    def __init__(
        self, labels: tuple[str, ...], scheme: str, types: Mapping[str, str | None], tag_set: TagSet
    ) -> None:
        """Make the matrices that add probabilities up.

        Args:
            labels: the M labels in the order of the scores.
            scheme: one of SCHEMES.
            types: the tag set's type (with plain tags: tag) for each of the teacher's that has another name;
                None: the words are outside of spans.
            tag_set: has a tag for every label so renamed.
        """
        super().__init__()
        self.labels, self.scheme, self.types = labels, scheme, dict(types)
        parts = [("O", label) if scheme == "plain" else letter_and_type(label, scheme) for label in labels]
        kinds = [kind for _, kind in parts]
        size = len(labels), len(tag_set)
        as_is, starts, continues = (torch.zeros(size) for _ in range(3))
        for row, (label, (letter, _)) in enumerate(zip(labels, parts, strict=True)):
            first, later = (tag_set.index[tag] for tag in converted(label, scheme, types))
            if scheme in _BY_RUN and letter == "I":
                starts[row, first] = continues[row, later] = 1
            else:
                as_is[row, later if letter in "IE" else first] = 1
        same = torch.tensor([[float(one == other != "") for one in kinds] for other in kinds])
        for name, matrix in (("as_is", as_is), ("starts", starts), ("continues", continues), ("same", same)):
            self.register_buffer(name, matrix, persistent=False)

    as_is: Tensor
    starts: Tensor
    continues: Tensor
    same: Tensor

    def forward(self, scores: Tensor) -> Tensor:
        """Log P [B, L, N] of the tags, from the scores [B, L, M] of the labels; float32."""
        with torch.autocast(scores.device.type, enabled=False):
            labels = scores.float().softmax(-1)
            tags = labels @ self.as_is
            if self.scheme in _BY_RUN:
                before = torch.cat([torch.zeros_like(labels[:, :1]), labels[:, :-1]], 1)
                of_type, of_another = before @ self.same, before @ (1 - self.same)
                of_another[:, 0] = 1  # no word stands before the first
                tags = tags + (labels * of_another) @ self.starts + (labels * of_type) @ self.continues
            return tags.clamp_min(SMALLEST).log()

    def to_json(self) -> dict[str, Any]:
        """A JSON object; with the tag set, `from_json` reads it."""
        return {"labels": list(self.labels), "scheme": self.scheme, "types": self.types}

    @classmethod
    def from_json(cls, value: Any, tag_set: TagSet) -> "LabelConversion":
        """What `to_json` wrote.

        Raises:
            ValueError: it did not write this, or a label becomes no tag of the tag set.
        """
        if not isinstance(value, dict) or value.keys() != {"labels", "scheme", "types"}:
            raise ValueError("its conversion of labels is damaged")
        labels, scheme, types = value["labels"], value["scheme"], value["types"]
        if (
            scheme not in SCHEMES
            or not isinstance(labels, list)
            or not all(isinstance(label, str) and tag_problem(label, scheme) is None for label in labels)
            or not isinstance(types, dict)
            or not all(isinstance(kind, str | None) for kind in types.values())
            or not {tag for label in labels for tag in converted(label, scheme, types)} <= set(tag_set.tags)
        ):
            raise ValueError("its labels do not become its tags")
        return cls(tuple(labels), scheme, types, tag_set)


def converted(label: str, scheme: str, types: Mapping[str, str | None]) -> tuple[str, str]:
    """The tags that a label becomes on the first word of a span and on a later one.

    Both are the same where the label is O or plain, or its type becomes none.
    """
    if scheme == "plain":
        tag = types.get(label, label) or "O"
        return tag, tag
    _, kind = letter_and_type(label, scheme)
    if not kind or (renamed := types.get(kind, kind)) is None:
        return "O", "O"
    return f"B-{renamed}", f"I-{renamed}"
