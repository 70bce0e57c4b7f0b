"""Notices (订阅消息): what a citizen is told on the phone when a case moves, in plain words without personal data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from server.domain.aggregate.happening import Happened
from server.domain.case.case import Case
from server.domain.rules.announcement import Announcement, TemplateName
from server.domain.rules.table import TRANSITIONS
from server.domain.sentences import chinese_date
from server.domain.values import Moment, Value, china_day

ValueName = Literal["bundle", "item", "state", "hint", "date", "due"]
Ending = Literal["sent", "refused", "unknown"]
NoticeState = Literal["waiting", "sending", Ending]
Outcome = Literal["later", Ending]

CASE_PAGE, DRAFT_PAGE, LICENCE_PAGE = "pages/case/case", "pages/draft/draft", "pages/licence/licence"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
MOST_ATTEMPTS = 10

# The kinds of a template's keys, how many characters each shows, and which of our values may stand there.
LONGEST: Mapping[str, int] = {"thing": 20, "phrase": 5, "date": 20}
FITTING: Mapping[ValueName, tuple[str, ...]] = {
    "bundle": ("thing",),
    "item": ("thing",),
    "state": ("phrase", "thing"),
    "hint": ("thing",),
    "date": ("date",),
    "due": ("date",),
}


class Notice(Value):
    """One notice to one person; `id` names its cause, so that each cause is told once.

    `person` is the person's key, `page` the path in the mini-program that the notice opens; `at` is when it happened.
    """

    id: str
    person: str
    template: TemplateName
    page: str
    values: Mapping[ValueName, str]
    at: Moment


class Template(Value):
    """A template as the platform granted it: its id there, and at which of its keys each of our values stands."""

    name: TemplateName
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    keys: Mapping[ValueName, Annotated[str, StringConstraints(pattern=r"^(thing|phrase|date)[0-9]+$")]]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.keys or len(set(self.keys.values())) < len(self.keys):
            raise ValueError("keys must name at least one key, and each only once")
        for name, key in self.keys.items():
            if kind_of(key) not in FITTING[name]:
                raise ValueError(f"keys.{name} must stand at a key of the kind {' or '.join(FITTING[name])}")
        return self


class Templates(Value):
    """The templates that the mini-program may use; a notice whose template is not among them is not sent.

    `miniprogram_state` is which edition of the mini-program a notice opens.
    """

    miniprogram_state: Literal["developer", "trial", "formal"] = "formal"
    template: tuple[Template, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [each.name for each in self.template]
        if len(set(names)) < len(names):
            raise ValueError("template: each name must stand only once")
        return self

    def find(self, name: TemplateName) -> Template | None:
        """The template of this name, or None."""
        return next((each for each in self.template if each.name == name), None)


@dataclass(frozen=True)
class KeptNotice:
    """A notice as the store keeps it: how often it was tried, and what the platform said last."""

    notice: Notice
    state: NoticeState
    attempts: int
    errcode: int
    reason: str
    version: int


@dataclass(frozen=True)
class Attempt:
    """What came of one attempt: `later` is surely not sent, `unknown` may have been; 0 is no errcode."""

    outcome: Outcome
    errcode: int = 0


@dataclass(frozen=True, kw_only=True)
class LicenceTold:
    """What is told of a licence: its state in at most five characters, what to do, and its last day if that is near."""

    identifier: str
    name: str
    state: str
    hint: str
    template: TemplateName = "decided"
    due_on: date | None = None


# The events that are told, by the name of their act: the moves say so themselves. What must be put right
# (ask_supplement) is told by the event that says until when.
_OWN: Mapping[str, Announcement] = {
    "open": Announcement("received", "已提交", "我们会尽快办理，可随时查看进度"),
    "ask_signature": Announcement("decided", "待签名", "请查看文书并在手机上签名"),
    "close": Announcement("closed", "已办结", "请查看结果，欢迎评价"),
}
TOLD: Mapping[str, Announcement] = {
    **_OWN,
    **{each.event.act: each.notice for each in TRANSITIONS.values() if each.notice},
}
REMIND = Announcement("reminder", "临近期限", "请在期限前处理")
BY_AGENT = Announcement("decided", "已撤回", "代理人已申请撤回，可查看详情")
EXPIRING = Announcement("draft_expiring", "即将过期", "请尽快提交，过期后需重新填写")


def notice_of(case: Case, event: Happened) -> Notice | None:
    """What the applicant is told of this event, the last of `case`; None where it is not told.

    Only the case's home knows the applicant, so only the home sends notices. Applicants get no notice of what they
    handed in or withdrew themselves, but of what their agent did.
    """
    is_taken_back = event.by.is_agent and event.act in ("withdraw", "ask_withdrawal")
    telling = BY_AGENT if is_taken_back else TOLD.get(event.act)
    if telling is None or case.applicant is None or (not is_taken_back and _is_own_doing(case, event)):
        return None
    code, done_at = getattr(event, "step", ""), getattr(event, "moment", event.at)
    item = case.steps[code].plan.name if code else case.bundle_name
    return Notice(
        id=f"{case.number}:{event.number}",
        person=case.applicant.key,
        template=telling.template,
        page=f"{CASE_PAGE}?id={case.number}",
        values=_values(telling, case.bundle_name, item, on=china_day(done_at), due_on=getattr(event, "due_on", None)),
        at=event.at,
    )


def reminder_of(case: Case, step: str, *, due_on: date, at: datetime) -> Notice | None:
    """The reminder to the applicant before the last day of what this step asks for; only the home can send it."""
    if case.applicant is None:
        return None
    telling = REMIND
    return Notice(
        id=f"{case.number}:{step}:remind:{due_on:%Y%m%d}",
        person=case.applicant.key,
        template=telling.template,
        page=f"{CASE_PAGE}?id={case.number}",
        values=_values(telling, case.bundle_name, case.step(step).plan.name, on=china_day(at), due_on=due_on),
        at=at,
    )


def draft_notice(draft: str, person: str, *, bundle_name: str, due_on: date, at: datetime) -> Notice:
    """What the owner of a draft is told before it expires on this day: once, unless it lives on to another day."""
    return Notice(
        id=f"draft:{person}:{draft}:{due_on:%Y%m%d}",
        person=person,
        template=EXPIRING.template,
        page=f"{DRAFT_PAGE}?id={draft}",
        values=_values(EXPIRING, bundle_name, bundle_name, on=china_day(at), due_on=due_on),
        at=at,
    )


def licence_notice(id: str, person: str, *, told: LicenceTold, at: datetime) -> Notice:
    """What a person is told of a licence; `id` names the cause, so that each is told once."""
    telling = Announcement(told.template, told.state, told.hint)
    return Notice(
        id=f"{id}:{person}",
        person=person,
        template=telling.template,
        page=f"{LICENCE_PAGE}?id={told.identifier}",
        values=_values(telling, told.name, told.name, on=china_day(at), due_on=told.due_on),
        at=at,
    )


def data_of(notice: Notice, template: Template) -> dict[str, dict[str, str]]:
    """The notice's values in the platform's shape, each cut to what its place can show."""
    return {
        key: {"value": _cut(notice.values[name], LONGEST[kind_of(key)])}
        for name, key in template.keys.items()
        if name in notice.values
    }


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: five seconds, doubling up to ten minutes."""
    return min(FIRST_PAUSE * 2.0 ** (attempts - 1), LONGEST_PAUSE)


def kind_of(key: str) -> str:
    """The kind of a template's key: `thing` of `thing1`."""
    return key.rstrip("0123456789")


def _is_own_doing(case: Case, event: Happened) -> bool:
    """Whether the applicant did it and needs no notice; a step that ended for lack of an answer has grounds."""
    if event.act == "open":
        return not event.by.is_agent
    if event.act == "withdraw":
        return not getattr(event, "grounds", "")
    return event.act == "close" and case.outcome == "withdrawn"


def _values(telling: Announcement, bundle: str, item: str, *, on: date, due_on: date | None) -> Mapping[ValueName, str]:
    values: dict[ValueName, str] = {
        "bundle": bundle,
        "item": item,
        "state": telling.state,
        "hint": telling.hint,
        "date": chinese_date(on),
    }
    return values | {"due": chinese_date(due_on)} if due_on else values


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
