"""Letters about licences: the home of a case keeps what is told of the licence that it led to, and tells people."""

from server.desk.catalogues import case_of
from server.domain.aggregate.names import name_of
from server.domain.case.case import Case, Step, local_id
from server.domain.effects.awarding import holders_of
from server.domain.effects.clues import HOLDER, IDENTIFIER, CaseClues, Clue
from server.domain.effects.letters_in import told_licence
from server.domain.effects.licensing import change_told, remind_at
from server.domain.effects.notices import licence_notice
from server.domain.exchange.letters import Letter
from server.domain.licence.telling import KNOWN, KnownLicence, ToldLicence
from server.domain.rules.decide import NotOurStep
from server.domain.values import china_day
from server.node import Node


async def keep(node: Node, letter: Letter) -> bool:
    """Keep what a letter tells of a licence, so that those who hold it find it and are told; twice changes nothing.

    False: its step is not approved here yet, for the letter that says so is still to be settled. Raises
    LetterUnreadable, NoSuchCase, NoSuchStep, and NotOurStep if the sender has not decided that step.
    """
    told = told_licence(letter)
    record = await case_of(node, local_id(told.case, node.here))
    case, step = record.case, record.case.step(told.step)
    if case.home != node.here or step.node != letter.sender:
        raise NotOurStep("该事项不由来函方办理。")
    if not step.is_granted:
        return False
    holders, persons = _holders(node, case, step)
    known = KnownLicence(node=letter.sender, case=record.id, people=persons, known_at=node.clock.now(), told=told)
    await node.store.known_licences.keep(known, alarm=remind_at(told, node.catalogue.results))
    clues = (*(Clue(HOLDER, each) for each in (*holders, *persons)), Clue(IDENTIFIER, told.identifier))
    found = CaseClues(name_of(KNOWN, known.id), told.parts.version, case.opened_at, clues)
    await node.store.clues.add(found, node.keys.clue)
    await _notify(node, told, persons, letter=letter)
    return True


def _holders(node: Node, case: Case, step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The organisations that hold it, as this case knows them, and the keys of the persons: these and the applicant."""
    catalogue, on = node.catalogue_of(case.catalogue), china_day(step.decided_at or step.since)
    holders = holders_of(case, step, step.result, catalogue=catalogue, on=on)
    organisations = [each.number for each in holders if each.kind != "111"]
    persons = [node.keys.owner("person", each.number) for each in holders if each.kind == "111"]
    applicant = [case.applicant.key] if case.applicant else []
    return tuple(organisations), tuple(dict.fromkeys((*persons, *applicant)))


async def _notify(node: Node, told: ToldLicence, persons: tuple[str, ...], *, letter: Letter) -> None:
    at = node.clock.now()
    shown = change_told(told, told.identifier, told.name, version=told.version, on=china_day(at))
    for person in persons:
        await node.store.notices.add(licence_notice(f"known:{letter.unique_id}", person, told=shown, at=at))
