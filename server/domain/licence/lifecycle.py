"""The life of a licence: `evolve`, which never refuses, for an event is a fact, and the replay of events."""

from collections.abc import Iterable

from server.domain.licence.events import LicenceEvent, LicenceIssued
from server.domain.licence.licence import Licence
from server.domain.licence.moves import MOVE_OF_EVENT


def evolve(licence: Licence | None, event: LicenceEvent) -> Licence:
    """The licence after the event; ValueError if nothing was issued before it.

    An event that the table does not know in this state moves nothing, but it has happened.
    """
    version = {"version": event.number}
    if licence is None:
        if not isinstance(event, LicenceIssued):
            raise ValueError("the first event of a licence issues it")
        said = event.spoken_number
        return Licence(**dict(event.grant), node=event.node, spoken_number=said, since=event.at, version=event.number)
    if isinstance(event, LicenceIssued):
        return licence.model_copy(update=version)
    move = MOVE_OF_EVENT[type(event)]
    state = move.states.get(licence.state)
    if state is None:
        return licence.model_copy(update=version)
    told = {"state": state, "cause": "", "since": event.at, "reason": event.reason, "basis": event.basis}
    return licence.model_copy(update={**version, **told, **move.left_by(event)})


def replay(told: Iterable[LicenceEvent]) -> Licence:
    """The licence that these events made; ValueError when there are none."""
    licence: Licence | None = None
    for event in told:
        licence = evolve(licence, event)
    if licence is None:
        raise ValueError("no events, no licence")
    return licence
