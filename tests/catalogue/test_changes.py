"""What a new version of the catalogue changes is told in plain words, everywhere or in one province."""

import json
from pathlib import Path

import pytest

from server.cli import run
from server.domain.catalogue_checks.changes import changes
from server.tools.publications import load_catalogue
from tests.catalogue.shipped import CATALOGUE, CONFIG, copy_small, copy_with

MADE_UP = 'province = "330000"\nsource = "示例"\nstatus = "sample"\n'
VARIANTS = {
    '[[item_variant]]\nitem = "household_registration"\nvisits = 0\n': ("户口登记", "跑动次数由1次减少到0次。"),
    '[[bundle_variant]]\nbundle = "newborn"\nwithout = ["parenting_guidance"]\n': (
        "新生儿出生",
        "不再一并办理：科学育儿指导登记。",
    ),
}
POLICE, HEALTH, NEWBORN = "items/public_security.toml", "items/health.toml", "bundles/newborn.toml"
TOLD = {
    "days": (
        (NEWBORN, "promised_days = 4", "promised_days = 3"),
        ("新生儿出生", "承诺时限由4个工作日减少到3个工作日。"),
    ),
    "no days": ((NEWBORN, "promised_days = 4\n", ""), ("新生儿出生", "不再公布统一的承诺时限。")),
    "a field less": ((POLICE, '  { code = "home_address" },\n', ""), ("户口登记", "不再填写：家庭住址。")),
    "a paper to be signed": (
        (HEALTH, 'personal_status = "birth"', 'personal_status = "none"\nsignatures = ["application"]'),
        ("出生医学证明（首签）", "要电子签名的文书：申请书。"),
    ),
    "a material shared": (
        (POLICE, '{ code = "mother_identity_card" }', '{ code = "mother_identity_card", origin = "shared" }'),
        ("户口登记", "不再提交：母亲居民身份证。"),
    ),
    "a material that may come later": (
        (POLICE, '{ code = "mother_identity_card" }', '{ code = "mother_identity_card", may_be_deferred = true }'),
        ("户口登记", "“母亲居民身份证”可以容缺后补。"),
    ),
    "a material that need not be": (
        (POLICE, '{ code = "mother_identity_card" }', '{ code = "mother_identity_card", is_required = false }'),
        ("户口登记", "“母亲居民身份证”改为可以不交。"),
    ),
    "an original in two copies": (
        (
            POLICE,
            '{ code = "mother_identity_card" }',
            '{ code = "mother_identity_card", form = "original", copies = 2 }',
        ),
        ("户口登记", "“母亲居民身份证”改交原件，原交电子件。"),
    ),
    "a part of the receiving place": (
        (
            POLICE,
            'mode = "joint"',
            'mode = "joint", part = { department = "health", name = "核对身份", certainty = "stated", source = "例" }',
        ),
        ("户口登记", "跨省申请由受理地先行：核对身份。"),
    ),
    "a fee": ((POLICE, "legal_days = 5", "legal_days = 5\nfee_fen = 500"), ("户口登记", "收费由0分增加到500分。")),
    "a name": ((POLICE, 'name = "户口登记"', 'name = "出生登记"'), ("出生登记", "改名，原名“户口登记”。")),
    "a department": (
        (HEALTH, 'department = "health"', 'department = "disease_control"'),
        ("出生医学证明（首签）", "改由疾控办理，原由卫健办理。"),
    ),
    "a mode": ((POLICE, 'mode = "joint"', 'mode = "online"'), ("户口登记", "跨省可以：全程网办。")),
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small catalogue as it is."""
    copy_small(tmp_path / "old")
    return tmp_path / "old"


@pytest.mark.parametrize(("edit", "told"), TOLD.values(), ids=TOLD.keys())
def test_a_change_is_told(edit: tuple[str, str, str], told: tuple[str, str], *, small: Path, tmp_path: Path) -> None:
    file, before, after = edit
    new = load_catalogue(copy_with(tmp_path / "new", "catalogue", file, (before, after)))
    found = changes(load_catalogue(small), new)
    assert ("", *told) in [(each.province, each.about, each.text) for each in found]


@pytest.mark.parametrize(("variant", "told"), VARIANTS.items())
def test_what_one_province_changes_is_told_of_that_province_alone(
    variant: str, told: tuple[str, str], *, small: Path, tmp_path: Path
) -> None:
    new = load_catalogue(copy_with(tmp_path / "new", "catalogue", "variants/330000.toml", ("", variant + MADE_UP)))
    (found,) = changes(load_catalogue(small), new)
    assert (found.province, found.about, found.text) == ("330000", *told)


def test_things_come_and_go(small: Path) -> None:
    old = load_catalogue(small)
    came, gone = changes(old, CATALOGUE), changes(CATALOGUE, old)
    assert ("退休", "可以办理。") in [(each.about, each.text) for each in came]
    assert ("退休", "不再提供。") in [(each.about, each.text) for each in gone]


def test_an_unchanged_catalogue_changes_nothing() -> None:
    assert changes(CATALOGUE, CATALOGUE) == ()


def test_the_command_tells_it_to_people_and_to_programs(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = copy_with(tmp_path / "new", "catalogue", NEWBORN, ("promised_days = 4", "promised_days = 3"))
    command = ["catalogue", "diff", str(small), str(new), "--regions", str(CONFIG / "regions")]
    assert run(command) == 0
    assert capsys.readouterr().out == "全国  新生儿出生  承诺时限由4个工作日减少到3个工作日。\n"
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"province": "", "about": "新生儿出生", "text": "承诺时限由4个工作日减少到3个工作日。"}
    ]
    assert run(["catalogue", "diff", str(small), str(small), "--regions", str(CONFIG / "regions")]) == 0
    assert capsys.readouterr().out == "对办事人没有变化。\n"


@pytest.mark.parametrize("folders", [["one"], ["a", "b", "c"], []])
def test_a_comparison_needs_two_folders(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalogue", "diff", *folders]) == 1
    assert "two folders" in capsys.readouterr().err


def test_the_table_has_a_row_for_each_bundle_that_spares_something(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalogue", "table", str(CONFIG / "catalogue"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["code"] for row in rows} == {bundle.code for bundle in CATALOGUE.bundles}
    for row in rows:
        for one_by_one, merged in (row["fields"], row["materials"], row["visits"], row["days"]):
            assert one_by_one >= merged
        assert row["fields"][0] > row["fields"][1]
