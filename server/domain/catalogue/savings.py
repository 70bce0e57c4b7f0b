"""Savings: what each bundle spares against applying for its items one by one."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product

from server.domain.catalogue.answers import YES, is_asked, questions_of
from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.durations import days_of
from server.domain.catalogue.items import Status
from server.domain.catalogue.merging import items_of, merge
from server.domain.catalogue.plan import PlannedStep, lay_out
from server.domain.values import Value

NATION = "000000"


class Savings(Value):
    """A bundle at its fullest: each pair is what items ask one by one, and what is asked of them merged."""

    code: str
    name: str
    status: Status
    steps: int
    fields: tuple[int, int]
    materials: tuple[int, int]
    visits: tuple[int, int]
    days: tuple[int, int]


def savings(catalogue: Catalogue) -> Iterator[Savings]:
    """One row for each bundle by the national standards: with the answers by which most steps apply, all at home."""
    for bundle in catalogue.bundles:
        steps = max((_steps(catalogue, bundle, answers) for answers in _answers(catalogue, bundle)), key=len)
        form, items, days = merge(catalogue, bundle, steps), items_of(catalogue, steps), days_of(bundle, steps)
        yield Savings(
            code=bundle.code,
            name=bundle.name,
            status=bundle.status,
            steps=len(steps),
            fields=(sum(len(item.fields) for item in items), len(form.fields)),
            materials=(sum(len(item.materials) for item in items), len(form.materials)),
            visits=(sum(item.visits for item in items), bundle.visits),
            days=(days.one_by_one, days.together),
        )


def _steps(catalogue: Catalogue, bundle: Bundle, answers: Mapping[str, str]) -> tuple[PlannedStep, ...]:
    nowhere = Divisions(known_to=date.min, source="-", status="sample", divisions=())
    context = Context(home=NATION, on=date.min, authorities=Authorities(divisions=nowhere))
    return lay_out(catalogue, bundle, answers, context=context).steps


def _answers(catalogue: Catalogue, bundle: Bundle) -> Iterator[dict[str, str]]:
    """Every way to answer, with every optional step wished for."""
    asked = questions_of(catalogue, bundle)
    wished = {step.item for step in bundle.steps if step.is_optional}
    offered = [
        [NATION] if each.type == "division" else [YES] if each.code in wished else list(each.choices) for each in asked
    ]
    for answers in product(*offered):
        way = dict(zip((each.code for each in asked), answers, strict=True))
        yield {each.code: way[each.code] for each in asked if is_asked(each, way)}
