"""The one table of which event of a step gives which paper, and of what gives none, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.domain.case import events, handover
from server.domain.case.case import Step
from server.domain.case.fetches import offered
from server.domain.case.happening import Moved
from server.domain.catalogue.results import ResultKind
from server.domain.paperwork import bodies, leasing
from server.domain.paperwork.bodies import Body, Telling
from server.domain.rules.results import result_of

When = Callable[[Step, Telling], bool]  # of the step before the event, and all that is told of then


def _always(_before: Step, _telling: Telling) -> bool:
    return True


@dataclass(frozen=True)
class Giving:
    """The kind of a paper that an event gives, what its body says, and `when` the event does.

    With `result` it is given only of a step whose approval comes to a result of this kind.
    """

    paper_kind: str
    body: Callable[[Telling], Body]
    when: When = _always
    result: ResultKind | None = None

    def is_given(self, before: Step, telling: Telling) -> bool:
        """Whether the event that is told of gives it, of a step that stood so before."""
        if not self.when(before, telling):
            return False
        known = result_of(telling.catalogue, telling.step.plan) if self.result else None
        return self.result is None or (known is not None and known.kind == self.result)


def _is_begun(before: Step) -> bool:
    """Whether the authority has had the step in hand: what never came to it is not taken back from it."""
    return before.state in ("received", "supplementing", "accepted", "suspended")


# The first of these whose `when` holds is given.
GIVES: Mapping[type[Moved], tuple[Giving, ...]] = {
    events.Received: (Giving("receipt", bodies.receipt, lambda _, telling: bool(offered(telling.case, telling.step))),),
    events.Told: (Giving("supplement", bodies.supplement, lambda before, _: before.supplement is not None),),
    events.Accepted: (
        Giving("gap_acceptance", bodies.gap_acceptance, lambda _, telling: bool(telling.event.deferrals)),
        Giving("acceptance", bodies.acceptance),
    ),
    events.Declined: (
        Giving("not_needed", bodies.not_needed, lambda _, telling: telling.event.reason == "not_needed"),
        Giving("not_ours", bodies.not_ours, lambda _, telling: telling.event.reason == "wrong_agency"),
        Giving("termination", bodies.unfixed),
    ),
    events.Suspended: (Giving("special_procedure", bodies.special_procedure),),
    events.Extended: (Giving("extension", bodies.extension),),
    events.Approved: (Giving("granted", bodies.granted),),
    events.Refused: (Giving("refused", bodies.refused),),
    events.Delivered: (Giving("delivery", bodies.delivery),),
    events.Withdrawn: (
        Giving(
            "termination", bodies.unfixed, lambda before, telling: bool(telling.event.grounds) and _is_begun(before)
        ),
        Giving("withdrawal", bodies.withdrawal, lambda before, _: _is_begun(before)),
    ),
}
# And these beside, each of which holds.
GIVES_BESIDE: Mapping[type[Moved], tuple[Giving, ...]] = {
    events.Approved: (
        Giving("certificate", bodies.certificate, lambda _, told: not told.event.licence, result="paper"),
        Giving(
            "licence",
            bodies.licence,
            lambda _, told: bool(told.event.grant) and not told.event.licence,
            result="licence",
        ),
        Giving("lease", leasing.lease, lambda _, told: leasing.is_contracted(told)),
    ),
}
WITHOUT: Mapping[type[Moved], str] = {
    events.Sent: "between the places of a case; the applicant has not been answered yet",
    events.Skipped: "nobody has decided: the step that it needed ended otherwise, and has its own paper",
    handover.CheckAsked: "the home's own part is no answer to the applicant",
    handover.Checked: "the home's own part is no answer to the applicant",
    handover.TurnedBack: "the home decides nothing; the timeline tells why the step was not sent on",
    events.SupplementAsked: "the last day is not known yet; `told` says it, and gives the paper",
    events.Supplied: "what was put right has no receipt of its own among our texts",
    events.Urged: "the applicant did it",
    events.Gathered: "materials came from another node; the applicant has handed in nothing new",
    events.Deemed: "the law accepts by silence, which no authority has put in writing; the timeline tells",
    events.Resumed: "the paper on the special procedure names the day of its end",
    events.OpinionGiven: "departments say it to each other",
    events.OpinionReturned: "departments say it to each other",
    events.Proposed: "a proposal is no decision",
    events.Transferred: "there is no text for a transfer yet; the timeline names the authority",
    events.Designated: "there is no text for a designation yet; the timeline names the authority",
    events.TakenOver: "there is no text for a succession yet; the timeline names the authority",
}
# Kinds of papers that no move gives, and why.
BY_NO_MOVE: Mapping[str, str] = {
    "hearing": "no move tells of a hearing before the decision; one that stops the clock is a special procedure",
    "correction": "no move corrects a paper",
    "application": "the applicant signs it before there is a move",
    "undertaking": "the applicant signs it before there is a move",
}


def givings_of(before: Step, telling: Telling) -> tuple[Giving, ...]:
    """Which papers the event that is told of gives of a step that stood so before it."""
    first, beside = (
        [each for each in table.get(type(telling.event), ()) if each.is_given(before, telling)]
        for table in (GIVES, GIVES_BESIDE)
    )
    return (*first[:1], *beside)
