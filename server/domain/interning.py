"""Values that many cases hold alike, and that are therefore written once and named by a reference wherever they are."""

from abc import ABC, abstractmethod
from typing import Any, Self

from pydantic import (
    ModelWrapValidatorHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from server.domain.values import Value


class References(ABC):
    """What is given to pydantic as the context, to write references in the place of interned values and to read them.

    Without it such a value is written and read in full.
    """

    @abstractmethod
    def reference(self, value: "Interned") -> int:
        """What is written in the place of this value."""

    @abstractmethod
    def value(self, kind: type["Interned"], reference: int) -> "Interned":
        """The value of this kind in whose place the reference was written; raises NotAuthentic."""


class Interned(Value):
    """A value without personal data that many cases hold alike, such as what the catalogue says of a step."""

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        context = info.context
        return context.reference(self) if isinstance(context, References) else written(self)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Any:
        is_reference = type(data) is int and isinstance(info.context, References)
        return info.context.value(cls, data) if is_reference else read(data)  # type: ignore[union-attr]
