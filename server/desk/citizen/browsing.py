"""Browsing: which bundles and items there are, what a search finds among them, what the yearly lists name."""

from collections.abc import Mapping
from typing import Literal

from server.domain.catalogue.answers import questions_of
from server.domain.catalogue.bundles import Bundle, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import Condition, Handling, SpecialStep, Status
from server.domain.catalogue.lists import ListBatch, NoSuchList, YearlyList
from server.domain.catalogue.results import ResultKind
from server.domain.values import Value
from server.node import Node

MOST_FOUND = 20


class BundleLine(Value):
    """A bundle as it stands in the list."""

    code: str
    name: str
    summary: str
    subject: str
    stage: str
    status: Status


class BundleList(Value):
    """Bundles of a catalogue version, and all stages there are by subject."""

    catalogue: str
    stages: Mapping[str, tuple[str, ...]]
    bundles: tuple[BundleLine, ...]


class StepLine(Value):
    """An item's place in a bundle: which others it needs, and whether the applicant may do without it."""

    item: str
    name: str
    department_name: str
    needs: tuple[str, ...]
    one_of: str
    is_optional: bool


class BundleView(Value):
    """A bundle with the questions that its plan depends on, as it is in this province."""

    code: str
    name: str
    summary: str
    subject: str
    stage: str
    lead: str
    lead_name: str
    cooperating: tuple[str, ...]
    items: tuple[str, ...]
    steps: tuple[StepLine, ...]
    questions: tuple[Question, ...]
    closing: str
    applicants: tuple[str, ...]
    legal_days: int | None
    promised_days: int | None
    visits: int
    source: str
    status: Status
    catalogue: str


class Requirement(Value):
    """A field or a material that an item asks for, in words."""

    code: str
    name: str
    is_required: bool


class MaterialRequirement(Requirement):
    """A material that an item asks for; nobody hands in one that is shared (共享)."""

    hint: str
    form: str
    copies: int
    origin: str
    may_be_deferred: bool


class ItemView(Value):
    """An item as it is in this province, and the bundles it is part of; `is_alone`: its code is a bundle's too."""

    code: str
    name: str
    type: str
    department: str
    department_name: str
    jurisdiction: str
    jurisdiction_name: str
    conditions: tuple[Condition, ...]
    fields: tuple[Requirement, ...]
    materials: tuple[MaterialRequirement, ...]
    yields: str
    yields_name: str
    yields_kind: ResultKind | Literal[""]
    legal_days: int
    promised_days: int
    special_steps: tuple[SpecialStep, ...]
    fee_fen: int
    fee_basis: str
    visits: int
    handling: tuple[Handling, ...]
    guidance: str
    is_alone: bool
    bundles: tuple[str, ...]
    source: str
    status: Status
    catalogue: str


class SearchResult(Value):
    """A bundle or an item that a search found, and the bundles by which it may be applied for."""

    kind: Literal["bundle", "item"]
    code: str
    name: str
    summary: str
    bundles: tuple[str, ...]


class SearchResults(Value):
    """What a search found, best first."""

    q: str
    found: tuple[SearchResult, ...]


class ListLine(Value):
    """A name on a list, how certain it is, and the bundle of the catalogue that has this name (empty: none)."""

    name: str
    certainty: Literal["found", "weak"]
    bundle: str


class ListBatchView(Value):
    """One document of a year: `named_count` of its `official_count` things can be named, as `notice` says in words."""

    name: str
    batch: int
    document: str
    issued: str
    official_count: int
    named_count: int
    notice: str
    source: str
    status: Status
    entries: tuple[ListLine, ...]


class ListView(Value):
    """What is known of a year's lists; never the official list itself."""

    year: int
    official_count: int
    named_count: int
    batches: tuple[ListBatchView, ...]


def local(node: Node) -> Catalogue:
    """The catalogue as it is in this node's province."""
    return node.catalogue.of(province_of(node.here))


def bundles(node: Node, *, stage: str = "", subject: str = "", q: str = "") -> BundleList:
    """The bundles of this stage and for this subject; with `q`, those that a search finds, best first."""
    known = {bundle.code: bundle for bundle in local(node).bundles}
    if q.strip():
        codes = [code for hit in node.published.index.find(q, most=len(known)) for code in _bundles_of(node, hit.code)]
        known = {code: known[code] for code in dict.fromkeys(codes)}
    chosen = [each for each in known.values() if stage in ("", each.stage) and subject in ("", each.subject)]
    return BundleList(
        catalogue=node.catalogue.version,
        stages={subject: names for subject, names in node.catalogue.stages.items()},  # noqa: C416 # its keys are any text
        bundles=tuple(BundleLine(**each.model_dump(include=set(BundleLine.model_fields))) for each in chosen),
    )


def bundle(node: Node, code: str) -> BundleView:
    """One bundle; raises NoSuchBundle."""
    catalogue = local(node)
    found = catalogue.bundle(code)
    shown = set(BundleView.model_fields) - {"steps", "questions"}
    return BundleView(
        **found.model_dump(include=shown),
        lead_name=catalogue.departments[found.lead],
        items=tuple(catalogue.item_of[step.item].name for step in found.steps),
        steps=tuple(_step_lines(catalogue, found)),
        questions=questions_of(catalogue, found),
        catalogue=catalogue.version,
    )


def _step_lines(catalogue: Catalogue, found: Bundle) -> list[StepLine]:
    items = [catalogue.item_of[step.item] for step in found.steps]
    return [
        StepLine(
            name=item.name,
            department_name=catalogue.departments[item.department],
            **step.model_dump(exclude={"when"}),
        )
        for step, item in zip(found.steps, items, strict=True)
    ]


def item(node: Node, code: str) -> ItemView:
    """One item; raises NoSuchItem."""
    catalogue = local(node)
    found = catalogue.item(code)
    shown = set(ItemView.model_fields) - {"fields", "materials"}
    result = catalogue.results.get(found.yields)
    fields = [(need, catalogue.field_of[need.code]) for need in found.fields]
    materials = [(need, catalogue.material_of[need.code]) for need in found.materials]
    return ItemView(
        **found.model_dump(include=shown),
        department_name=catalogue.departments[found.department],
        jurisdiction_name=catalogue.jurisdictions.get(found.jurisdiction, ""),
        fields=tuple(Requirement(name=field.name, **need.model_dump(exclude={"when"})) for need, field in fields),
        materials=tuple(
            MaterialRequirement(name=material.name, hint=material.hint, **need.model_dump(exclude={"is_core_safety"}))
            for need, material in materials
        ),
        yields_name=result.name if result else "",
        yields_kind=result.kind if result else "",
        bundles=_bundles_of(node, code),
        catalogue=catalogue.version,
    )


def _bundles_of(node: Node, code: str) -> tuple[str, ...]:
    """The bundle of this code (an item alone is none here), and those that the item of this code is part of."""
    catalogue = local(node)
    found = catalogue.item_of.get(code)
    own = (code,) if code in catalogue.bundle_of and not (found and found.is_alone) else ()
    return tuple(dict.fromkeys((*own, *catalogue.bundles_with.get(code, ()))))


def search(node: Node, q: str) -> SearchResults:
    """The bundles and items that fit these words best."""
    hits = node.published.index.find(q, most=MOST_FOUND)
    return SearchResults(q=q[:100], found=tuple(_found(node, hit.kind, hit.code) for hit in hits))


def _found(node: Node, kind: Literal["bundle", "item"], code: str) -> SearchResult:
    if kind == "bundle":
        bundle = local(node).bundle(code)
        return SearchResult(kind=kind, code=code, name=bundle.name, summary=bundle.summary, bundles=(code,))
    item = local(node).item(code)
    alone = (code,) if item.is_alone else ()
    return SearchResult(
        kind=kind, code=code, name=item.name, summary=item.guidance, bundles=alone + _bundles_of(node, code)
    )


def yearly_list(node: Node, year: str) -> ListView:
    """What is known of the lists of this year; raises NoSuchList."""
    found = _list_of(node.published.lists, year)
    codes = {bundle.name: bundle.code for bundle in node.catalogue.bundles}
    return ListView(
        year=found.year,
        official_count=sum(batch.official_count for batch in found.batches),
        named_count=sum(len(batch.entries) for batch in found.batches),
        batches=tuple(_batch(batch, codes) for batch in found.batches),
    )


def _list_of(lists: tuple[YearlyList, ...], year: str) -> YearlyList:
    for each in lists:
        if str(each.year) == year:
            return each
    raise NoSuchList("没有收录这一年的清单。")


def _batch(batch: ListBatch, codes: Mapping[str, str]) -> ListBatchView:
    named, official = len(batch.entries), batch.official_count
    return ListBatchView(
        **batch.model_dump(exclude={"entries"}),
        named_count=named,
        notice=f"{batch.document}共{official}项，这里列出{named}项，据公开资料汇集，不是官方清单原文。",
        entries=tuple(ListLine(**each.model_dump(), bundle=codes.get(each.name, "")) for each in batch.entries),
    )
