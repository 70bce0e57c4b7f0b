"""Whom the certificate of a person names."""

from asn1crypto import x509
from pydantic import ValidationError

from server.domain.papers.signing import Signatory

# Where a subject has the name, the masked number, and the id of the request for which it was made.
NAME, NUMBER, REQUEST = "common_name", "pseudonym", "dn_qualifier"


class NamesNobody(ValueError):
    """The certificate does not name one person and the request for which it was made."""


def signatory_of(certificate: x509.Certificate) -> Signatory:
    """The person whom a certificate names; raises NamesNobody, also for that of an organisation."""
    named: dict[str, object] = certificate.subject.native
    if named.keys() != {NAME, NUMBER, REQUEST}:
        raise NamesNobody("its subject is another one than a name, a masked number and a request")
    try:
        return Signatory.model_validate({"name": named[NAME], "id_number": named[NUMBER], "request": named[REQUEST]})
    except ValidationError as fault:
        raise NamesNobody("its subject is not written as that of a person") from fault
