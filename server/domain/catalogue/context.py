"""The context of an application: where and when it is made, and what is known of who decides and receives there."""

from datetime import date

from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.windows import Windows
from server.domain.values import Value


class Context(Value):
    """Where and when an application is made: the home node's division, the day, the authorities and windows known.

    `division` is the place inside the home where the applicant applies; empty: the home as a whole.
    """

    home: str
    on: date
    authorities: Authorities
    windows: Windows = Windows()
    division: str = ""

    @property
    def divisions(self) -> Divisions:
        """The divisions known."""
        return self.authorities.divisions
