"""What an applicant signs of a case: what it is, the file as it is shown, and the signature by a key elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Literal, Protocol

from pydantic import StringConstraints

from server.desk.acting import perform
from server.desk.citizen.applying import citizen_of, note_agent, own_case
from server.desk.papers import PaperStillComing, file_at
from server.desk.performing import same
from server.desk.steps import LocalMoment
from server.domain.case.acts import SignPaper
from server.domain.case.case import Case
from server.domain.case.papers import GivenPaper, PaperFile
from server.domain.case.signings import Signing
from server.domain.effects.records import CaseRecord
from server.domain.errors import Missing, StaleVersion, Unavailable
from server.domain.materials import File
from server.domain.papers.making import PapersWait
from server.domain.papers.signing import (
    PAPER_OF,
    Digest,
    OtherPersonSigns,
    ProvenSignature,
    Signatory,
    SignedAlready,
    SigningAttempt,
    SigningCertificate,
    SigningRequest,
    SigningTooLate,
    SigningUnavailable,
    check_attempt,
    signed,
    verified,
)
from server.domain.papers.signing_jobs import (
    HalfSigned,
    JobCertificate,
    SignatureToFinish,
    SignatureToPrepare,
    SignedToProve,
)
from server.domain.paperwork.kept import KeptPaper
from server.domain.paperwork.signing_requests import request_of
from server.domain.people.persons import Person
from server.domain.values import Value
from server.node import Node

FRESH_SECONDS = 300  # as long a face check counts; here it is made with the signature
UNDER_WAY = timedelta(minutes=3)  # more than it takes to keep what was signed
State = Literal["waiting", "shown", "signed", "sealed", "lapsed"]
NO_SERVICE = "本地尚未开通电子签名服务，文书暂时不能签署，请等待。"
WORDS: dict[State, str] = {
    "waiting": "文书正在制作，请稍后查看。",
    "shown": "请打开文书仔细阅读，进行人脸核验以后签名。",
    "signed": "您已经签名，等待机关盖章。",
    "sealed": "双方已经签署，可以在办件的文书中下载。",
    "lapsed": "签名期限已过，文书没有签署。",
}


class NoSuchSigning(Missing):
    """The case has no paper of this number that its applicant signs."""

    code = "no_such_signing"
    title = "没有这份需要签名的文书"


class SigningNotSetUp(Unavailable):
    """This node has no signing service: what is to be signed waits until it has one."""

    code = "signing_not_set_up"
    title = "本地尚未开通电子签名服务"


class KeyHolder(Protocol):
    """Holds the keys of people."""

    async def certificate(self, signatory: Signatory, *, id_number: str, face_token: str) -> SigningCertificate:
        """A certificate for one request; raises SigningRefused and SigningUnavailable."""

    async def sign(self, certificate: SigningCertificate, digest: bytes) -> bytes:
        """A signature by its key; raises SigningRefused and SigningUnavailable."""


class SigningWorks(Protocol):
    """Puts signatures into files and judges them, outside of this process; each raises PapersWait."""

    async def prepare(self, asked: SignatureToPrepare) -> HalfSigned:
        """The file made ready; raises SignatureUnproven."""

    async def finish(self, asked: SignatureToFinish) -> bytes:
        """The signed file; raises SignatureUnproven."""

    async def prove(self, asked: SignedToProve) -> ProvenSignature:
        """What the signed file proves; raises SignatureUnproven."""


@dataclass(frozen=True)
class SigningTools:
    """What a process lets people sign with."""

    service: KeyHolder
    works: SigningWorks


class SignatureGiven(Value):
    """That they sign: the SHA-256 (hex) of what they were shown, and the token of a face check made for it."""

    shown: Digest
    face_token: Annotated[str, StringConstraints(max_length=200)] = ""


@dataclass(frozen=True)
class SigningWish:
    """What somebody asks to sign: the number of the paper, what they say with it, and the key of the request."""

    number: str
    given: SignatureGiven
    key: str


class SigningLine(Value):
    """A paper that the applicant signs, by its number, which counts from one; what they are shown, and until when.

    `shown` is the SHA-256 (hex) of the file, empty while it is made; `paper` is where it will stand among the papers.
    """

    number: int
    step: str
    paper: str
    kind: str
    title: str
    state: State
    words: str
    shown: str
    size: int
    ends_at: LocalMoment | None
    signed_at: LocalMoment | None


class SigningList(Value):
    """What the applicant of a case signs."""

    case: str
    signings: tuple[SigningLine, ...]


async def my_signings(node: Node, owner: str, id: str, *, tools: SigningTools | None) -> SigningList:
    """What is to be signed of one of the owner's cases; an agent's look is noted. Raises the refusals of `own_case`."""
    record = await own_case(node, owner, id)
    await note_agent(node, record, owner, kind="case.read")
    return SigningList(case=record.id, signings=tuple(_lines(record.case, node.clock.now(), is_set_up=bool(tools))))


async def shown_file(node: Node, owner: str, id: str, *, number: str) -> File:
    """The file as it is shown and signed, to the byte; an agent's look is noted before.

    Raises the refusals of `own_case`, NoSuchSigning, and PaperStillComing while it is made.
    """
    record = await own_case(node, owner, id)
    _, signing = _asked(record.case, number)
    await note_agent(node, record, owner, kind="paper.read")
    return await file_at(node, node.keys.material(signing.shown.sha256))


async def sign(
    node: Node, owner: str, id: str, *, wish: SigningWish, tools: SigningTools | None
) -> tuple[CaseRecord, SigningLine]:
    """Sign a paper of one of the owner's cases, once for each key: it counts as its file has proven it.

    Raises the refusals of `own_case` and `check_attempt`, NoSuchSigning, PaperStillComing, SigningNotSetUp,
    IdentityMismatch and the other refusals of the platform, SigningRefused, SigningUnavailable, SignatureUnproven,
    and StaleVersion while the same is signed elsewhere.
    """
    record = await own_case(node, owner, id)
    _numbered(record.case, wish.number)
    if tools is None:
        raise SigningNotSetUp(NO_SERVICE)
    paper, signing = _asked(record.case, wish.number)
    act_id = node.keys.request_digest(["sign", owner, id, wish.key])
    act_digest = node.keys.request_digest(["sign", paper.id, wish.given.shown])
    if (done := record.done_by(act_id)) is not None:
        return same(record, done, act_digest), _line(record.case, node.clock.now(), wish.number)
    file, signed_at = await _signed(node, owner, record, wish=wish, tools=tools)
    act = SignPaper(
        id=act_id,
        digest=act_digest,
        by=citizen_of(record, owner),
        step=signing.step,
        paper=paper.id,
        request=signing.id,
        signed=file,
        signed_at=signed_at,
    )
    try:
        record = await perform(node, id, act)
    except SignedAlready:
        await _forget_unless_counting(node, id, paper=paper.id, file=file)
        raise
    return record, _line(record.case, node.clock.now(), wish.number)


async def _signed(
    node: Node, owner: str, record: CaseRecord, *, wish: SigningWish, tools: SigningTools
) -> tuple[PaperFile, datetime]:
    """The signed file, which is kept and has proven it, and the moment that it proves; raises as `sign`."""
    paper, signing = _asked(record.case, wish.number)
    person, at, token = record.case.applicant, _signing_at(node, signing), wish.given.face_token
    if person is None:
        raise OtherPersonSigns
    request = request_of(signing, person)
    attempt = SigningAttempt(person=owner, shown=wish.given.shown, face_checked_at=at if token else None, at=at)
    check_attempt(request, attempt, fresh_seconds=FRESH_SECONDS)
    row = await _row(node, paper)
    await node.platform.check_face(person.name, person.id_number, face_token=token)
    try:
        return await _Signer(node, tools, request, person=person).sign(row, token, at=at)
    except PapersWait as fault:
        node.log.warning("signing.postponed", case=record.id, reason=str(fault)[:200])
        raise SigningUnavailable from fault


class _Signer:
    """One attempt to sign one request."""

    def __init__(self, node: Node, tools: SigningTools, request: SigningRequest, *, person: Person) -> None:
        self._node, self._tools, self._request, self._person = node, tools, request, person

    async def sign(self, row: KeptPaper, face_token: str, *, at: datetime) -> tuple[PaperFile, datetime]:
        """The signed file, which is kept and has proven what was asked, and the moment that it proves.

        What somebody has signed who was cut off right after that is not signed again.
        """
        if row.signed and not await self._node.store.materials.missing([self._address(row.signed.sha256)]):
            content = await self._node.store.materials.content(self._address(row.signed.sha256))
            return row.signed, (await self._proven(content)).signed_at
        content = await self._by_service(face_token, at=at)
        digest = sha256(content).hexdigest()
        proven = await self._proven(content)
        verified(signed(self._request, digest, at=at), digest, proven=proven)
        file = PaperFile(sha256=digest, size=len(content), number=row.number)
        until = self._request.ends_at + UNDER_WAY
        if await self._node.store.papers.move(row, until=until, signed=file) is None:
            raise StaleVersion("文书正在签署，请稍后重试。")
        await self._node.store.materials.keep_content(self._address(digest), content)
        return file, proven.signed_at

    async def _by_service(self, face_token: str, *, at: datetime) -> bytes:
        """The file as the person has signed it with a key that was made for it."""
        service, works = self._tools.service, self._tools.works
        shown = await self._node.store.materials.content(self._address(self._request.paper.digest))
        id_number = self._person.id_number
        given = await service.certificate(self._request.signatory, id_number=id_number, face_token=face_token)
        half = await works.prepare(SignatureToPrepare(shown=shown, certificate=JobCertificate.of(given), at=at))
        return await works.finish(SignatureToFinish(half=half, signature=await service.sign(given, half.digest)))

    async def _proven(self, content: bytes) -> ProvenSignature:
        request = self._request
        return await self._tools.works.prove(
            SignedToProve(signed=content, signatory=request.signatory, shown=request.paper)
        )

    def _address(self, digest: str) -> str:
        return self._node.keys.material(digest)


def _signing_at(node: Node, signing: Signing) -> datetime:
    """The moment of a signature made now: whole seconds, as PDF has them, and not before it was asked for."""
    at = node.clock.now().replace(microsecond=0)
    return at if at >= signing.asked_at else at + timedelta(seconds=1)


async def _row(node: Node, paper: GivenPaper) -> KeptPaper:
    """The row of what waits for its signature; raises SigningTooLate if it waits no more."""
    row = await node.store.papers.find(paper.id)
    if row is None or row.outcome:
        raise SigningTooLate
    return row


async def _forget_unless_counting(node: Node, id: str, *, paper: str, file: PaperFile) -> None:
    """Forget what was signed beside another signature that came first."""
    signing = (await node.store.cases.case(id)).case.signing_of(paper)
    if signing and signing.signed != file:
        await node.store.materials.forget_contents([node.keys.material(file.sha256)])


def _papers(case: Case) -> list[GivenPaper]:
    return [each for each in case.given_papers if each.paper_kind in PAPER_OF.values()]


def _numbered(case: Case, number: str) -> GivenPaper:
    """The paper of this number; raises NoSuchSigning."""
    papers = _papers(case)
    if not (number.isascii() and number.isdecimal() and len(number) < 4 and 0 < int(number) <= len(papers)):
        raise NoSuchSigning("办件中没有这份需要签名的文书。")
    return papers[int(number) - 1]


def _asked(case: Case, number: str) -> tuple[GivenPaper, Signing]:
    """The paper of this number and its signing; raises NoSuchSigning, and PaperStillComing while it is made."""
    paper = _numbered(case, number)
    signing = case.signing_of(paper.id)
    if signing is None:
        raise PaperStillComing(WORDS["waiting"])
    return paper, signing


def _line(case: Case, at: datetime, number: str) -> SigningLine:
    return list(_lines(case, at, is_set_up=True))[int(number) - 1]


def _lines(case: Case, at: datetime, *, is_set_up: bool) -> Iterator[SigningLine]:
    for number, paper in enumerate(_papers(case), 1):
        signing = case.signing_of(paper.id)
        state = _state(paper, signing, at)
        is_stuck = not is_set_up and state in ("waiting", "shown")
        yield SigningLine(
            number=number,
            step=paper.step,
            paper=paper.id,
            kind=paper.paper_kind,
            title=paper.title,
            state=state,
            words=NO_SERVICE if is_stuck else WORDS[state],
            shown=signing.shown.sha256 if signing else "",
            size=signing.shown.size if signing else 0,
            ends_at=signing.ends_at if signing else None,
            signed_at=signing.signed_at if signing else None,
        )


def _state(paper: GivenPaper, signing: Signing | None, at: datetime) -> State:
    if paper.file:
        return "sealed"
    if signing is None:
        return "waiting"
    if signing.signed:
        return "signed"
    return "lapsed" if at >= signing.ends_at else "shown"
