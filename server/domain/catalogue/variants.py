"""The variants (地方差异) of items and bundles: what one province does otherwise than the nation."""

from typing import TypeVar

from pydantic import NonNegativeInt, PositiveInt

from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.items import Condition, FieldNeed, Handling, Item, MaterialNeed, Sourced, SpecialStep, Text
from server.domain.values import Value

Entry = TypeVar("Entry", Item, Bundle)


class ItemVariant(Sourced):
    """What is otherwise with an item in one province; what is not named is as in the nation."""

    item: str
    province: str
    conditions: tuple[Condition, ...] | None = None
    fields: tuple[FieldNeed, ...] | None = None
    materials: tuple[MaterialNeed, ...] | None = None
    legal_days: PositiveInt | None = None
    promised_days: PositiveInt | None = None
    special_steps: tuple[SpecialStep, ...] | None = None
    fee_fen: NonNegativeInt | None = None
    visits: NonNegativeInt | None = None
    handling: tuple[Handling, ...] | None = None
    guidance: Text | None = None

    @property
    def code(self) -> str:
        """How it is named: `320000/household_registration`."""
        return f"{self.province}/{self.item}"

    def of(self, item: Item) -> Item:
        """The item as it is in this province."""
        return _varied(item, self, without={"item", "province"})


class BundleVariant(Sourced):
    """What is otherwise with a bundle in one province: steps added (or other in it), steps it does without."""

    bundle: str
    province: str
    steps: tuple[BundleStep, ...] = ()
    without: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    cooperating: tuple[str, ...] | None = None
    legal_days: PositiveInt | None = None
    promised_days: PositiveInt | None = None
    visits: NonNegativeInt | None = None

    @property
    def code(self) -> str:
        """How it is named: `320000/newborn`."""
        return f"{self.province}/{self.bundle}"

    def of(self, bundle: Bundle) -> Bundle:
        """The bundle as it is in this province."""
        others = {step.item: step for step in self.steps}
        steps = [others.pop(step.item, step) for step in bundle.steps if step.item not in self.without]
        asked = {question.code: question for question in (*bundle.questions, *self.questions)}
        changed = bundle.model_copy(update={"steps": (*steps, *others.values()), "questions": tuple(asked.values())})
        return _varied(changed, self, without={"bundle", "province", "steps", "without", "questions"})


def _varied(entry: Entry, variant: Value, *, without: set[str]) -> Entry:
    """The entry with what the variant names."""
    named = {name: value for name, value in variant if value is not None and name not in without}
    return entry.model_copy(update=named)
