"""A catalogue that is read with a pool says the same as one without, and holds what is alike once."""

from server.domain.catalogue.alike import Pool
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import FieldNeed, MaterialNeed
from tests.catalogue.shipped import CATALOGUE

TEXT = CATALOGUE.model_dump_json(exclude_defaults=True)
POOLED = Catalogue.model_validate_json(TEXT, context=Pool())


def test_it_says_the_same():
    assert POOLED == Catalogue.model_validate_json(TEXT) == CATALOGUE
    assert POOLED.model_dump_json(exclude_defaults=True) == TEXT


def test_equal_needs_of_all_items_are_one_and_others_are_not():
    needs = [need for item in POOLED.items for need in (*item.fields, *item.materials)]
    texts = {(type(need), need.model_dump_json()) for need in needs}
    assert len({id(need) for need in needs}) == len(texts) < len(needs) / 2


def test_a_value_of_another_kind_with_the_same_members_stays_of_its_kind():
    pool = Pool()
    field, other = (FieldNeed.model_validate({"code": code}, context=pool) for code in ("a", "b"))
    assert field is FieldNeed.model_validate({"code": "a"}, context=pool) is not other
    assert type(MaterialNeed.model_validate({"code": "a"}, context=pool)) is MaterialNeed


def test_what_is_changed_of_one_item_is_changed_of_no_other():
    by_names = {frozenset(item.model_fields_set): item for item in POOLED.items}
    for item in POOLED.items:
        before = item.model_fields_set.copy()
        item.model_copy(update={"fee_fen": 1, "words": ("a",)})
        assert by_names[frozenset(before)].model_fields_set == before


def test_without_a_pool_every_value_is_its_own():
    one, other = (FieldNeed.model_validate({"code": "a"}) for _ in range(2))
    assert one == other
    assert one is not other
