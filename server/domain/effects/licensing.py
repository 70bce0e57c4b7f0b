"""What must follow the events of a licence: by whom it is found, who is told, and what takes its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.domain.aggregate.judging import Judgement
from server.domain.aggregate.names import name_of
from server.domain.catalogue.results import Result
from server.domain.effects.clues import HOLDER, CaseClues, Clue, clue
from server.domain.effects.deeds import Deed
from server.domain.effects.effects import CLUES, DEED, FIRST_TASK, ISSUE, LETTER, Effect
from server.domain.effects.notices import LicenceTold, Notice, licence_notice
from server.domain.exchange.letters import About, Letter, letter_id, letter_salt
from server.domain.licence.acts import LicenceFacts
from server.domain.licence.decide import succession
from server.domain.licence.events import LicenceEvent, LicenceIssued, LicenceReplaced
from server.domain.licence.licence import OVER, Grant, Licence
from server.domain.licence.standing import AnyLicence, standing_on, words_on
from server.domain.licence.telling import LICENCE, LICENCE_TOLD, KnownLicence, ToldLicence
from server.domain.values import CHINA, china_day

LICENCES = "licences"
REMIND_AT = time(9)
HINTS: Mapping[str, str] = {
    "valid": "可在“我的证照”中查看",
    "pending": "生效后可以使用",
    "suspended": "暂停期间不能使用，请查看原因",
    "expired": "如需继续使用，请重新办理",
    "moved_out": "请到转入地办理",
    "replaced": "请使用新的证照",
}
OVER_HINT = "证照不能再使用，请查看原因"


@dataclass(frozen=True)
class LicensingFacts(LicenceFacts):
    """What the effects of a decision need besides: the kinds of licences by the codes of results, and who is who.

    `key_of` answers the key of the person of an ID number.
    """

    results: Mapping[str, Result]
    key_of: Callable[[str], str]
    salt: bytes = b""


def effects_of_licence(
    decision: Judgement[Licence, LicenceEvent], facts: LicensingFacts, *, threads: Mapping[str, str]
) -> tuple[tuple[Effect, ...], dict[str, str]]:
    """The effects of a decision about a licence, and the last letter about it to each node after it."""
    effects: list[Effect] = []
    last = dict(threads)
    for event, licence in zip(decision.events, decision.values, strict=True):
        letter = _letter(licence, event, facts, after=last)
        if letter:
            effects.append(Effect(event=event.number, index=LETTER, letter=letter))
            last[letter.to] = letter.id
        effects += _here(licence, event, facts)
    return tuple(effects), last


def _letter(licence: Licence, event: LicenceEvent, facts: LicensingFacts, *, after: Mapping[str, str]) -> Letter | None:
    """The home of the case that it comes from is told each time, if that is another node."""
    to = home_of(licence)
    told = ToldLicence.of(licence) if to not in ("", facts.here) else None
    if told is None:
        return None
    return Letter(
        id=letter_id(facts.here, to, LICENCE, licence.id, event.number, LETTER),
        sender=facts.here,
        to=to,
        after=after.get(to),
        about=About(kind=LICENCE, name=licence.id, part=None),
        kind=LICENCE_TOLD,
        at=event.at,
        salt=letter_salt(facts.salt, event.number, LETTER),
        body=told.model_dump(mode="json"),
    )


def _here(licence: Licence, event: LicenceEvent, facts: LicensingFacts) -> Iterator[Effect]:
    """What follows at this node."""
    number = event.number
    if isinstance(event, LicenceIssued):
        said = (clue("number", licence.spoken_number),) if licence.spoken_number else ()
        found = tuple(Clue(HOLDER, key) for key in finders(licence, facts.key_of))
        clues = CaseClues(name_of(LICENCES, licence.id), number, event.at, (*found, *said))
        yield Effect(event=number, index=CLUES, clues=clues)
    if isinstance(event, LicenceReplaced):
        yield Effect(event=number, index=ISSUE, issue=succession(event))
    deed = _deed(licence, event, here=facts.here)
    if deed:
        yield Effect(event=number, index=DEED, deed=deed)
    if home_of(licence) == facts.here:
        for index, notice in enumerate(notices_of(licence, at=event.at, key_of=facts.key_of), FIRST_TASK):
            yield Effect(event=number, index=index, notice=notice)


def home_of(licence: Grant) -> str:
    """The home of the case that a licence comes from; empty if it comes from none."""
    return licence.origin.case.partition("/")[0] if licence.origin else ""


def finders(licence: Grant, key_of: Callable[[str], str]) -> tuple[str, ...]:
    """By whom it is found: its holders, and the applicant of the case that it comes from, if that was here."""
    of_holders = [key_of(each.number) if each.kind == "111" else each.number for each in licence.holders]
    applicant = licence.origin.applicant if licence.origin else ""
    return tuple(dict.fromkeys((*of_holders, *([applicant] if applicant else ()))))


def notices_of(licence: Licence, *, at: datetime, key_of: Callable[[str], str]) -> Iterator[Notice]:
    """What the persons who hold it, and who applied for it, are told of its last event."""
    told = change_told(licence, licence.id, licence.name, version=licence.version, on=china_day(at))
    for person in people_of(licence, key_of):
        yield licence_notice(f"{LICENCES}:{licence.id}:{licence.version}", person, told=told, at=at)


def change_told(licence: AnyLicence, identifier: str, name: str, *, version: int, on: date) -> LicenceTold:
    """What is told of the last event of a licence, the one of this number, on this day."""
    standing, words = standing_on(licence, on), words_on(licence, on)
    state = "已颁发" if version == 1 else words
    return LicenceTold(identifier=identifier, name=name, state=state, hint=HINTS.get(standing, OVER_HINT))


def reminders_of(licence: Licence, *, at: datetime, key_of: Callable[[str], str]) -> Iterator[Notice]:
    """What the same are told before its last day."""
    for person in people_of(licence, key_of):
        yield _reminder(licence, licence.id, person, at=at)


def reminders_as_told(known: KnownLicence, *, at: datetime) -> Iterator[Notice]:
    """The same of a licence that another node has issued."""
    for person in known.people:
        yield _reminder(known.told, known.told.identifier, person, at=at)


def _reminder(licence: Licence | ToldLicence, identifier: str, person: str, *, at: datetime) -> Notice:
    told = LicenceTold(
        identifier=identifier,
        name=licence.name,
        state="即将到期",
        hint="请在到期前办理延续",
        template="reminder",
        due_on=licence.expires_on,
    )
    return licence_notice(f"{LICENCES}:{identifier}:remind:{licence.expires_on:%Y%m%d}", person, told=told, at=at)


def people_of(licence: Grant, key_of: Callable[[str], str]) -> tuple[str, ...]:
    """The keys of the persons who hold it, and of the applicant of the case that it comes from, if that was here."""
    organisations = {each.number for each in licence.holders if each.kind != "111"}
    return tuple(key for key in finders(licence, key_of) if key not in organisations)


def alarm_of(licence: Licence, results: Mapping[str, Result], *, after: datetime | None = None) -> datetime | None:
    """When clockwork must look at it: when its holder is to be reminded, and when its last day is over; None: never.

    With `after` only what is later than that counts.
    """
    if licence.state in OVER or licence.expires_on is None:
        return None
    moments = [at for at in (remind_at(licence, results), ends_at(licence.expires_on)) if at]
    return min((at for at in moments if after is None or at > after), default=None)


def remind_at(licence: Licence | ToldLicence, results: Mapping[str, Result]) -> datetime | None:
    """When its holder is reminded, by the catalogue in force; None: not at all, or its first day is later."""
    result = results.get(licence.kind)
    day = result.validity.remind_on(licence.expires_on) if result and result.validity else None
    return datetime.combine(day, REMIND_AT, CHINA) if day and day > licence.effective_on else None


def ends_at(last: date) -> datetime:
    """The moment at which a last day is over."""
    return datetime.combine(last + timedelta(days=1), time(), CHINA)


def _deed(licence: Licence, event: LicenceEvent, *, here: str) -> Deed | None:
    by = event.by
    if by.part != "officer" or by.node != here:
        return None
    return Deed(
        officer=by.name,
        stands_in_for=by.stands_in_for,
        at=event.at,
        case=name_of(LICENCES, licence.id),
        event=event.number,
        step=licence.origin.step if licence.origin else "",
        act=event.act,
        item_name=licence.name,
        authority=by.authority,
        authority_name=licence.authority.name,
    )
