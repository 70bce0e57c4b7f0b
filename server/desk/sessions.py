"""Sessions: citizens log in by mini-program code and prove their name."""

import base64
import hmac
from datetime import datetime, timedelta

from server.domain.catalogue.formats import SENTENCES
from server.domain.errors import FieldFault, Forbidden, Invalid, StaleVersion, Unproven
from server.domain.people.persons import Edition, NoSuchSession, Person, Session, TokenClaims, id_number_fault
from server.domain.values import Value, china_day
from server.node import Node

CITIZENS, OFFICERS = "citizens", "officers"
LOGGED_IN, REAL_NAME = "logged_in", "real_name"
BEARER = "Bearer"
EXPIRY = timedelta(hours=1)  # a session lasts until the end of the hour


class NotOurApp(Invalid):
    """The mini-program is not the one of this node."""

    code = "not_our_app"
    title = "小程序标识不正确"


class RefreshTokenUsed(Unproven):
    """The refresh token is unknown, over, or was used before."""

    code = "refresh_token_used"
    title = "登录已失效"


class RealNameNeeded(Forbidden):
    """The session has not proven a name."""

    code = "real_name_needed"
    title = "请先完成实名认证"


class IdNumberInvalid(Invalid):
    """The ID number has a wrong shape, birth date or check character."""

    code = "id_number_invalid"
    title = "身份证号码不正确"


class Admission(Value):
    """What a login is answered with (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = BEARER
    expires_in: int
    refresh_token: str


async def log_in(node: Node, app_id: str, code: str) -> Admission:
    """Begin a session by a mini-program's login code; raises NotOurApp and the refusals of the platform."""
    if app_id != node.settings.platform_app_id:
        raise NotOurApp("请使用本省政务小程序登录。")
    openid = await node.platform.openid(code)
    user = node.keys.owner("platform_user", openid)
    session = Session(id=new_secret(node), platform_user=user, openid=openid, person="", stamp=_stamp(node))
    await node.store.people.open_session(session, expires_at=node.clock.now() + _lifetime(node))
    return _admit(node, session)


async def refresh(node: Node, token: str) -> Admission:
    """Go on with a session; each refresh token counts once, and the answer brings the next.

    A token of a version that the session as it is stored cannot have had ends it: an older document was put back. So
    does one that was used long ago, which no phone sends that has had an answer: it is in other hands. Raises
    RefreshTokenUsed and NoSuchSession.
    """
    edition, at = _edition_in(node, token), node.clock.now()
    session = await node.store.people.session(edition.session, at=at)
    if edition == session.edition:
        return await _renew(node, session)
    if session.was_just(edition):
        raise RefreshTokenUsed("登录已失效，请重新登录。")
    if not session.may_follow(edition):
        node.store.people.tell_older(session.id)
    node.log.warning("session.forked", session=session.id, stored=session.version, shown=edition.version)
    await _end(node, session.id, at=at)
    raise NoSuchSession("登录已失效，请重新登录。")


async def sign_out(node: Node, claims: TokenClaims) -> None:
    """End the session of this token: neither its access tokens nor its refresh tokens count any more."""
    await _end(node, claims.session, at=node.clock.now())


def check_goes_on(node: Node, claims: TokenClaims) -> None:
    """See that the session of a verified token has not ended, which a process knows by heart; raises NoSuchSession."""
    node.store.people.check_goes_on(claims.session)


async def prove_name(node: Node, claims: TokenClaims, *, name: str, id_number: str, face_token: str) -> Admission:
    """Raise the session to real-name level (实名认证), checked by the platform; answers new tokens.

    Raises IdNumberInvalid and IdentityMismatch.
    """
    key = person_key(node, id_number, at="/id_number")
    await node.platform.check_face(name=name, id_number=id_number, face_token=face_token)
    person = Person(key=key, name=name, id_number=id_number)
    session = await node.store.people.session(claims.session, at=node.clock.now())
    await node.store.people.keep_person(person, openid=session.openid)
    return await _renew(node, session, person=person.key)


def person_key(node: Node, id_number: str, *, at: str) -> str:
    """The key of the person with this ID number, known here or not; raises IdNumberInvalid.

    `at` is the JSON pointer to the number.
    """
    broken = id_number_fault(id_number, china_day(node.clock.now()))
    if broken:
        fault = FieldFault(pointer=at, code=broken, detail=SENTENCES[broken])
        raise IdNumberInvalid(SENTENCES[broken], errors=[fault])
    return node.keys.owner("person", id_number)


async def owner_of(node: Node, claims: TokenClaims) -> str:
    """The key of the person whose name the session has proven; raises RealNameNeeded.

    A token from before the proof stays good: its session is looked up.
    """
    if claims.level == REAL_NAME:
        return claims.subject
    session = await node.store.people.session(claims.session, at=node.clock.now())
    if not session.person:
        raise RealNameNeeded("办理事项前请先完成实名认证。")
    return session.person


def new_secret(node: Node) -> str:
    """What nobody can guess, as a word."""
    return "s" + base64.b32encode(node.chance.token(25)).decode().lower()


async def _renew(node: Node, session: Session, *, person: str = "") -> Admission:
    change = {"stamp": _stamp(node), "stamp_before": session.stamp, "version": session.version + 1}
    renewed = session.model_copy(update={**change, "person": person or session.person})
    try:
        await node.store.people.change_session(renewed, expires_at=node.clock.now() + _lifetime(node))
    except StaleVersion as fault:
        raise RefreshTokenUsed("登录已失效，请重新登录。") from fault
    return _admit(node, renewed)


async def _end(node: Node, session: str, *, at: datetime) -> None:
    await node.store.people.end_session(session, at=at, until=at + _lifetime(node) + EXPIRY)


def _admit(node: Node, session: Session) -> Admission:
    seconds = node.settings.access_token_seconds
    claims = TokenClaims(
        subject=session.person or session.platform_user,
        level=REAL_NAME if session.person else LOGGED_IN,
        session=session.id,
    )
    token = node.tokens.issue(claims, audience=CITIZENS, at=node.clock.now(), seconds=seconds)
    return Admission(access_token=token, expires_in=seconds, refresh_token=_refresh_token(node, session.edition))


def _stamp(node: Node) -> str:
    return node.chance.token(8).hex()


def _refresh_token(node: Node, edition: Edition) -> str:
    """The words of the edition, and their proof under a key of this node."""
    words = ".".join(map(str, edition))
    return f"{words}.{_proof(node, words)}"


def _edition_in(node: Node, token: str) -> Edition:
    """What a refresh token names that this node has made; raises RefreshTokenUsed for any other."""
    words, _, proof = token.rpartition(".")
    if not hmac.compare_digest(proof.encode(), _proof(node, words).encode()):
        raise RefreshTokenUsed("登录已失效，请重新登录。")
    session, version, stamp = words.split(".")
    return Edition(session, int(version), stamp)


def _proof(node: Node, words: str) -> str:
    return node.keys.owner("refresh_token", words)


def _lifetime(node: Node) -> timedelta:
    return timedelta(seconds=node.settings.refresh_token_seconds)
