"""Guiding: which bundles there are, and what one of them asks of a citizen with given answers."""

from collections.abc import Mapping
from typing import Any, Literal

from server.domain.catalogue import Batch, Bundle, Question, Status
from server.domain.forms import schema_of
from server.domain.merging import MergedMaterial, Saved, merge
from server.domain.names import Value
from server.domain.plan import PlannedStep, make_plan, require_answers
from server.domain.routing import route
from server.node import Node


class BundleLine(Value):
    """A bundle as it stands in the list."""

    code: str
    name: str
    summary: str
    stage: str
    status: Status


class BundleList(Value):
    """All bundles of a catalogue version."""

    catalogue: str
    bundles: tuple[BundleLine, ...]


class BundleView(Value):
    """A bundle with the questions that its plan depends on."""

    code: str
    name: str
    summary: str
    stage: str
    lead: str
    items: tuple[str, ...]
    questions: tuple[Question, ...]
    source: str
    status: Status
    catalogue: str


class GuideStep(Value):
    """A step of the plan, and who decides it."""

    step: str
    name: str
    department: str
    department_name: str
    division: str
    node: str
    node_name: str
    needs: tuple[str, ...]
    yields: str
    promised_days: int


class GuideMaterial(Value):
    """A material to hand in once, and the steps that need it."""

    code: str
    name: str
    hint: str
    is_required: bool
    needed_by: tuple[str, ...]


class Guide(Value):
    """What a bundle asks with these answers: one form as JSON Schema, materials, steps, and what is saved."""

    bundle: str
    catalogue: str
    form: dict[str, Any]
    materials: tuple[GuideMaterial, ...]
    steps: tuple[GuideStep, ...]
    saved: Saved


class ListLine(Value):
    """A name on a list, how certain it is, and the bundle of the catalogue that has this name (empty: none)."""

    name: str
    certainty: Literal["found", "weak"]
    bundle: str


class BatchView(Value):
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
    batches: tuple[BatchView, ...]


def bundles(node: Node) -> BundleList:
    """All bundles of the catalogue in force."""
    lines = tuple(
        BundleLine(**bundle.model_dump(include=set(BundleLine.model_fields))) for bundle in node.catalogue.bundles
    )
    return BundleList(catalogue=node.catalogue.version, bundles=lines)


def bundle(node: Node, code: str) -> BundleView:
    """One bundle; raises NoSuchBundle."""
    found = node.catalogue.bundle(code)
    return BundleView(
        **found.model_dump(include=set(BundleView.model_fields)),
        items=tuple(node.catalogue.item_of[step.item].name for step in found.steps),
        catalogue=node.catalogue.version,
    )


def yearly_list(node: Node, year: str) -> ListView:
    """What is known of the lists of this year; raises NoSuchList."""
    found = node.catalogue.list_of(year)
    codes = {bundle.name: bundle.code for bundle in node.catalogue.bundles}
    return ListView(
        year=found.year,
        official_count=sum(batch.official_count for batch in found.batches),
        named_count=sum(len(batch.entries) for batch in found.batches),
        batches=tuple(_batch(batch, codes) for batch in found.batches),
    )


def _batch(batch: Batch, codes: Mapping[str, str]) -> BatchView:
    named, official = len(batch.entries), batch.official_count
    return BatchView(
        **batch.model_dump(exclude={"entries"}),
        named_count=named,
        notice=f"{batch.document}共{official}项，这里列出{named}项，据公开资料汇集，不是官方清单原文。",
        entries=tuple(ListLine(**each.model_dump(), bundle=codes.get(each.name, "")) for each in batch.entries),
    )


def guide(node: Node, code: str, answers: Mapping[str, str]) -> Guide:
    """What the bundle asks; raises NoSuchBundle, AnswersIncomplete, NoNodeFor."""
    found = node.catalogue.bundle(code)
    require_answers(found, answers, node.ground())
    steps = make_plan(node.catalogue, found, answers, home=node.here)
    return _guide(node, found, steps)


def _guide(node: Node, found: Bundle, steps: tuple[PlannedStep, ...]) -> Guide:
    merged = merge(node.catalogue, found, steps)
    return Guide(
        bundle=found.code,
        catalogue=node.catalogue.version,
        form=schema_of(merged.fields),
        materials=tuple(_material(each) for each in merged.materials),
        steps=tuple(_step(node, step) for step in steps),
        saved=merged.saved,
    )


def _material(merged: MergedMaterial) -> GuideMaterial:
    return GuideMaterial(
        code=merged.material.code,
        name=merged.material.name,
        hint=merged.material.hint,
        is_required=merged.is_required,
        needed_by=merged.needed_by,
    )


def _step(node: Node, step: PlannedStep) -> GuideStep:
    entry = route(node.directory, step.division)
    return GuideStep(
        step=step.code,
        name=step.name,
        department=step.department,
        department_name=node.catalogue.departments[step.department],
        division=step.division,
        node=entry.node,
        node_name=entry.name,
        needs=step.needs,
        yields=step.yields,
        promised_days=step.promised_days,
    )
