"""Doing an act to a licence once, with all that must follow it; and issuing what approvals have granted."""

from collections.abc import Sequence
from functools import partial

from server.desk.performing import Performing
from server.domain.aggregate.judging import Judgement
from server.domain.aggregate.records import AnyRecord, Record
from server.domain.effects.commits import Commit
from server.domain.effects.licensing import LicensingFacts, alarm_of, effects_of_licence
from server.domain.licence.acts import LicenceAct
from server.domain.licence.decide import decide
from server.domain.licence.events import LicenceEvent
from server.domain.licence.licence import Licence
from server.node import Node

LicenceRecord = Record[Licence, LicenceEvent]
LicenceCommit = Commit[Licence, LicenceEvent]


def facts(node: Node) -> LicensingFacts:
    """What a decision about a licence made now may know of the world."""
    return LicensingFacts(
        here=node.here,
        at=node.clock.now(),
        results=node.catalogue.results,
        key_of=partial(node.keys.owner, "person"),
        salt=node.chance.token(16),
    )


def commit_of(
    record: LicenceRecord | None, decision: Judgement[Licence, LicenceEvent], facts: LicensingFacts
) -> LicenceCommit:
    """The decision (with at least one event) with all that must follow it."""
    licence = decision.values[-1]
    effects, threads = effects_of_licence(decision, facts, threads=record.threads if record else {})
    return Commit(
        events=decision.events,
        value=licence,
        effects=effects,
        threads=threads,
        alarm=alarm_of(licence, facts.results),
    )


LICENCES: Performing[Licence, LicenceEvent, LicenceRecord, LicenceAct, LicensingFacts] = Performing(
    room=lambda node: node.store.licences, facts=facts, decide=decide, commit_of=commit_of
)


async def issue_granted(node: Node, records: Sequence[AnyRecord]) -> Sequence[LicenceRecord]:
    """Issue the licences that wait in these records, each once however often it is asked; those that were.

    Each is given a number that people say. One that was issued before keeps its own, and the new one is lost.
    Raises the first refusal: then the effects stay where they are, and are set apart if that does not pass.
    """
    waiting: dict[str, list[LicenceAct]] = {}
    numbers = node.store.numbers
    for record in records:
        for act in node.store.issues.of(record.pending):
            said = numbers.of(await numbers.take_beside())
            waiting.setdefault(act.grant.id, []).append(act.model_copy(update={"spoken_number": said}))
    if not waiting:
        return ()
    done = await LICENCES.perform_many(node, waiting)
    refusals = [refusal for refusal in done.answers.values() if refusal]
    if refusals:
        raise refusals[0]
    return done.records
