"""Licences (电子证照) in the store: a kind of aggregate, by the identifier."""

from server.domain.aggregate.records import Record
from server.domain.licence.events import LICENCE_EVENT, LICENCE_KINDS, LicenceEvent
from server.domain.licence.licence import Licence
from server.domain.licence.lifecycle import replay
from server.domain.licence.words import LICENCE_WORDS
from server.store.aggregates.aggregates import Aggregates
from server.store.aggregates.kinds import AggregateKind
from server.store.queries import LICENCES_ALL

LICENCES = "licences"
LicenceRecord = Record[Licence, LicenceEvent]
Licences = Aggregates[Licence, LicenceEvent, LicenceRecord]
LICENCE_KIND: AggregateKind[Licence, LicenceEvent, LicenceRecord] = AggregateKind(
    collection=LICENCES,
    queries=LICENCES_ALL,
    value=Licence,
    event=LICENCE_EVENT,
    kinds=LICENCE_KINDS,
    record=Record,
    id_of=lambda licence: licence.id,
    replay=replay,
    revision=1,
    words=LICENCE_WORDS,
)
