"""Effects as they wait in the document of an aggregate, until they are carried to their rooms."""

from typing import Any

from server.crypto.keyring import NodeKeys
from server.domain.effects.effects import Effect
from server.store.effects.clues import written_clues
from server.store.effects.deeds import written_deed
from server.store.effects.fetches import sealed_fetch
from server.store.effects.issues import sealed_issue
from server.store.effects.papers import written_order
from server.store.effects.tasks import written_task
from server.store.sealing import sealed_letter


def written_effect(effect: Effect, keys: NodeKeys) -> dict[str, Any]:
    """An effect as it waits; a letter's canonical text is made here, once and for good.

    What leaves the aggregate has a key of its own: erasing that of the aggregate erases what stands here.
    """
    written: dict[str, Any] = {"event": effect.event, "index": effect.index}
    if effect.task:
        written["task"] = written_task(effect.task)
    if effect.letter:
        letter = effect.letter
        written["letter"] = sealed_letter(letter, keys.fields.new_key(letter.id), context=letter.id)
    if effect.notice:
        written["notice"] = effect.notice.model_dump(mode="json")
    if effect.fetch:
        written["fetch"] = sealed_fetch(effect.fetch, keys.fields.new_key(effect.fetch.name))
    if effect.clues:
        written["clues"] = written_clues(effect.clues, keys.clue)
    if effect.deed:
        written["deed"] = written_deed(effect.deed)
    if effect.paper:
        written["paper"] = written_order(effect.paper)
    if effect.issue:
        written["issue"] = sealed_issue(effect.issue, keys.fields.new_key(effect.issue.id))
    return written
