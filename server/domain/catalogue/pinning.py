"""Pinning: who has something to do in a step, as a plan names them and a case remembers them for good."""

from collections.abc import Mapping

from server.domain.catalogue.authorities import DIGITS, HOTLINE, Authorities, Authority, Decider, NobodyDecides
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import prefix, province_of
from server.domain.catalogue.items import DecidedBy, Item, Part
from server.domain.values import Value

PREFIX: Mapping[DecidedBy, str] = {"authority": "", "provider": "provider/", "chosen": "chosen/"}


class PinnedAuthority(Value):
    """An authority (实施主体) as it was called when it was pinned; or, by `decided_by`, an organisation that is none.

    `signs_as` is the name of the authority in whose name it decides, if that is another one (委托).
    """

    id: str
    name: str
    decided_by: DecidedBy = "authority"
    signs_as: str = ""


class Competent(Value):
    """Who decides a step, and by department who is heard on it (会签), and who checks it at the home (核验).

    None where another province names them: its delegations are not known here.
    """

    authority: PinnedAuthority | None = None
    heard: Mapping[str, PinnedAuthority] = {}
    checker: PinnedAuthority | None = None


def competent_here(item: Item, told: Mapping[str, str], division: str, *, context: Context) -> Competent:
    """Who decides the item in this division of the home's province, and who is heard; `told` are answers and form.

    Raises the refusals of `Authorities.decider_of`, and NobodyDecides if nobody is known who could be heard.
    """
    decider = context.authorities.decider_of(item, told, division, on=context.on)
    place = prefix(division)[: DIGITS[decider.level or "county"]].ljust(6, "0")
    departments = item.opinions.departments if item.opinions else ()
    return Competent(
        authority=_pinned(decider, item, division, context=context),
        heard={department: of_department(department, place, context=context) for department in departments},
    )


def organisation(
    authorities: Authorities, department: str, division: str, *, decided_by: DecidedBy
) -> PinnedAuthority | None:
    """Those who do a department's work in a county without being an authority of it, together under one id and name.

    None if nothing says what they are called.
    """
    naming, code = authorities.naming_of.get(department), prefix(division)[: DIGITS["county"]].ljust(6, "0")
    if naming is None or not naming.organisation:
        return None
    name = naming.organisation.format(place=authorities.divisions.name_in_full(code))
    return PinnedAuthority(id=f"{PREFIX[decided_by]}{department}/{code}", name=name, decided_by=decided_by)


def of_department(department: str, division: str, *, context: Context) -> PinnedAuthority:
    """Who holds the power of a department in this division, or around it; raises NobodyDecides."""
    found = context.authorities.holder_of(department, division, on=context.on)
    if found is None:
        place = context.divisions.name_in_full(division)
        raise NobodyDecides(f"尚不清楚{place}由哪个机关承担这项职责。")
    return _named(found)


def competent_at_home(part: Part | None, *, context: Context) -> Competent:
    """Who checks a step where the applicant is that another province decides; raises NobodyDecides."""
    if part is None:
        return Competent()
    return Competent(checker=of_department(part.department, context.division or context.home, context=context))


def is_elsewhere(division: str, context: Context) -> bool:
    """Whether the division belongs to another province, which says itself who decides there."""
    return province_of(division) != province_of(context.home)


def _pinned(decider: Decider, item: Item, division: str, *, context: Context) -> PinnedAuthority:
    if decider.authority is None:
        found = organisation(context.authorities, item.department, division, decided_by=decider.decided_by)
        if found is None:
            place = context.divisions.name_in_full(division)
            raise NobodyDecides(f"尚不清楚{place}由哪些机构办理这一项，可以拨打 {HOTLINE} 询问。")
        return found
    signs_as = decider.signs_as.name if decider.signs_as and decider.signs_as != decider.authority else ""
    return _named(decider.authority).model_copy(update={"signs_as": signs_as})


def _named(authority: Authority) -> PinnedAuthority:
    return PinnedAuthority(id=authority.id, name=authority.name)
