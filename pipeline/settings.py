"""The base of all groups of params.yaml, and the types of values that several groups share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what every generator of random numbers takes
Count = Annotated[int, Field(gt=0, le=10**9)]  # products of two stay far below what a tensor's index holds
Positive = Annotated[float, Field(gt=0.0, le=1e6)]
NonNegative = Annotated[float, Field(ge=0.0, le=1e6)]
Precision = Literal["auto", "bfloat16", "float32"]
Init = Literal["pretrained", "teacher"]  # whose weights a student begins with
Head = Literal["crf", "softmax"]  # softmax: transitions, start and end scores are held at 0
Address = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]  # a dot would end the key that DVC looks up


class Group(BaseModel):
    """One group of parameters: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
