"""The catalogue (事项目录): what a nation publishes and provinces vary, under one version."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.items import HOME, Field, Item, Material, Sourced, Text
from server.domain.catalogue.results import Result
from server.domain.catalogue.variants import BundleVariant, ItemVariant
from server.domain.errors import Missing
from server.domain.remembering import Memory
from server.domain.values import Value


class NoSuchBundle(Missing):
    """The catalogue has no bundle of this code."""

    code = "no_such_bundle"
    title = "没有这件事"


class NoSuchItem(Missing):
    """The catalogue has no item of this code."""

    code = "no_such_item"
    title = "没有这个事项"


class Catalogue(Sourced):
    """All of it under one version; a case keeps the version it was opened under.

    Its own source and status are those of the names of departments, results, stages and jurisdictions; in
    `delivery_field` an applicant chooses how a document reaches them (empty: in none). The look-ups
    are kept once made, so a changed catalogue is built anew: `model_copy` would take them along.
    """

    version: Text
    departments: Mapping[str, Text]
    results: Mapping[str, Result]
    delivery_field: str = ""
    jurisdictions: Mapping[str, Text] = {}
    stages: Mapping[Literal["person", "enterprise"], tuple[Text, ...]] = {}
    fields: tuple[Field, ...]
    materials: tuple[Material, ...]
    items: tuple[Item, ...]
    bundles: tuple[Bundle, ...]
    item_variants: tuple[ItemVariant, ...] = ()
    bundle_variants: tuple[BundleVariant, ...] = ()

    def name_of(self, kind: Literal["field", "material"], code: str) -> str:
        """The name of a field or material; its code if it has none here."""
        found = self.field_of.get(code) if kind == "field" else self.material_of.get(code)
        return found.name if found else code

    def document_of(self, item: Item) -> str:
        """The code of the licence or paper that an approval of the item yields; empty: its result is no document."""
        return item.yields if item.yields in self.documents else ""

    @cached_property
    def documents(self) -> frozenset[str]:
        """The codes of the results that are licences or papers."""
        return frozenset(code for code, result in self.results.items() if result.kind != "text")

    @cached_property
    def made(self) -> Memory:
        """What was made of it lately, such as plans and forms, by those who make it."""
        return Memory()

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

    @cached_property
    def bundle_of(self) -> dict[str, Bundle]:
        """Bundles by code, those of one item that may be applied for alone among them."""
        alone = {item.code: self._alone(item) for item in self.items if item.is_alone}
        return alone | {bundle.code: bundle for bundle in self.bundles}

    @cached_property
    def bundles_with(self) -> dict[str, tuple[str, ...]]:
        """The codes of the bundles that have a step for an item, by the item's code."""
        found: dict[str, dict[str, None]] = {}
        for bundle in self.bundles:
            for step in bundle.steps:
                found.setdefault(step.item, {})[bundle.code] = None
        return {item: tuple(codes) for item, codes in found.items()}

    @cached_property
    def yielded(self) -> frozenset[str]:
        """The fields that some item yields."""
        return frozenset(need.code for item in self.items for need in item.yields_fields)

    @cached_property
    def level_codes(self) -> tuple[str, ...]:
        """The questions and fields on which it depends, in some province, at which level an item is decided."""
        items = [item for catalogue in (self, *self._local.values()) for item in catalogue.items]
        rules = [rule for item in items if item.competence for rule in item.competence.levels]
        return tuple(sorted({code for rule in rules for code in rule.when}))

    @property
    def provinces(self) -> list[str]:
        """The provinces that have a variant of something."""
        items = {each.province for each in self.item_variants}
        return sorted(items | {each.province for each in self.bundle_variants})

    @cached_property
    def _local(self) -> dict[str, "Catalogue"]:
        national = {name: getattr(self, name) for name in type(self).model_fields}
        national |= {"item_variants": (), "bundle_variants": ()}
        return {province: self.model_validate(national | self._of(province)) for province in self.provinces}

    def of(self, province: str) -> "Catalogue":
        """The catalogue as it is in this province (`320000`)."""
        return self._local.get(province, self)

    def bundle(self, code: str) -> Bundle:
        """The bundle of this code, or that of one item alone; raises NoSuchBundle."""
        if code not in self.bundle_of:
            raise NoSuchBundle("目录中没有这件事，请核对后重试。")
        return self.bundle_of[code]

    def item(self, code: str) -> Item:
        """The item of this code; raises NoSuchItem."""
        if code not in self.item_of:
            raise NoSuchItem("目录中没有这个事项，请核对后重试。")
        return self.item_of[code]

    def _of(self, province: str) -> dict[str, Iterable[Value]]:
        items = {each.item: each for each in self.item_variants if each.province == province}
        bundles = {each.bundle: each for each in self.bundle_variants if each.province == province}
        return {
            "items": tuple(items[each.code].of(each) if each.code in items else each for each in self.items),
            "bundles": tuple(bundles[each.code].of(each) if each.code in bundles else each for each in self.bundles),
        }

    def _alone(self, item: Item) -> Bundle:
        """The bundle of this item and nothing else."""
        where = item.jurisdiction
        asked = Question(code=where, name=self.jurisdictions.get(where, where), type="division")
        return Bundle(
            code=item.code,
            name=item.name,
            summary=item.guidance or item.name,
            subject=item.subject,
            stage="单办",
            lead=item.department,
            questions=() if where == HOME else (asked,),
            steps=(BundleStep(item=item.code),),
            legal_days=item.legal_days,
            promised_days=item.promised_days,
            visits=item.visits,
            source=item.source,
            status=item.status,
        )
