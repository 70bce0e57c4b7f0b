"""Looking at licences when their alarms are due: their holders are reminded, and what is over expires."""

from datetime import datetime
from functools import partial

from server.desk.licensing import LICENCES
from server.desk.relay import relay_soon
from server.domain.aggregate.actors import Actor
from server.domain.effects.licensing import (
    alarm_of,
    ends_at,
    home_of,
    remind_at,
    reminders_as_told,
    reminders_of,
)
from server.domain.licence.acts import ExpireLicence
from server.domain.licence.decide import LicenceStateForbids
from server.node import Node


async def look_at_licence(node: Node, id: str) -> datetime | None:
    """Do what has fallen due on a licence; answers when to look again. Twice is once: acts and notices have ids.

    Only the home of its case reminds, for it knows the persons.
    """
    record = await node.store.licences.find(id)
    if record is None:
        return None
    licence, now, results = record.value, node.clock.now(), node.catalogue.results
    remind, last = remind_at(licence, results), licence.expires_on
    if last is not None and ends_at(last) <= now:
        act = ExpireLicence(id=f"expire:{id}:{last:%Y%m%d}", by=Actor(node=node.here, part="node"))
        try:
            record = await LICENCES.perform(node, id, act, known=record)
        except LicenceStateForbids:  # it was over before, or is by now
            return None
        await relay_soon(node, record)
    elif remind is not None and remind <= now and licence.state == "valid" and home_of(licence) == node.here:
        for notice in reminders_of(licence, at=now, key_of=partial(node.keys.owner, "person")):
            await node.store.notices.add(notice)
    return alarm_of(record.value, results, after=now)


async def look_at_known(node: Node, id: str) -> datetime | None:
    """Remind those of the last day who are known to hold a licence of another node; answers when to look again."""
    known = (await node.store.known_licences.find([id])).get(id)
    if known is None:
        return None
    told, now = known.told, node.clock.now()
    remind, last = remind_at(told, node.catalogue.results), told.expires_on
    if remind is None or last is None or told.state != "valid" or ends_at(last) <= now:
        return None
    if remind > now:
        return remind
    for notice in reminders_as_told(known, at=now):
        await node.store.notices.add(notice)
    return None
