"""What to try in a demo that goes on: who logs in with what, who decides where, and the way to a case by `curl`."""

import json
from collections.abc import Iterator, Mapping

from server.demo.desks import places_in
from server.demo.people import family
from server.demo.plots import ANSWERS, BUNDLE, DIVISION
from server.demo.provinces import Demo, Province
from server.demo.story import PICTURE_TEXT

OTHER_HOUSEHOLD = "320508"  # 苏州市姑苏区
OF_HOUSEHOLDS = "public_security"
MATERIALS = ("mother_identity_card", "mother_household_register")
JSON = "-H 'Content-Type: application/json'"
AUTHORISED = '-H "Authorization: Bearer $TOKEN"'
KEYED = '-H "Idempotency-Key: demo-$(date +%s%N)"'


def who_decides(demo: Demo) -> Iterator[str]:
    """How the same birth goes to other authorities by its answers and its division."""
    for province in demo.provinces:
        for county in places_in(province.division):
            found = ", ".join(_names(province, county, is_of_households=True))
            yield f"household {county}: the household registration (户口登记) is decided by {found}, {province.name}"
    home = demo.provinces[0]
    for county in places_in(home.division):
        found = ", ".join(_names(home, county, is_of_households=False))
        yield f"division {county}: the rest lies with {found}"


def commands(demo: Demo) -> tuple[str, ...]:
    """Six lines for a shell, from the log-in of the second citizen to the look at their case."""
    home, citizen = demo.provinces[0], demo.citizens[1]
    api = f"{home.base_url}/api/v1"
    place = {"division": DIVISION, "answers": {**ANSWERS, "household": OTHER_HOUSEHOLD}}
    proof = {"name": citizen.name, "id_number": citizen.id_number, "face_token": citizen.face_token}
    form = dict(family(citizen, home.division, OTHER_HOUSEHOLD).form)
    materials = [{"code": code, "id": "MATERIAL"} for code in MATERIALS]
    wish = _body({"bundle": BUNDLE, **place, "form": form, "materials": materials}).replace("MATERIAL", "'$MATERIAL'")
    picture = f"echo {PICTURE_TEXT} | base64 -d"
    log_in = _body({"app_id": demo.app_id, "code": citizen.code})
    return (
        _kept("TOKEN", f"curl -s {api}/sessions {JSON} -d {log_in}", "access_token"),
        _kept("TOKEN", f"curl -s {api}/identity {AUTHORISED} {JSON} -d {_body(proof)}", "access_token"),
        f"curl -s {api}/bundles/{BUNDLE}/guide {JSON} -d {_body(place)}",
        _kept(
            "MATERIAL", f"{picture} | curl -s {api}/materials {AUTHORISED} {KEYED} -F 'file=@-;filename=id.png'", "id"
        ),
        _kept("CASE", f"curl -s {api}/cases {AUTHORISED} {KEYED} {JSON} -d {wish}", "id"),
        f"curl -s {api}/cases/$CASE {AUTHORISED}",
    )


def _names(province: Province, county: str, *, is_of_households: bool) -> list[str]:
    """What those are called who register households in this county, or all others who decide for it."""
    around = (county, county[:4] + "00", province.division)
    desks = dict.fromkeys(desk for officer in province.officers for desk in officer.desks)
    there = [desk for desk in desks if desk.id.rpartition("/")[2] in around]
    return [desk.name for desk in there if (desk.department == OF_HOUSEHOLDS) is is_of_households]


def _body(value: Mapping[str, object]) -> str:
    return f"'{json.dumps(value, ensure_ascii=False)}'"


def _kept(variable: str, command: str, member: str) -> str:
    """A line that shows what is answered, and keeps the first of these members of it in a variable of the shell."""
    first = f'grep -o \'"{member}":"[^"]*"\' | head -n 1 | cut -d \'"\' -f 4'
    return f"{variable}=$({command} | tee /dev/stderr | {first})"
