"""The command of those who try a node with many cases: `seed` makes made-up ones, of people whom nobody is."""

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import jsonschema_rs

from server.demo.people import citizens, fictitious_id_number
from server.demo.platform import PlatformUser
from server.desk import materials, sessions
from server.desk.citizen import applying
from server.desk.citizen.guiding import Guide, GuideQuestion, GuideRequest, guide
from server.desk.recording import note
from server.desk.relay import Relays
from server.domain.audit import Doer
from server.domain.catalogue.divisions import province_of
from server.domain.errors import Refusal
from server.domain.materials import Upload
from server.domain.people.persons import Person
from server.domain.rules.opening import MaterialGiven, Submission, application_of, check_places
from server.domain.values import Value
from server.node import Node
from server.operating import DONE, Report, operator, positive, run_with

MOST_CASES = 10_000_000
CASES_OF_ONE = 5
AT_ONCE = 128
TOLD_EVERY = 1000
MOST_QUESTIONS = 40
COUNTIES = 50
PICTURE = b"\x89PNG\r\n\x1a\n" + b"a made-up picture of a seeded case"
FIRST_BIRTHDAY, BIRTHDAYS, FIRST_SEQUENCE = date(1970, 1, 1), 9_000, 502
USED = (
    "this node has cases: seed a node of its own, or add --into-used-data if made-up cases may stand among them; "
    "nothing was changed"
)
DIGITS = "〇一二三四五六七八九"
Missing = jsonschema_rs.ValidationErrorKind.Required


class Seeded(Value):
    """What was made: cases and people, how many cases of each bundle, and in how many seconds.

    `left_out`: bundles that nobody can apply for from here, with the refusal's code.
    """

    cases: int
    people: int
    bundles: Mapping[str, int]
    left_out: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class SeededPerson:
    """The key of a person whose name is known here, and the id of the picture that they hand in with everything."""

    person: str
    upload: str


class NothingToSeed(ValueError):
    """No bundle of the catalogue can be applied for at this node."""


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `seed`."""
    text = "Make many made-up cases of the catalogue, to try a node with; exit 2 if it has cases already."
    # A line of the log for each case would hide how far it is.
    seed = command("seed", run_with(seeded, log_level="warning"), text)
    seed.add_argument("--cases", type=positive, required=True, help=f"how many, at most {MOST_CASES}")
    seed.add_argument("--into-used-data", action="store_true", help="also if this node has cases")
    seed.add_argument("--json", action="store_true", help="print a JSON list")
    seed.set_defaults(parser=seed)


async def seeded(node: Node, chosen: argparse.Namespace) -> Report:
    """Make the cases that were asked for, and tell of them; a wrong command line ends the program with 2."""
    if chosen.cases > MOST_CASES:
        chosen.parser.error(f"--cases must be at most {MOST_CASES}")
    if not chosen.into_used_data and await has_cases(node):
        chosen.parser.error(USED)
    await note(node, "cases.seeded", {**Doer(name=operator()).by, "cases": str(chosen.cases)})
    people = made_up_people(node.here, -(-chosen.cases // CASES_OF_ONE))
    done = await seed(node, people, cases=chosen.cases, tell=_tell)
    left = [f"{code} cannot be applied for from here: {refusal}" for code, refusal in done.left_out.items()]
    of_each = [f"{code}: {number} cases" for code, number in sorted(done.bundles.items())]
    rate = done.cases / max(done.seconds, 1e-6)
    last = f"{done.cases} cases of {done.people} people in {done.seconds:.0f} s, {rate:.0f} a second"
    return Report([done], [*of_each, *left, last], DONE)


async def has_cases(node: Node) -> bool:
    """Whether any case stands here, of this node or of another."""
    later = node.clock.now() + timedelta(days=1)
    async for page in node.store.heads.versions(before=later, at_once=1):
        if page:
            return True
    return False


def made_up_people(province: str, count: int) -> tuple[PlatformUser, ...]:
    """So many people whom nobody is: first those of a demo, whom its platform knows, so that they can look by HTTP."""
    known = citizens(province)
    more = (_made_up(province, number) for number in range(count - len(known)))
    return (*known[:count], *more)


async def seed(node: Node, people: Sequence[PlatformUser], *, cases: int, tell: Callable[[int, int], None]) -> Seeded:
    """Make so many cases of these people, in turn of all bundles and of some counties; `tell` hears how far it is.

    Each goes the way of a submission: it is checked, decided, stored by the intake, and what follows is carried. Raises
    NothingToSeed, and Unavailable.
    """
    began, run = time.monotonic(), node.chance.token(8).hex()
    templates, relays, places = SampleApplications(node), Relays(node), itertools.count()
    bundles = dict.fromkeys(templates.codes, 0)
    ready: dict[str, SeededPerson] = {}

    async def work() -> None:
        while (place := next(places)) < cases:
            one, template = people[place % len(people)], templates.of(place)
            if one.code not in ready:
                ready[one.code] = await _known(node, one)
            await _open(node, relays, template, holder=ready[one.code], key=f"seed-{run}-{place}")
            bundles[template.bundle] += 1
            tell(sum(bundles.values()), cases)

    workers = [asyncio.create_task(work()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    seconds = round(time.monotonic() - began, 1)
    return Seeded(cases=cases, people=len(ready), bundles=bundles, left_out=templates.left_out, seconds=seconds)


async def _known(node: Node, one: PlatformUser) -> SeededPerson:
    """The person, as after a proof of their name, and the picture that they have handed in."""
    key = sessions.person_key(node, one.id_number, at="/id_number")
    person = Person(key=key, name=one.name, id_number=one.id_number)
    await node.store.people.keep_person(person, openid=one.openid)
    return SeededPerson(key, (await materials.hand_in(node, key, PICTURE, name="photo.png")).id)


async def _open(node: Node, relays: Relays, template: Submission, *, holder: SeededPerson, key: str) -> None:
    """Hand in this template as the person's application, and carry what follows."""
    given = tuple(MaterialGiven(code=each.code, id=holder.upload) for each in template.materials)
    submission = template.model_copy(update={"materials": given})
    await relays.carry([await applying.submit(node, holder.person, submission, key=key)])


class SampleApplications:
    """What may be handed in here: of each bundle the same application for some counties, each made when it is asked
    for.

    `left_out`: bundles that nobody can apply for from here, with the refusal's code. Raises NothingToSeed.
    """

    def __init__(self, node: Node) -> None:
        peers = [peer.node for peer in node.directory.peers_of(node.here)] or [node.here]
        self._node = node
        self._counties = list(zip(_counties(node, node.here), itertools.cycle(_counties(node, peers[0])), strict=False))
        self._first: dict[str, Submission] = {}
        self._made: dict[tuple[str, int], Submission] = {}
        self.left_out: dict[str, str] = {}
        for bundle in node.catalogue.of(province_of(node.here)).bundles:
            try:
                self._first[bundle.code] = _template(node, bundle.code, self._counties[0])
            except Refusal as refusal:
                self.left_out[bundle.code] = refusal.code
        if not self._first:
            raise NothingToSeed("no bundle of the catalogue can be applied for at this node")
        self.codes = tuple(self._first)

    def of(self, place: int) -> Submission:
        """The application of the case at this place: of the next bundle each time, and then of the next county."""
        code, county = self.codes[place % len(self.codes)], place // len(self.codes) % len(self._counties)
        if (code, county) not in self._made:
            try:
                self._made[code, county] = _template(self._node, code, self._counties[county])
            except Refusal:  # it is not offered there
                self._made[code, county] = self._first[code]
        return self._made[code, county]


def _template(node: Node, code: str, places: tuple[str, str]) -> Submission:
    """What somebody hands in at the first place who lives at the second, or at the first if that is not offered.

    Raises Refusal.
    """
    own, others = places
    answers, shown = _answered(node, code, others)
    if not shown.steps:
        answers, shown = _answered(node, code, own)
    needed = tuple(MaterialGiven(code=each.code, id="") for each in shown.materials if each.is_required)
    submission = Submission(
        bundle=code, division=_at_level(own, shown.level), answers=answers, form=_filled(shown.form), materials=needed
    )
    example = Upload(id="", name="photo.png", size=len(PICTURE), media_type="image/png", sha256="0" * 64)
    nobody = Person(key="nobody", name="示例市民", id_number=_made_up(node.here, 0).id_number)
    context = node.context(submission.division)
    application = application_of(node.catalogue, submission, applicant=nobody, uploads={"": example}, context=context)
    check_places(application.steps, node.directory)
    return submission


def _answered(node: Node, code: str, place: str) -> tuple[dict[str, str], Guide]:
    """The first choice of each question, and this place; with the guide to them."""
    answers: dict[str, str] = {}
    for _ in range(MOST_QUESTIONS):
        shown = guide(node, code, GuideRequest(answers=answers))
        if not shown.questions:
            break
        answers[shown.questions[0].code] = _answer(shown.questions[0], place)
    return answers, shown


def _answer(question: GuideQuestion, place: str) -> str:
    return _at_level(place, question.level) if question.type == "division" else next(iter(question.choices))


def _at_level(county: str, level: str) -> str:
    """The county, or its city or province."""
    return {"province": county[:2] + "0000", "city": county[:4] + "00"}.get(level, county)


def _filled(schema: dict[str, Any]) -> dict[str, str]:
    """The form with what is required, and with what that makes required in turn, by the examples."""
    form: dict[str, str] = {}
    validator = jsonschema_rs.Draft202012Validator(schema)
    for _ in schema["properties"]:
        missing = [each.kind.property for each in validator.iter_errors(form) if isinstance(each.kind, Missing)]
        if not missing:
            break
        fields = {name: schema["properties"][name] for name in missing}
        form |= {
            name: str(field["enum"][0] if "enum" in field else field["examples"][0]) for name, field in fields.items()
        }
    return form


def _counties(node: Node, province: str) -> list[str]:
    """The first counties of a province, with the province at the end where it has none."""
    today = node.context().on
    inside = (each for each in node.published.divisions.divisions if province_of(each.code) == province)
    found = [each.code for each in inside if each.kind == "county" and each.is_routable and each.is_valid(today)]
    return found[:COUNTIES] or [province]


def _made_up(province: str, number: int) -> PlatformUser:
    """One more person, whom no platform knows."""
    born = FIRST_BIRTHDAY + timedelta(days=number % BIRTHDAYS)
    id_number = fictitious_id_number(province, born, FIRST_SEQUENCE + 2 * (number // BIRTHDAYS))
    code = f"seeded-{number:07}"
    name = "示例市民" + "".join(DIGITS[int(digit)] for digit in f"{number:07}")
    return PlatformUser(code, f"openid-{code}", name, id_number, f"face-{code}")


def _tell(done: int, cases: int) -> None:
    if done % TOLD_EVERY == 0:
        print(f"{done} of {cases} cases", file=sys.stderr)
