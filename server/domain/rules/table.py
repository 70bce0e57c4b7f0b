"""The tables of the moves, derived from them: which event leads where, and by which rule an act is judged."""

from collections.abc import Mapping
from typing import get_args

from server.domain.case.acts import StepAct
from server.domain.case.case import State
from server.domain.case.happening import Moved
from server.domain.rules.move import AnyMove, AnyRule, AnyTransition
from server.domain.rules.moves import (
    deciding,
    delivering,
    opinions,
    proposing,
    receiving,
    starting,
    stopping,
    supplementing,
    transferring,
    urging,
    withdrawing,
)

MOVES: tuple[AnyMove, ...] = (
    starting.SEND,
    starting.SKIP,
    starting.ASK_CHECK,
    starting.CHECK,
    starting.TURN_BACK,
    receiving.RECEIVE,
    receiving.GATHER,
    supplementing.ASK_SUPPLEMENT,
    supplementing.TELL,
    supplementing.SUPPLY,
    supplementing.LAPSE,
    urging.URGE,
    receiving.ACCEPT,
    receiving.DEEM,
    deciding.DECLINE,
    stopping.SUSPEND,
    stopping.RESUME,
    stopping.EXTEND,
    opinions.OPINE,
    opinions.RETURN_OPINION,
    proposing.PROPOSE,
    transferring.TRANSFER,
    transferring.DESIGNATE,
    transferring.TAKE_OVER,
    deciding.APPROVE,
    deciding.REFUSE,
    delivering.DELIVER,
    withdrawing.WITHDRAW,
)

RULES: Mapping[type[StepAct], AnyRule] = {part.act: part for part in MOVES if isinstance(part, AnyRule)}
TRANSITIONS: Mapping[type[Moved], AnyTransition] = {
    part.event: part for part in MOVES if isinstance(part, AnyTransition)
}

TABLE: Mapping[tuple[State, str], State] = {
    (state, transition.event.act): transition.states[state]
    for state in get_args(State)
    for transition in TRANSITIONS.values()
    if state in transition.states
}
