"""The audit (审计): the kinds of what is put on record, and what of it is asked for."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from server.domain.values import CHINA, Day, Moment, Value

AuditKind = Literal[
    "apart.dropped",
    "apart.retried",
    "audit.archived",
    "audit.read",
    "calendar.changed",
    "case.erased",
    "case.found",
    "case.read",
    "case.searched",
    "cases.seeded",
    "clock.stored_accepted",
    "content.refused",
    "content.served",
    "desk.refused",
    "dishonest.changed",
    "key.added",
    "key.chosen",
    "key.retired",
    "letter.annulled",
    "letter.retry",
    "licence.acted",
    "licence.answered",
    "licence.asked",
    "licence.checked",
    "licence.found",
    "licence.opened",
    "licence.read",
    "licence.searched",
    "licence.shown",
    "material.read",
    "node.adopted",
    "officer.added",
    "officer.ended",
    "officer.password_changed",
    "officer.post_ended",
    "officer.post_given",
    "officer.reset",
    "officer.sign_in_refused",
    "officer.signed_in",
    "officer.signed_out",
    "officer.totp_on",
    "paper.read",
    "peer.log_conflict",
    "peer.overstepped",
    "peer.refused",
    "peer.retried",
    "peer.stream_opened",
    "step.acted",
    "task.changed",
    "visit.recorded",
]
MEANINGS: Mapping[AuditKind, str] = {
    "apart.dropped": "An operator let something that could not be handled end undone.",
    "apart.retried": "An operator or the system administrator let something that was set apart be handled anew.",
    "audit.archived": "An operator moved what was kept long enough into a file; `head` and `sha256` are of that file.",
    "audit.read": "Somebody read a page of the audit; `filter` says what they asked for.",
    "calendar.changed": "All dates follow another calendar of working days.",
    "case.erased": "An operator erased a case here for good; `reason` says why.",
    "case.found": "An officer was shown a case in what a search found.",
    "case.read": "An officer opened a case file; `reason` names their part in it.",
    "case.searched": "An officer looked for cases; `clue` is of which kind, `digest` stands for what was looked for.",
    "cases.seeded": "An operator had made-up cases of made-up people put among what is stored; `cases` says how many.",
    "clock.stored_accepted": "An operator let moments that are stored ahead of the time hold nothing, up to `until`.",
    "content.refused": "Another node asked for a file that is not for it; one entry each time.",
    "content.served": "Another node was given a file, or a part of it, for the step that it decides.",
    "desk.refused": "An officer was refused; one entry for each session, code, door and hour, counted.",
    "dishonest.changed": "An operator put a person on the list of the seriously dishonest, or took them off.",
    "key.added": "An operator added a key to a ring of the key file.",
    "key.chosen": "An operator made a key the current one of its ring.",
    "key.retired": "An operator took a key, under which nothing stood any more, out of the key file.",
    "letter.annulled": "An operator told another node that a letter of ours shall have no effect.",
    "letter.retry": "An operator asked another node to judge a letter of ours anew.",
    "licence.acted": "An officer acted on a licence; what came of it stands in the licence, or among `desk.refused`.",
    "licence.answered": "Another node asked how a licence stands that was issued here, and was told.",
    "licence.asked": "An officer, here or of another node, redeemed a code; what for stands in the uses.",
    "licence.checked": "An officer asked the node that issued a licence how it stands; why stands among its uses.",
    "licence.found": "An officer was shown a licence in what a search found.",
    "licence.opened": "An officer opened a licence.",
    "licence.read": "An agent opened an electronic licence under a mandate.",
    "licence.searched": "An officer looked for licences; `clue` is of which kind, `digest` stands for what.",
    "licence.shown": "The face of a licence was given to an officer or another node, as its holder agrees to.",
    "material.read": "An officer opened a material of a case; `reason` names the steps.",
    "node.adopted": "An operator said that a database, a copy or one that was moved, is this node's from now on.",
    "officer.added": "An account was added.",
    "officer.ended": "An account was ended for good.",
    "officer.password_changed": "Somebody changed the password of their own account.",
    "officer.post_ended": "A post of an officer was ended, by hand or with what it rested on.",
    "officer.post_given": "An officer was given a post, or stands in for another.",
    "officer.reset": "A password or an authenticator was reset.",
    "officer.sign_in_refused": "A sign-in was refused; one entry for each name, address, code and hour, counted.",
    "officer.signed_in": "Somebody signed in.",
    "officer.signed_out": "Somebody signed out.",
    "officer.totp_on": "Somebody switched on the authenticator of their own account.",
    "paper.read": "An officer, or an agent under a mandate, opened a sealed paper of a case.",
    "peer.log_conflict": "Another node sent a batch that contradicts its own log.",
    "peer.overstepped": "Another node spoke on a matter that is not its own.",
    "peer.refused": "A request of another node was refused; one entry for each key, code, door and hour, counted.",
    "peer.retried": "An operator let the next attempt to reach another node come at once.",
    "peer.stream_opened": "An operator let a stopped way to another node go on in a new stream.",
    "step.acted": "An officer acted on a step; what came of it stands in the case, or among `desk.refused`.",
    "task.changed": "An officer took a task in hand, gave it back (`to` nobody), passed it on, or shared it out.",
    "visit.recorded": "An officer recorded who came to a window for a case.",
}


class Doer(Value):
    """Who does what is put on record: an account of the desk, in a session from an address, or one of the machine.

    `session` stands for the session and tells nobody which it is.
    """

    name: str
    address: str = ""
    session: str = ""

    @property
    def about(self) -> dict[str, str]:
        """What an entry says of an officer who does or looks at something."""
        return {"officer": self.name, **self.whence}

    @property
    def by(self) -> dict[str, str]:
        """What an entry says of who changes something that is about an officer, or about the node."""
        return {"by": self.name, **self.whence}

    @property
    def whence(self) -> dict[str, str]:
        """Session and address, as far as there are any."""
        told = {"address": self.address, "session": self.session}
        return {name: text for name, text in told.items() if text}


class Note(NamedTuple):
    """An entry to be written: its id, which nobody else makes, its kind, and what it is about."""

    id: str
    kind: AuditKind
    about: Mapping[str, str]


class AuditEntry(Value):
    """What was put on record: when (the first time), of what kind, about what, and how often."""

    at: Moment
    kind: str
    about: Mapping[str, str]
    times: int


class AuditFilter(Value):
    """Which entries are wanted: of the days in China `since` to `until`, of a kind, by somebody, about a case or a
    person; and behind which `next` the list goes on.

    `officer` is who did it: an officer, an administrator, or the account of the machine that ran a command. `person` is
    whose data was looked at, by the key that stands in entries. `case` is the case's full name, `320000/...`. What does
    not fit is no name and may be a slip: it is refused and not noted.
    """

    since: Day | None = None
    until: Day | None = None
    kind: AuditKind | None = None
    officer: Annotated[str, StringConstraints(pattern=r"^([\p{L}][\p{L}\p{N} ._·-]{0,99})?$")] = ""
    person: Annotated[str, StringConstraints(pattern=r"^([a-z2-7]{20,100})?$")] = ""
    case: Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{5}/[A-Za-z0-9_-]{1,80})?$")] = ""
    after: Annotated[str, StringConstraints(max_length=100)] = ""

    @property
    def begins_at(self) -> datetime | None:
        """The first moment of the first day."""
        return datetime.combine(self.since, time(), CHINA) if self.since else None

    @property
    def ends_at(self) -> datetime | None:
        """The moment after the last day."""
        return datetime.combine(self.until, time(), CHINA) + timedelta(days=1) if self.until else None

    @property
    def words(self) -> str:
        """What the audit tells of the filter itself."""
        said = self.model_dump(mode="json", exclude={"after"})
        return " ".join(f"{name}={value}" for name, value in said.items() if value)

    def fits(self, entry: AuditEntry) -> bool:
        """Whether an entry of these days is wanted."""
        return (
            self.kind in (None, entry.kind)
            and self.officer in ("", actor_of(entry.about))
            and self.case in ("", entry.about.get("case"))
            and self.person in ("", entry.about.get("person"))
        )


def actor_of(about: Mapping[str, str]) -> str:
    """Who did what an entry is about: an officer who looked, who acted on an account, or who saw to their own."""
    return about.get("officer") or about.get("by") or about.get("name", "")
