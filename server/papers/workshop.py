"""All that is done to papers in a process of its own: they are set, sealed, prepared for a signature, and judged."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.domain.papers.making import PaperToMake
from server.domain.papers.signing import ProvenSignature, SignatureUnproven
from server.domain.papers.signing_jobs import (
    ContractToSeal,
    Data,
    HalfSigned,
    JobCertificate,
    SignatureToFinish,
    SignatureToPrepare,
    SignedToProve,
)
from server.domain.papers.texts import PaperTexts
from server.domain.values import Value
from server.papers.contracts import AskedSignature, TrustedParties, verify_signed
from server.papers.printing import set_paper
from server.papers.seal_folder import SealFolder
from server.papers.sealing import seal_contract, seal_paper
from server.papers.signatories import NamesNobody
from server.papers.signing import PreparedSignature, WrongSignature, finish_signature, prepare_signature, signable
from server.papers.verifying import TrustedSeals


class _Packed(Value):
    """A PreparedSignature as it waits elsewhere for its signature."""

    document: Data
    begin: int
    end: int
    document_digest: Data
    attributes: Data
    certificate: JobCertificate


class Workshop:
    """Works with these texts and seals, and trusts these roots (DER) above certificates of people.

    Everything blocks, and much of it runs a loop of its own.
    """

    def __init__(self, texts: PaperTexts, seals: SealFolder, people: Sequence[bytes] = ()) -> None:
        self._texts, self._seals, self._people = texts, seals, tuple(people)

    def make(self, paper: PaperToMake) -> bytes:
        """The paper, set and sealed; one that its applicant signs first with empty places.

        Raises PapersWait, PapersUnavailable, WrongText.
        """
        made = set_paper(paper.data, self._texts)
        if "applicant" in made.places:
            return signable(made)
        sealer = self._seals.sealer(paper.authority, paper.data.frame.authority, made.seal)
        return seal_paper(made, sealer, at=paper.at)

    def prepare(self, asked: SignatureToPrepare) -> HalfSigned:
        """The file made ready to be signed; raises SignatureUnproven if the certificate names nobody."""
        given = asked.certificate.given
        try:
            prepared = prepare_signature(asked.shown, given, at=asked.at)
        except (NamesNobody, ValueError) as fault:
            raise SignatureUnproven from fault
        return HalfSigned(digest=prepared.digest, prepared=_packed(prepared))

    def finish(self, asked: SignatureToFinish) -> bytes:
        """The signed file; raises SignatureUnproven if the signature does not fit the certificate."""
        try:
            return finish_signature(_unpacked(asked.half.prepared), asked.signature)
        except WrongSignature as fault:
            raise SignatureUnproven from fault

    def prove(self, asked: SignedToProve) -> ProvenSignature:
        """What the signed file proves by itself, of what was asked; raises SignatureUnproven."""
        trust = TrustedParties(person_roots=self._people, seals=TrustedSeals(roots=()))
        verdict = verify_signed(asked.signed, trust, AskedSignature(signatory=asked.signatory, shown=asked.shown))
        if verdict.proven is None:
            raise SignatureUnproven
        return verdict.proven

    def seal(self, asked: ContractToSeal) -> bytes:
        """The contract, sealed after its applicant, whose signature is judged again; raises as `make` and `prove`."""
        self.prove(asked.signed)
        sealer = self._seals.sealer(asked.authority, asked.authority_name, "authority")
        return seal_contract(asked.signed.signed, sealer, at=asked.at)


def _packed(prepared: PreparedSignature) -> bytes:
    said = {**dict(prepared), "certificate": JobCertificate.of(prepared.certificate)}
    return _Packed(**said).model_dump_json().encode()


def _unpacked(packed: bytes) -> PreparedSignature:
    """What `_packed` wrote."""
    known = _Packed.model_validate_json(packed)
    return PreparedSignature(**{**dict(known), "certificate": known.certificate.given})


# What may be asked of a workshop by a line of JSON: under which name, of which shape.
JOBS: Mapping[str, tuple[type[Value], Callable[[Workshop, Any], Any]]] = {
    "make": (PaperToMake, Workshop.make),
    "prepare": (SignatureToPrepare, Workshop.prepare),
    "finish": (SignatureToFinish, Workshop.finish),
    "prove": (SignedToProve, Workshop.prove),
    "seal": (ContractToSeal, Workshop.seal),
}
