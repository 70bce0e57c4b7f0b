"""The context of an application: where and when it is made, and what is known of who decides and receives there."""

from collections.abc import Hashable, Mapping
from datetime import date

from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.items import Item
from server.domain.catalogue.windows import Window, Windows
from server.domain.errors import Refusal
from server.domain.remembering import itself
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

    def receives(self, window: Window, item: Item, told: Mapping[str, str]) -> bool:
        """Whether one may hand in at this window for the item, with these answers, as it is decided in its county."""
        try:
            decider = self.authorities.decider_of(item, told, window.county, on=self.on)
        except Refusal:  # nobody decides there, so only what the window itself names counts
            return window.receives(item, authority="")
        return window.receives(item, authority=decider.authority.id if decider.authority else "")

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What tells it from others, as a part of the key of what is made in it."""
        return (self.home, self.division, self.on, itself(self.authorities), itself(self.windows))

    @property
    def divisions(self) -> Divisions:
        """The divisions known."""
        return self.authorities.divisions
