"""The picture of a seal, drawn as ours: a ring, a name along it, and the word that it is a sample."""

import math
from collections.abc import Iterator
from html import escape
from typing import Annotated, Literal

from pydantic import Field

from server.domain.papers.bodies import Name
from server.domain.values import Value
from server.papers.layout import FONT_FAMILY, SAMPLE

RED = "#c8161d"
WIDEST_ARC = 260  # degrees that a long name may take of the ring


class SealLook(Value):
    """How a seal looks: its width in millimetres, its ring, what stands in its middle, and the line below.

    State emblems are never drawn. Every seal says 样例, for none of ours is one of the national system of seals.
    """

    diameter_mm: Annotated[float, Field(ge=30, le=50)] = 42
    ring: Literal["single", "double"] = "single"
    centre: Literal["star", "none"] = "star"
    lower_text: Annotated[str, Field(max_length=12)] = ""


def seal_drawing(look: SealLook, name: Name) -> str:
    """The seal as SVG of 100 x 100 units. Each character is turned by itself, as not every reader bends text."""
    middle = _star() if look.centre == "star" else ""
    inner = _circle(45, 0.8) if look.ring == "double" else ""
    lower = _line(look.lower_text, y=76, size=min(9.0, 52 / max(len(look.lower_text), 1)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="{look.diameter_mm}mm" '
        f'height="{look.diameter_mm}mm" fill="{RED}" font-family="{FONT_FAMILY}">'
        f"{_circle(48, 2.2)}{inner}{''.join(_along_the_ring(name))}{middle}{lower}{_line(SAMPLE, y=90, size=8)}</svg>"
    )


def _circle(radius: float, width: float) -> str:
    return f'<circle cx="50" cy="50" r="{radius}" fill="none" stroke="{RED}" stroke-width="{width}"/>'


def _star() -> str:
    turns = (math.radians(144 * point - 90) for point in range(5))
    points = " ".join(f"{50 + 13 * math.cos(turn):.2f},{50 + 13 * math.sin(turn):.2f}" for turn in turns)
    return f'<polygon points="{points}"/>'


def _line(text: str, *, y: float, size: float) -> str:
    return f'<text x="50" y="{y}" font-size="{size:.2f}" text-anchor="middle">{escape(text)}</text>'


def _along_the_ring(name: str) -> Iterator[str]:
    """The characters from left to right over the top, closer and smaller where there are many."""
    step = min(22.0, WIDEST_ARC / max(len(name) - 1, 1))
    size = min(11.0, step * 0.6)
    for place, character in enumerate(name):
        turn = (place - (len(name) - 1) / 2) * step
        yield (
            f'<text x="50" y="{8 + size:.2f}" font-size="{size:.2f}" text-anchor="middle" '
            f'transform="rotate({turn:.2f} 50 50)">{escape(character)}</text>'
        )
