"""What every baseline asks of a body, and the document it makes of it."""

import uuid
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class NamedMaterial(BaseModel):
    """A material and the id it was uploaded under."""

    model_config = ConfigDict(extra="forbid")

    code: str
    id: str


class Wish(BaseModel):
    """The body of a submission, checked by its shape alone; pydantic's ValidationError tells what is wrong."""

    model_config = ConfigDict(extra="forbid")

    bundle: str
    division: str
    answers: dict[str, str]
    form: dict[str, str]
    materials: list[NamedMaterial]


def document_of(wish: Wish) -> dict[str, Any]:
    """The document that keeps a wish: its members as they came, a moment, and a fresh `_id` of 32 hex digits."""
    return {"_id": uuid.uuid4().hex, "opened_at": datetime.now(UTC), **wish.model_dump()}
