"""How officers request the acts on a licence: what they say with each, and how the act is made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypedDict

from pydantic import Field

from server.domain.aggregate.actors import Actor
from server.domain.canonical import LARGEST_INTEGER
from server.domain.catalogue.results import MOST_HOLDERS, Result
from server.domain.errors import Missing
from server.domain.licence import acts
from server.domain.licence.granting import Award, NotALicence, next_grant
from server.domain.licence.licence import MOST_FACE_FIELDS, Grant, Ground, Licence, LicenceHolder, RevokedBy
from server.domain.values import Day, Value, WrittenKey, WrittenText


class NoSuchLicenceAct(Missing):
    """An officer's desk has no such act on a licence."""

    code = "no_such_licence_act"
    title = "没有这个证照操作"


class GroundedRequest(Value):
    """Why something is done to a licence, and by which rule (依据); the version of it that the officer saw."""

    reason: Ground
    basis: Ground
    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)] | None = None


class RevokeRequest(GroundedRequest):
    """Whether it should not have been granted (撤销), or is taken as a penalty (吊销)."""

    cause: RevokedBy


class MoveOutRequest(GroundedRequest):
    """Where it goes."""

    moved_to: Ground


class ReplaceRequest(GroundedRequest):
    """What stands in the licence that takes its place, where that is something else; and its last day, if one is given.

    Without `face` it is that of the one before.
    """

    face: Annotated[Mapping[WrittenKey, WrittenText], Field(max_length=MOST_FACE_FIELDS)] | None = None
    ends_on: Day | None = None


class ChangeRequest(ReplaceRequest):
    """The same with its holders, where these are others, or were written wrong."""

    holders: Annotated[tuple[LicenceHolder, ...], Field(max_length=MOST_HOLDERS)] = ()


class ActHeader(TypedDict):
    """What every act of an officer on a licence carries."""

    id: str
    digest: str
    by: Actor
    version: int | None
    reason: str
    basis: str


@dataclass(frozen=True)
class LicenceForm:
    """How one act is requested: what a call does (zh-CN), the body, and the act that it makes; `adds` is what the body
    says beside the grounds.
    """

    summary: str
    takes: type[GroundedRequest]
    act: type[acts.GroundedAct]
    adds: Callable[[Any], Mapping[str, Any]] = lambda _: {}


LICENCE_FORMS: Mapping[str, LicenceForm] = {
    "suspend": LicenceForm("暂扣证照", GroundedRequest, acts.SuspendLicence),
    "restore": LicenceForm("发还暂扣的证照", GroundedRequest, acts.RestoreLicence),
    "revoke": LicenceForm("撤销或者吊销证照", RevokeRequest, acts.RevokeLicence, lambda said: {"cause": said.cause}),
    "withdraw": LicenceForm("因法律或者客观情况变化撤回证照", GroundedRequest, acts.WithdrawLicence),
    "annul": LicenceForm("注销证照", GroundedRequest, acts.AnnulLicence),
    "renew": LicenceForm("延续证照", ReplaceRequest, acts.RenewLicence),
    "change": LicenceForm("变更证照", ChangeRequest, acts.ChangeLicence),
    "reissue": LicenceForm("补发或者换发证照", ReplaceRequest, acts.ReissueLicence),
    "correct": LicenceForm("更正证照照面的错误", ChangeRequest, acts.CorrectLicence),
    "move-out": LicenceForm(
        "办理证照转出", MoveOutRequest, acts.MoveOutLicence, lambda said: {"moved_to": said.moved_to}
    ),
    "cancel-move-out": LicenceForm("取消证照转出", GroundedRequest, acts.CancelMoveOut),
}


def licence_form(act: str) -> LicenceForm:
    """How this act is requested; raises NoSuchLicenceAct."""
    if act not in LICENCE_FORMS:
        raise NoSuchLicenceAct("没有这个证照操作。")
    return LICENCE_FORMS[act]


def licence_act(
    form: LicenceForm, header: ActHeader, said: GroundedRequest, *, following: Callable[[ReplaceRequest], Grant]
) -> acts.GroundedAct:
    """The act that is requested; `following` makes what takes the place of the licence, if something does."""
    if not isinstance(said, form.takes):
        raise TypeError(f"{type(said).__name__} is not of the kind {form.takes.__name__}")
    more = {"successor": following(said)} if isinstance(said, ReplaceRequest) else form.adds(said)
    return form.act.model_validate({**header, **more})


def successor_of(licence: Licence, said: ReplaceRequest, result: Result | None, *, on: date) -> Grant:
    """What takes the place of a licence from this day on, as an officer says; raises as `next_grant`."""
    if result is None or licence.origin is None:
        raise NotALicence("目录中没有这类证照，不能颁发新的证照。")
    holders = said.holders if isinstance(said, ChangeRequest) and said.holders else licence.holders
    award = Award(
        kind=licence.kind,
        holders=holders,
        authority=licence.authority,
        issuer=licence.identifier.issuer,
        origin=licence.origin,
        effective_on=on,
        given_on=said.ends_on,
        face=licence.face if said.face is None else said.face,
    )
    return next_grant(licence, result, award, on=on)
