"""The tools of one running node, one frozen value that every use case gets and none keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from server.crypto.keyring import NodeKeys
from server.crypto.tokens import Tokens
from server.domain.case.acts import Facts
from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.lists import YearlyList
from server.domain.catalogue.peaks import Peaks
from server.domain.catalogue.windows import Windows
from server.domain.effects.notices import Templates
from server.domain.exchange.directory import Directory
from server.domain.papers.texts import PaperTexts
from server.domain.rules.undertakings import UndertakingText
from server.domain.time.calendar import Calendar
from server.domain.values import china_day
from server.store.store import Store
from server.tools.clock import Chance, Clock
from server.tools.logs import bind, child_traceparent, clear
from server.tools.metrics import Metrics
from server.tools.platform import Platform
from server.tools.searching import SearchIndex
from server.tools.settings import Settings
from server.tools.wire import Wire


class Places:
    """Holds the directory in force; only regions/directory.py puts another one in its place."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory


@dataclass(frozen=True)
class Published:
    """What this node's province publishes: the catalogue, its search index, the yearly lists, the divisions, who
    decides in them, the windows, the working days it knows, and the peaks that it announces.

    `field_types` are the types of all fields that any of its catalogues has or had, by code.
    `templates` are those of its notices, `paper_texts` those of its papers; None: it gives none.
    """

    catalogue: Catalogue
    field_types: Mapping[str, str]
    lists: tuple[YearlyList, ...]
    divisions: Divisions
    authorities: Authorities
    windows: Windows
    calendar: Calendar
    undertakings: tuple[UndertakingText, ...]
    templates: Templates
    peaks: Peaks
    paper_texts: PaperTexts | None = None

    @cached_property
    def index(self) -> SearchIndex:
        """The search over the catalogue in force; made when it is first asked for."""
        return SearchIndex(self.catalogue)


@dataclass(frozen=True, repr=False)  # asyncio makes a repr of what a task returns; of the catalogue it takes long
class Node:
    """One node: its choices, its data, its memory, its keys and its edges."""

    settings: Settings
    published: Published
    places: Places
    store: Store
    keys: NodeKeys
    tokens: Tokens
    clock: Clock
    chance: Chance
    platform: Platform
    wire: Wire
    metrics: Metrics
    log: Any

    @property
    def here(self) -> str:
        """The division of this node."""
        return self.settings.division

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in force."""
        return self.published.catalogue

    def catalogue_of(self, version: str) -> Catalogue:
        """The catalogue of this version; the one in force if this node never published such a version.

        Raises CatalogueNotAtHand unless the version was read just before, with the case (`server/desk/catalogues.py`).
        """
        if version == self.catalogue.version:
            return self.catalogue
        return self.store.catalogues.of(version) or self.catalogue

    @property
    def directory(self) -> Directory:
        """The directory in force."""
        return self.places.directory

    def facts(self) -> Facts:
        """What a decision made now may know of the world."""
        return Facts(
            here=self.here,
            at=self.clock.now(),
            directory=self.directory,
            calendar=self.published.calendar,
            field_types=self.published.field_types,
            salt=self.chance.token(16),
        )

    def context(self, division: str = "") -> Context:
        """Where (`division` inside the home) and when an application made now is made."""
        today = china_day(self.clock.now())
        return Context(
            home=self.here,
            on=today,
            authorities=self.published.authorities,
            windows=self.published.windows,
            division=division,
        )

    def begin(self, request_id: str, traceparent: str | None) -> str:
        """Put the request's id and trace on every log line that follows; answers our own traceparent."""
        ours = child_traceparent(traceparent, self.chance)
        clear()
        bind(request_id=request_id, traceparent=ours)
        return ours
