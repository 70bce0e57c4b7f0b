"""Opening a case: from what a citizen hands in to an application with nothing missing, or every fault at once."""

import operator
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from server.domain.case.case import Application, HandedIn
from server.domain.catalogue.answers import AnswersIncomplete, division_faults, pointer
from server.domain.catalogue.authorities import NobodyDecides
from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.depths import lead_fault, level_of_lead
from server.domain.catalogue.divisions import CODE, province_of
from server.domain.catalogue.forms import FormFaulty, form_faults
from server.domain.catalogue.items import Item
from server.domain.catalogue.merging import MergedForm, items_of, merge
from server.domain.catalogue.pinning import PinnedAuthority, of_department
from server.domain.catalogue.plan import PlannedStep, make_plan
from server.domain.errors import FieldFault, Invalid
from server.domain.exchange.directory import Directory
from server.domain.exchange.routing import route
from server.domain.licence.covering import REFERENCE, LicenceGiven
from server.domain.materials import Upload
from server.domain.people.persons import Person, SubjectGiven
from server.domain.rules.undertakings import SignedUndertaking
from server.domain.sentences import sentences
from server.domain.values import Value, WrittenKey, WrittenText

Code = Annotated[str, StringConstraints(max_length=100)]


class SubjectIsApplicant(Invalid):
    """Only relatives of the subject apply for this, and the form names the applicant as the subject."""

    code = "subject_is_applicant"
    title = "应由亲属申请"


class MaterialGiven(Value):
    """One material of a submission: which kind it is, and the id that its upload was answered with."""

    code: str
    id: str


# How much may be given at once, in an application and in what supplements it.
FormGiven = Annotated[Mapping[WrittenKey, WrittenText], Field(max_length=200)]
MaterialsGiven = Annotated[tuple[MaterialGiven, ...], Field(max_length=50)]
LicencesGiven = Annotated[tuple[LicenceGiven, ...], Field(max_length=20)]


class Submission(Value):
    """A finished application as it is handed in (提交); `division` is where inside the home (empty: the home).

    `window` is the one at which the applicant wants to be served (empty: none was chosen). The materials of `deferred`
    come later (容缺), against one of the undertakings that are signed. An agent names the mandate. `licences` take the
    place of materials (免提交).
    """

    bundle: Code
    division: Code = ""
    window: Code = ""
    answers: Annotated[Mapping[WrittenKey, Code], Field(max_length=50)] = {}
    form: FormGiven
    materials: MaterialsGiven = ()
    deferred: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    undertakings: Annotated[tuple[SignedUndertaking, ...], Field(max_length=10)] = ()
    mandate: Code = ""
    licences: LicencesGiven = Field(default=(), exclude_if=operator.not_)  # without any it is as before there were any


def application_of(
    catalogue: Catalogue,
    submission: Submission,
    *,
    applicant: Person,
    uploads: Mapping[str, Upload],
    context: Context,
) -> Application:
    """The checked application; raises NoSuchBundle, AnswersIncomplete, NothingToApplyFor, SubjectIsApplicant, or
    FormFaulty naming every fault.

    `uploads` are those of who hands it in, by id, and by their identifiers the licences given. Fields that the proven
    name fills are filled here.
    """
    bundle = catalogue.of(province_of(context.home)).bundle(submission.bundle)
    steps = make_plan(catalogue, bundle, submission.answers, context=context, form=submission.form)
    merged = merge(catalogue, bundle, steps)
    faults = form_faults(merged.fields, submission.form, on=context.on) + _place_faults(merged, submission, context)
    faults += _material_faults(merged, submission, uploads)
    faults += _window_faults(items_of(catalogue, steps), submission, context)
    if faults:
        raise FormFaulty("请按提示修改后重新提交。", errors=faults)
    return Application(
        bundle=bundle.code,
        bundle_name=bundle.name,
        catalogue=catalogue.version,
        division=submission.division,
        window=submission.window,
        closing=bundle.closing,
        lead=bundle.lead,
        leader=_leader(bundle, context),
        applicant=applicant,
        subject=_subject(bundle, submission.form, applicant),
        answers=submission.answers,
        form={**submission.form, **_filled(merged, applicant)},
        materials=tuple(HandedIn(code=code, **uploads[id].model_dump()) for code, id in _given(submission)),
        deferred=tuple(dict.fromkeys(submission.deferred)),
        steps=steps,
    )


def _given(submission: Submission) -> Iterable[tuple[str, str]]:
    """Each material with what was given for it, once."""
    files = [(given.code, given.id) for given in submission.materials]
    return dict.fromkeys([*files, *((given.code, given.identifier) for given in submission.licences)])


def check_places(steps: tuple[PlannedStep, ...], directory: Directory) -> None:
    """Raises NoNodeFor if a step of the plan would be decided where no node is."""
    for step in steps:
        route(directory, step.division)


def _filled(merged: MergedForm, applicant: Person) -> dict[str, str]:
    """The fields that the proven name fills."""
    known = {"name": applicant.name, "id_number": applicant.id_number}
    return {each.field.code: known[each.field.filled_from] for each in merged.filled if each.field.filled_from}


def _leader(bundle: Bundle, context: Context) -> PinnedAuthority:
    """The authority that leads it; raises AnswersIncomplete where there is none of the leading department."""
    try:
        return of_department(bundle.lead, context.division or context.home, context=context)
    except NobodyDecides as refusal:
        level = level_of_lead(bundle.lead, context)
        nobody = FieldFault(pointer="/division", code=refusal.code, detail=refusal.detail)
        fault = lead_fault(bundle.name, level) if level else nobody
        raise AnswersIncomplete(errors=[fault]) from refusal


def _subject(bundle: Bundle, form: Mapping[str, str], applicant: Person) -> SubjectGiven | None:
    """The subject for whom a relative applies, as the form names them; None if the applicant is the subject."""
    if bundle.subject_fields is None:
        return None
    name, id_number = bundle.subject_fields
    if form[id_number] != applicant.id_number:
        return SubjectGiven(name=form[name], id_number=form[id_number])
    if "subject" not in bundle.applicants:
        detail = "这件事应由亲属申请，请填写当事人本人的身份证号码。"
        raise SubjectIsApplicant(
            detail, errors=[FieldFault(pointer=pointer("form", id_number), code="subject_is_applicant", detail=detail)]
        )
    return None


def _place_faults(merged: MergedForm, submission: Submission, context: Context) -> list[FieldFault]:
    """A place of the form must exist today; nothing is decided there, so it may be a town or a zone."""
    codes = [each.field.code for each in merged.fields if each.field.type == "division"]
    return [
        fault
        for code in codes
        if CODE.fullmatch(submission.form.get(code, ""))
        for fault in division_faults(context, submission.form[code], at=pointer("form", code), must_decide=False)
    ]


def _material_faults(merged: MergedForm, submission: Submission, uploads: Mapping[str, Upload]) -> list[FieldFault]:
    known = {each.material.code: each for each in merged.materials}
    faults = []
    for index, given in enumerate(submission.materials):
        if given.code not in known:
            faults.append(_fault(f"{index}/code", "unknown", "这件事不需要这种材料。"))
        elif given.id not in uploads or uploads[given.id].media_type == REFERENCE:
            faults.append(_fault(f"{index}/id", "material_unknown", "没有找到这份材料，请重新上传。"))
    for index, given_licence in enumerate(submission.licences):
        if given_licence.code not in known:
            fault = _fault("", "unknown", "这件事不需要这种材料。")
            faults.append(fault.model_copy(update={"pointer": f"/licences/{index}/code"}))
    given_codes = {given.code for given in submission.materials} | {each.code for each in submission.licences}
    for index, code in enumerate(submission.deferred):
        if code not in known or not known[code].may_be_deferred or code in given_codes:
            fault = _fault(f"{index}", "not_deferrable", "这种材料不能容缺后补，请现在上传。")
            faults.append(fault.model_copy(update={"pointer": f"/deferred/{index}"}))
    for code, each in known.items():
        if each.is_required and code not in {*given_codes, *submission.deferred}:
            faults.append(_fault("", "required", sentences(f"请上传：{each.material.name}")))
    return faults


def _window_faults(items: Iterable[Item], submission: Submission, context: Context) -> list[FieldFault]:
    """The window is one of this province today, and receives for at least one of the items."""
    if not submission.window:
        return []
    window = context.windows.find(submission.window, on=context.on)
    if window is None or province_of(window.county) != province_of(context.home):
        detail = "没有这个窗口，请重新选择。"
        return [FieldFault(pointer="/window", code="window_unknown", detail=detail)]
    told = {**submission.form, **submission.answers}
    if not any(context.receives(window, item, told) for item in items):
        detail = "这个窗口不收这件事的申请，请选择其他窗口。"
        return [FieldFault(pointer="/window", code="window_receives_none", detail=detail)]
    return []


def _fault(place: str, code: str, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/materials/{place}".rstrip("/"), code=code, detail=detail)
