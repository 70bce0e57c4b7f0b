"""The bundles (一件事) of a catalogue: life events as graphs of items."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import NonNegativeInt, PositiveInt, model_validator

from server.domain.catalogue.alike import Alike, Various
from server.domain.catalogue.items import Sourced, Text

Applicant = Literal["subject", "relative"]
Closing = Literal["all", "undertaking"]


class Question(Alike):
    """What decides which items apply and who decides them; asked only when the earlier answers are those of `when`.

    A `one_of` question chooses one among the steps that name it.
    """

    code: str
    name: Text
    type: Literal["division", "choice", "one_of"]
    choices: Mapping[str, str] = {}
    hint: str = ""
    when: Mapping[str, tuple[str, ...]] = {}
    is_required: bool = True


class BundleStep(Alike):
    """An item's place in a bundle's graph: the steps it needs, and the answers under which it applies.

    `one_of` names the question that chooses it among others; an optional step applies if the applicant wants it.
    """

    item: str
    needs: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = {}
    one_of: str = ""
    is_optional: bool = False


class Bundle(Sourced, Various):
    """One thing (一件事): a life event as a graph of items. `closing` is the rule by which a case closes: when all
    steps have ended, or against an undertaking (告知承诺) already when those of the lead department have.

    `legal_days` and `promised_days` are those published for the whole bundle; without them the items' days count.
    `words` are everyday names. `applicants` (申请人): the subject (对象), or a relative of the subject; then
    `subject_fields` are the fields of the subject's name and ID number.
    """

    code: str
    name: Text
    summary: Text
    subject: Literal["person", "enterprise"]
    stage: Text
    lead: str
    cooperating: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    steps: tuple[BundleStep, ...]
    closing: Closing = "all"
    legal_days: PositiveInt | None = None
    promised_days: PositiveInt | None = None
    visits: NonNegativeInt = 0
    words: tuple[Text, ...] = ()
    applicants: tuple[Applicant, ...] = ("subject",)
    subject_fields: tuple[str, str] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.applicants or len(set(self.applicants)) < len(self.applicants):
            raise ValueError("applicants must name at least one, and each only once")
        if ("relative" in self.applicants) != (self.subject_fields is not None):
            raise ValueError("subject_fields must stand where relatives apply, and only there")
        return self
