"""Changes: what a new version of the catalogue means for citizens, in plain words."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Item, MaterialNeed, SignedKind
from server.domain.values import Value


class Change(Value):
    """One sentence on one bundle or item (its name), in one province (its code) or everywhere (empty)."""

    province: str
    about: str
    text: str


def changes(old: Catalogue, new: Catalogue) -> tuple[Change, ...]:
    """What changes for citizens from the old version to the new: everywhere, and what is more in single provinces."""
    everywhere = list(_changes(old, new))
    found = [Change(province="", about=about, text=text) for about, text in everywhere]
    for province in sorted({*old.provinces, *new.provinces}):
        for change in _changes(old.of(province), new.of(province)):
            if change not in everywhere:
                found.append(Change(province=province, about=change[0], text=change[1]))
    return tuple(found)


def _changes(old: Catalogue, new: Catalogue) -> Iterator[tuple[str, str]]:
    bundles = {bundle.code: bundle for bundle in old.bundles}, {bundle.code: bundle for bundle in new.bundles}
    yield from _come_and_gone(*bundles, came="可以办理", gone="不再提供")
    for code in (code for code in bundles[1] if code in bundles[0]):
        for text in _bundle(old, new, before=bundles[0][code], after=bundles[1][code]):
            yield bundles[1][code].name, text
    yield from _come_and_gone(old.item_of, new.item_of, came="新增事项", gone="取消事项")
    for code in (code for code in new.item_of if code in old.item_of):
        for text in _item(old, new, before=old.item_of[code], after=new.item_of[code]):
            yield new.item_of[code].name, text


def _come_and_gone(
    old: Mapping[str, Bundle | Item], new: Mapping[str, Bundle | Item], *, came: str, gone: str
) -> Iterator[tuple[str, str]]:
    yield from ((new[code].name, f"{came}。") for code in new if code not in old)
    yield from ((old[code].name, f"{gone}。") for code in old if code not in new)


def _bundle(old: Catalogue, new: Catalogue, *, before: Bundle, after: Bundle) -> Iterator[str]:
    if before.name != after.name:
        yield f"改名，原名“{before.name}”。"
    yield from _names(("一并办理", "不再一并办理"), *(_steps(*each) for each in ((old, before), (new, after))))
    yield from _number("承诺时限", before.promised_days, after.promised_days, unit="个工作日")
    yield from _number("跑动次数", before.visits, after.visits, unit="次")


def _steps(catalogue: Catalogue, bundle: Bundle) -> list[str]:
    return [catalogue.item_of[step.item].name for step in bundle.steps]


def _item(old: Catalogue, new: Catalogue, *, before: Item, after: Item) -> Iterator[str]:
    if before.name != after.name:
        yield f"改名，原名“{before.name}”。"
    if before.department != after.department:
        yield f"改由{new.departments[after.department]}办理，原由{old.departments[before.department]}办理。"
    fields = [[each.field_of[need.code].name for need in item.fields] for each, item in ((old, before), (new, after))]
    yield from _names(("要多填写", "不再填写"), *fields)
    yield from _materials(old, new, before=before, after=after)
    conditions = [[condition.text for condition in item.conditions] for item in (before, after)]
    yield from _names(("新增条件", "取消条件"), *conditions)
    for what, unit, of in _NUMBERS:
        yield from _number(what, of(before), of(after), unit=unit)
    signatures = [[_SIGNED[kind] for kind in item.signatures] for item in (before, after)]
    yield from _names(("要电子签名的文书", "不再要电子签名的文书"), *signatures)
    modes = [[_MODES[each.mode] for each in item.handling] for item in (before, after)]
    yield from _names(("跨省可以", "跨省不再可以"), *modes)
    parts = [[each.part.name for each in item.handling if each.part] for item in (before, after)]
    yield from _names(("跨省申请由受理地先行", "跨省申请受理地不再"), *parts)


def _materials(old: Catalogue, new: Catalogue, *, before: Item, after: Item) -> Iterator[str]:
    asked = [{need.code: need for need in item.materials if need.origin != "shared"} for item in (before, after)]
    names = [
        [catalogue.material_of[code].name for code in needs] for catalogue, needs in zip((old, new), asked, strict=True)
    ]
    yield from _names(("要多交", "不再提交"), *names)
    for code in (code for code in asked[1] if code in asked[0]):
        name = new.material_of[code].name
        for text in _one_material(asked[0][code], asked[1][code]):
            yield f"“{name}”{text}"


def _one_material(before: MaterialNeed, after: MaterialNeed) -> Iterator[str]:
    if before.is_required != after.is_required:
        yield "改为必须提交。" if after.is_required else "改为可以不交。"
    if before.may_be_deferred != after.may_be_deferred:
        yield "可以容缺后补。" if after.may_be_deferred else "不能再容缺后补。"
    if before.form != after.form:
        yield f"改交{_FORMS[after.form]}，原交{_FORMS[before.form]}。"
    yield from _number("份数", before.copies, after.copies, unit="份")


def _names(words: tuple[str, str], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """What came (the first word) and what went (the second)."""
    came = [name for name in after if name not in set(before)]
    gone = [name for name in before if name not in set(after)]
    if came:
        yield f"{words[0]}：{'、'.join(came)}。"
    if gone:
        yield f"{words[1]}：{'、'.join(gone)}。"


def _number(what: str, before: int | None, after: int | None, *, unit: str) -> Iterator[str]:
    if before == after:
        return
    if before is None or after is None:
        yield f"{what}改为{after}{unit}。" if after is not None else f"不再公布统一的{what}。"
    else:
        yield f"{what}由{before}{unit}{'减少' if after < before else '增加'}到{after}{unit}。"


_FORMS: Mapping[str, str] = {"electronic": "电子件", "copy": "复印件", "original": "原件"}
_SIGNED: Mapping[SignedKind, str] = {"application": "申请书", "undertaking": "告知承诺书", "contract": "合同"}
_MODES: Mapping[str, str] = {"online": "全程网办", "handover": "异地代收代办", "joint": "多地联办"}
_NUMBERS: tuple[tuple[str, str, Callable[[Item], int]], ...] = (
    ("法定时限", "个工作日", lambda item: item.legal_days),
    ("承诺时限", "个工作日", lambda item: item.promised_days),
    ("跑动次数", "次", lambda item: item.visits),
    ("收费", "分", lambda item: item.fee_fen),
)
