"""The table of moves as a picture."""

from server.domain.case.case import STATE_NAMES
from server.domain.rules.table import TABLE


def mermaid() -> str:
    """The states of a step and the acts between them, as a Mermaid state diagram."""
    states = [f'    state "{state} {name}" as {state}' for state, name in STATE_NAMES.items()]
    moves = [f"    {before} --> {after}: {act}" for (before, act), after in TABLE.items()]
    ends = sorted(set(TABLE.values()) - {before for before, _ in TABLE})
    last = [f"    {end} --> [*]" for end in ends]
    return "\n".join(["stateDiagram-v2", *states, "    [*] --> waiting", *moves, *last])
