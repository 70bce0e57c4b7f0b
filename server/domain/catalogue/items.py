"""The items (事项) of a catalogue, with the fields and materials they ask for."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import NonNegativeInt, PositiveInt, StringConstraints, model_validator

from server.domain.catalogue.alike import Alike, Various
from server.domain.values import Value

Status = Literal["official", "local", "sample"]
Level = Literal["town", "county", "city", "province"]
DaysFrom = Literal["first_receipt", "second_receipt"]
SignedKind = Literal["application", "undertaking", "contract"]
PersonalStatus = Literal["", "none", "birth", "death", "marriage", "adoption", "inheritance"]
DecidedBy = Literal["authority", "provider", "chosen"]
Text = Annotated[str, StringConstraints(min_length=1)]
HOME = "home"


class Sourced(Value):
    """What must say where it is known from (出处), and how far that may be relied on."""

    source: Text
    status: Status


class Field(Sourced):
    """One question of the form, defined once for all items.

    `sensitivity` is its class by the 个人信息保护法: ordinary, personal, or sensitive (敏感个人信息), which is masked.
    `filled_from` names a detail of the applicant that the session has proven; the form does not ask for it. `pattern`
    (ECMA 262, anchored) is what a text must look like; then `hint` says it in words.
    """

    code: str
    name: Text
    type: Literal["text", "person_name", "enterprise_name", "date", "id_number", "uscc", "mobile", "choice", "division"]
    group: Text
    sensitivity: Literal["ordinary", "personal", "sensitive"]
    example: str = ""
    hint: str = ""
    pattern: str = ""
    choices: Mapping[str, str] = {}
    longest: PositiveInt = 100
    not_after_today: bool = False
    filled_from: Literal["", "name", "id_number"] = ""

    @property
    def is_sensitive(self) -> bool:
        """Whether it is shown to nobody in full but to those who decide."""
        return self.sensitivity == "sensitive"


class Material(Sourced):
    """One kind of document (材料) that an item may ask for."""

    code: str
    name: Text
    hint: str = ""


class Need(Alike):
    """What an item declares by its code."""

    code: str
    is_required: bool = True


class FieldNeed(Need):
    """A field that an item declares; `when` are the choices in other fields of the form under which it is asked."""

    when: Mapping[str, tuple[str, ...]] = {}


class MaterialNeed(Need):
    """A material that an item declares, and how it is to be handed in.

    `origin`: the citizen's own, what a step of the same case may issue, or shared (共享) between authorities, which
    nobody is asked for. `may_be_deferred` (容缺): it may come later; never so for one of `is_core_safety`.
    """

    form: Literal["electronic", "copy", "original"] = "electronic"
    copies: PositiveInt = 1
    origin: Literal["own", "step", "shared"] = "own"
    may_be_deferred: bool = False
    is_core_safety: bool = False


class Condition(Alike):
    """What must hold for an item to be approved; a mandatory one no province may drop."""

    code: str
    text: Text
    is_mandatory: bool = True


class SpecialStep(Alike):
    """A special procedure (特别程序) that stops the clock unless `is_counted`; `days` are working days."""

    name: Text
    days: PositiveInt
    is_counted: bool = False
    basis: Text


class OpinionRule(Alike):
    """Which other departments must be heard before an approval (会签), each within so many working days.

    all: all must agree. some: `needed` of them. veto: none may object; who keeps silent past the time does not.
    """

    rule: Literal["all", "some", "veto"]
    departments: tuple[str, ...]
    needed: PositiveInt = 1
    days: PositiveInt


class TransferRule(Sourced, Alike):
    """That a step may be transferred to another authority of its department in the province (移送), once.

    `days_from` is from which day the days for telling the applicant of gaps count: that on which the first authority
    had all of it, or that of the transfer. The days of a step that is accepted go on in any case.
    """

    days_from: DaysFrom


class Part(Alike):
    """What the receiving place does itself before a step is sent on (受理地的分工): which department, and what.

    `has_paper`: originals travel between the two places by post. `certainty` as of the handling, for the part itself.
    """

    department: str
    name: Text
    has_paper: bool = False
    certainty: Literal["stated", "inferred"]
    source: Text


class Handling(Alike):
    """How an item is handled across provinces (跨省通办), where it may be received (provinces; none: all), and when.

    online 全程网办: everything online; handover 异地代收代办: received elsewhere and sent on; joint 多地联办: each
    place its own part. `certainty`: the mode is stated in a source, or inferred here. `part`: the receiving place's own
    part, without which nothing is sent on.
    """

    mode: Literal["online", "handover", "joint"]
    part: Part | None = None
    areas: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    certainty: Literal["stated", "inferred"]
    source: Text

    def covers(self, province: str, on: date) -> bool:
        """Whether it holds in this province on this day."""
        is_in_time = (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )
        return is_in_time and (not self.areas or province in self.areas)


class LevelRule(Alike):
    """A level (行使层级) at which an item is decided, and the answers, of questions or the form, for which it is."""

    level: Level
    when: Mapping[str, tuple[str, ...]] = {}

    def holds(self, answers: Mapping[str, str]) -> bool:
        """Whether these answers are those under which it is decided here."""
        return all(answers.get(code) in allowed for code, allowed in self.when.items())

    def may_hold(self, answers: Mapping[str, str]) -> bool:
        """Whether none of these answers is against it."""
        return all(answers[code] in allowed for code, allowed in self.when.items() if code in answers)


class Competence(Sourced, Alike):
    """Who decides an item: an authority (实施主体) of the first level whose answers are given, or none.

    authority: an organ of the item's department. provider: a hospital, a school or a bank, which is no authority; what
    it does is no administrative act. chosen: whom the applicant chooses, as with a notary (公证机构).
    """

    decided_by: DecidedBy = "authority"
    levels: tuple[LevelRule, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.decided_by == "authority") != bool(self.levels):
            raise ValueError("levels must stand where an authority decides, and only there")
        if self.levels and [bool(rule.when) for rule in self.levels] != [True] * (len(self.levels) - 1) + [False]:
            raise ValueError("the last of the levels must stand without answers, and only that one")
        return self

    def level_of(self, answers: Mapping[str, str]) -> Level:
        """The level at which an authority decides with these answers; an answer that is missing fits no condition."""
        return next(rule.level for rule in self.levels if rule.holds(answers))

    def levels_left(self, answers: Mapping[str, str]) -> tuple[Level, ...]:
        """The levels at which it may be decided, as long as some answers are still missing."""
        last = next((place for place, rule in enumerate(self.levels) if rule.holds(answers)), -1)
        return tuple(rule.level for rule in self.levels[: last + 1] if rule.may_hold(answers))


class Item(Sourced, Various):
    """One item (事项) of one department.

    `jurisdiction` is the question whose answer is the division that decides, or `home`. `yields` is the
    result of an approval, `yields_fields` what stands in it. Days are working days, the fee is in fen. `is_alone`: it
    may be applied for by itself. `words` are what people call it.

    `unanswered`: how a step ends whose supplement (补正) nobody answers within `supplement_days`. A deferred material
    may come `deferral_days` after acceptance; an extension gives at most `extension_days`.

    `competence` says who decides; none: nothing is known. `two_persons`: one person proposes
    the decision (拟办), another one takes it. `transfer`: whether a step may go to another authority; none: it may not.

    `signatures` are the papers that the applicant signs electronically (电子签名). `personal_status` is which status of
    a person it is about (人身关系), of which nothing is signed so; empty: nobody has said.
    """

    code: str
    name: Text
    type: Literal["licence", "payment", "confirmation", "ruling", "award", "other_power", "service"]
    department: str
    jurisdiction: str
    competence: Competence | None = None
    conditions: tuple[Condition, ...] = ()
    fields: tuple[FieldNeed, ...] = ()
    materials: tuple[MaterialNeed, ...] = ()
    yields: str = ""
    yields_fields: tuple[Need, ...] = ()
    legal_days: PositiveInt
    promised_days: PositiveInt
    special_steps: tuple[SpecialStep, ...] = ()
    supplement_days: PositiveInt = 15
    unanswered: Literal["withdrawn", "declined"] = "withdrawn"
    deferral_days: PositiveInt = 5
    extension_days: PositiveInt = 10
    opinions: OpinionRule | None = None
    two_persons: bool = False
    transfer: TransferRule | None = None
    fee_fen: NonNegativeInt = 0
    fee_basis: str = ""
    visits: NonNegativeInt = 1
    handling: tuple[Handling, ...] = ()
    guidance: str = ""
    is_alone: bool = False
    subject: Literal["person", "enterprise"] = "person"
    words: tuple[Text, ...] = ()
    signatures: tuple[SignedKind, ...] = ()
    personal_status: PersonalStatus = ""

    def handled_from(self, province: str, on: date) -> Handling | None:
        """How it is handled on this day if another province receives it; None: it is not taken from that one."""
        return next((each for each in self.handling if each.covers(province, on)), None)
