"""Ways to write to what is on record: the audit, and how far cases have come."""

from server.store.aggregates.heads import HEAD_CHAIN
from server.store.audit_chain import AUDIT, CHAIN
from tests.http.insider.checks import Way, cases_named, named
from tests.http.insider.scene import FORGED, Document, Scene


def look(scene: Scene) -> Document:
    """The entry of a look into a case."""
    return scene.here.one(AUDIT, kind="case.read")


def last_link(scene: Scene) -> Document:
    return scene.here.one(CHAIN, max(id for id in scene.here.all(CHAIN) if id[-1].isdecimal()))


def cut_the_tail(scene: Scene) -> None:
    link = last_link(scene)
    scene.here.remove(AUDIT, *(id for id, _ in link["entries"]))
    scene.here.remove(CHAIN, link["_id"])


def another_entry(scene: Scene) -> Document:
    return scene.here.one(AUDIT, kind="officer.signed_in")


def put_back_the_case(scene: Scene) -> None:
    scene.here.put("cases", *scene.before["cases"])


def cut_the_heads(scene: Scene) -> None:
    scene.here.remove(HEAD_CHAIN, max(scene.here.all(HEAD_CHAIN)))


RECORD = (
    Way(
        "(e) an entry is another",
        lambda scene: scene.here.set(AUDIT, look(scene)["_id"], about={**look(scene)["about"], "officer": "other"}),
        named("altered"),
        "named",
    ),
    Way(
        "(e) an entry is removed", lambda scene: scene.here.remove(AUDIT, look(scene)["_id"]), named("missing"), "named"
    ),
    Way(
        "an entry is inserted",
        lambda scene: scene.here.put(AUDIT, look(scene), _id=f"{AUDIT}:{FORGED}", time_key="t2026-11-01|x"),
        named("moved"),
        "named",
    ),
    Way(
        "an entry stands in the place of another",
        lambda scene: scene.here.put(AUDIT, another_entry(scene), _id=look(scene)["_id"]),
        named("moved"),
        "named",
    ),
    Way(
        "an entry stands twice",
        lambda scene: scene.here.put(AUDIT, look(scene), _id=f"{AUDIT}:{FORGED}"),
        named("doubled"),
        "named",
    ),
    Way("the tail of the record is cut", cut_the_tail, named("cut"), "named"),
    Way(
        "a link names fewer entries",
        lambda scene: scene.here.set(CHAIN, last_link(scene)["_id"], entries=last_link(scene)["entries"][1:]),
        named("altered"),
        "named",
    ),
    Way(
        "a link of the record is removed",
        lambda scene: scene.here.remove(CHAIN, sorted(scene.here.all(CHAIN))[0]),
        named("missing"),
        "named",
    ),
    Way("(b) an older case is put back", put_back_the_case, cases_named("rolled_back"), "named"),
    Way("a case is removed", lambda scene: scene.here.remove("cases", scene.home), cases_named("removed"), "named"),
    Way("the tail of the heads of cases is cut", cut_the_heads, cases_named("cut", "unlogged"), "named"),
)
