"""Officers: they sign in by password."""

from server.desk.sessions import BEARER, OFFICERS, new_secret
from server.domain.names import Value
from server.domain.persons import Claims, Officer, Rank
from server.node import Node

OFFICER = "officer"


class DeskAdmission(Value):
    """What an officer's sign-in is answered with."""

    access_token: str
    token_type: str = BEARER
    expires_in: int
    name: str
    department: str
    rank: Rank


async def sign_in(node: Node, name: str, password: str) -> DeskAdmission:
    """Begin an officer's session; raises WrongPassword."""
    officer = await node.store.people.officer(name, password)
    seconds = node.settings.officer_token_seconds
    extra = {"department": officer.department, "rank": officer.rank}
    claims = Claims(subject=officer.name, level=OFFICER, session=new_secret(node), extra=extra)
    token = node.tokens.issue(claims, audience=OFFICERS, at=node.clock.now(), seconds=seconds)
    return DeskAdmission(access_token=token, expires_in=seconds, **officer.model_dump())


def officer_of(claims: Claims) -> Officer:
    """The officer that a verified token of the desk names."""
    told = {"department": claims.extra["department"], "rank": claims.extra.get("rank", "officer")}
    return Officer.model_validate({"name": claims.subject, **told})
