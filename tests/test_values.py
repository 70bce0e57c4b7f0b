"""Values: a change makes a new one and names only what there is; an error about one does not tell what stood in it."""

import importlib
import pkgutil
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import handlers
import regions
import server
from handlers.bodies import BodyFaulty, read_model
from handlers.cases import CaseRequest
from server.domain.case.case import Case
from server.domain.case.events import EVENT
from server.domain.exchange.letters import Letter
from server.domain.people.mandates import Mandate
from tests.world import CATALOGUE, opened, planned

ID_NUMBER = "320000199001010015"


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """All modules of a package but those that are commands."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


PRODUCT = [module for package in (server, handlers, regions) for module in modules(package)]


def kinds(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """All models of the product, but for what pydantic makes of a generic one to derive it from."""
    for kind in base.__subclasses__():
        is_ours = kind.__module__.partition(".")[0] in ("server", "handlers", "regions")
        if is_ours and not kind.__pydantic_generic_metadata__["origin"]:
            yield kind
        yield from kinds(kind)


MODELS = sorted(set(kinds(BaseModel)), key=lambda kind: f"{kind.__module__}.{kind.__name__}")
ADAPTERS = {
    f"{module.__name__}.{name}": value
    for module in PRODUCT
    for name, value in vars(module).items()
    if isinstance(value, TypeAdapter)
}


def test_a_change_of_a_name_that_a_value_does_not_have_is_refused() -> None:
    step = opened([planned("one")]).steps["one"]
    with pytest.raises(TypeError, match="Step has no `stat`, `vresion`"):
        step.model_copy(update={"vresion": 2, "stat": "sent", "state": "sent"})
    assert step.model_copy(update={"state": "sent"}).state == "sent"
    assert step.model_copy() == step


def test_a_change_is_named_as_in_code_not_as_on_the_wire() -> None:
    letter = Letter.model_construct(sender="320000", to="330000")
    with pytest.raises(TypeError, match="Letter has no `from`"):
        letter.model_copy(update={"from": "440000"})


def test_what_was_computed_of_a_value_is_computed_anew_of_a_changed_one() -> None:
    assert "first" in CATALOGUE.item_of
    changed = CATALOGUE.model_copy(update={"items": CATALOGUE.items[1:]})
    assert "first" not in changed.item_of
    assert "first" in CATALOGUE.item_of


def tells(read: Callable[[Any], object], given: Any) -> bool:
    """Whether the error about what is given tells it."""
    with pytest.raises(ValidationError) as found:
        read(given)
    return ID_NUMBER in str(found.value)


def test_an_error_of_no_model_tells_what_stood_in_it() -> None:
    assert {Case, CaseRequest, Mandate} <= set(MODELS)
    assert [kind for kind in MODELS if tells(kind.model_validate, ID_NUMBER)] == []


def test_an_error_of_no_adapter_tells_what_stood_in_it() -> None:
    assert EVENT in ADAPTERS.values()
    wrong = [{"kind": "opened", "case": {"id_number": ID_NUMBER}}]
    assert [name for name, adapter in ADAPTERS.items() if tells(adapter.validate_python, wrong)] == []


@pytest.mark.parametrize("kind", [Case, CaseRequest, Mandate])
@pytest.mark.parametrize("text", [f'{{"{ID_NUMBER}', f'{{"form": {{"mobile": ["{ID_NUMBER}"]}}}}', f'"{ID_NUMBER}"'])
def test_an_error_of_a_text_that_is_no_model_does_not_tell_the_text(kind: type[BaseModel], text: str) -> None:
    with pytest.raises(ValidationError) as found:
        kind.model_validate_json(text)
    assert ID_NUMBER not in "".join(traceback.format_exception(found.value))


def test_a_body_that_is_refused_leaves_nothing_of_it_in_a_traceback() -> None:
    body: Any = f'{{"bundle": "newborn", "form": {{"mobile": ["{ID_NUMBER}"]}}}}'.encode()
    with pytest.raises(BodyFaulty) as found:
        read_model(CaseRequest, body)
    assert ID_NUMBER not in "".join(traceback.format_exception(found.value))
