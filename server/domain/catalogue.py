"""The catalogue (事项目录): fields, materials, items and bundles as a province publishes them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import NonNegativeInt, PositiveInt, StringConstraints

from server.domain.errors import Missing
from server.domain.names import Value

Status = Literal["official", "local", "sample"]
Text = Annotated[str, StringConstraints(min_length=1)]


class NoSuchBundle(Missing):
    """The catalogue has no bundle of this code."""

    title = "没有这件事"


class NoSuchList(Missing):
    """No list of this year is known."""

    title = "没有这一年的清单"


class Sourced(Value):
    """What must say where it is known from (出处), and how far that may be relied on."""

    source: Text
    status: Status


class Field(Sourced):
    """One question of the form, defined once for all items.

    `filled_from` names a detail of the applicant that the session has proven, so nobody is asked for it. `longest`
    counts for texts, `not_after_today` for dates, such as those of births.
    """

    code: str
    name: Text
    type: Literal[
        "text",
        "date",
        "id_number",
        "mobile",
        "uscc",
        "person_name",
        "enterprise_name",
        "choice",
        "division",
    ]
    group: Text
    is_sensitive: bool
    example: str = ""
    hint: str = ""
    choices: Mapping[str, str] = {}
    longest: PositiveInt = 100
    not_after_today: bool = False
    filled_from: Literal["", "name", "id_number"] = ""


class Material(Sourced):
    """One kind of document (材料) that an item may ask for."""

    code: str
    name: Text
    hint: str = ""


class Need(Value):
    """A field or a material that an item declares, by its code."""

    code: str
    is_required: bool = True


class Item(Sourced):
    """One item (事项) of one department.

    `jurisdiction` is the question whose answer is the division that decides, or `home`. `yields` is the
    licence (证照) of an approval, `yields_fields` what stands in it that other items may need.
    """

    code: str
    name: Text
    department: str
    jurisdiction: str
    fields: tuple[Need, ...] = ()
    materials: tuple[Need, ...] = ()
    yields: str = ""
    yields_fields: tuple[Need, ...] = ()
    legal_days: PositiveInt
    promised_days: PositiveInt
    visits: NonNegativeInt = 1


class Question(Value):
    """What decides which items apply and who decides them."""

    code: str
    name: Text
    type: Literal["division", "choice"]
    choices: Mapping[str, str] = {}
    hint: str = ""


class BundleStep(Value):
    """An item's place in a bundle's graph: the steps it needs, and the answers under which it applies."""

    item: str
    needs: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = {}


class Bundle(Sourced):
    """One thing (一件事): a life event as a graph of items. `closing` is the rule by which a case closes."""

    code: str
    name: Text
    summary: str
    stage: str
    lead: str
    cooperating: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    steps: tuple[BundleStep, ...]
    closing: Literal["all"] = "all"
    legal_days: PositiveInt
    promised_days: PositiveInt
    visits: NonNegativeInt = 0


class ListEntry(Value):
    """A name on a yearly list, and whether it was found in a source or only in a weak one."""

    name: Text
    certainty: Literal["found", "weak"]


class Batch(Sourced):
    """One document of a year's lists: how many things it officially names, and those of them that we can name."""

    name: Text
    batch: PositiveInt
    document: Text
    issued: Annotated[str, StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}(-[0-9]{2})?)?$")] = ""
    official_count: PositiveInt
    entries: tuple[ListEntry, ...] = ()


class YearlyList(Value):
    """The list of one year (年度清单): which things the nation adds to those done as one, as far as it is known."""

    year: PositiveInt
    batches: tuple[Batch, ...]


class Catalogue(Sourced):
    """All of it under one version; a case keeps the version it was opened under.

    Its own source and status are those of the names of the departments and licences. The look-ups are kept once
    made, so a changed catalogue is built anew: `model_copy` would take them along.
    """

    version: Text
    departments: Mapping[str, Text]
    licences: Mapping[str, Text]
    fields: tuple[Field, ...]
    materials: tuple[Material, ...]
    items: tuple[Item, ...]
    bundles: tuple[Bundle, ...]
    lists: tuple[YearlyList, ...] = ()

    @cached_property
    def field_of(self) -> dict[str, Field]:
        """Fields by code."""
        return {field.code: field for field in self.fields}

    @cached_property
    def material_of(self) -> dict[str, Material]:
        """Materials by code."""
        return {material.code: material for material in self.materials}

    @cached_property
    def item_of(self) -> dict[str, Item]:
        """Items by code."""
        return {item.code: item for item in self.items}

    def bundle(self, code: str) -> Bundle:
        """The bundle of this code; raises NoSuchBundle."""
        for bundle in self.bundles:
            if bundle.code == code:
                return bundle
        raise NoSuchBundle("目录中没有这件事，请核对后重试。")

    def list_of(self, year: str) -> YearlyList:
        """The list of this year; raises NoSuchList."""
        for each in self.lists:
            if str(each.year) == year:
                return each
        raise NoSuchList("没有收录这一年的清单。")
