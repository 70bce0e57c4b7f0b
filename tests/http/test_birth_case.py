"""The whole way of one case over HTTP, between two nodes."""

from pathlib import Path

from regions.evidence import check_receipts
from tests.nodes import newborn_wish, running_nodes
from tests.world import JIANGSU, ZHEJIANG


async def test_a_birth_case_crosses_the_province_and_closes(tmp_path: Path, database_uri: str, database_name: str):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        mother = await places.citizen()
        wish = await newborn_wish(mother)
        submitted = await mother.post("/api/v1/cases", wish)
        assert submitted.status == 201, submitted.body
        case = submitted.body["id"]
        await places.settle()
        await places.decide(case, "birth_certificate", department="health")
        abroad = f"{JIANGSU}:{case}"
        await places.decide(abroad, "household_registration", department="public_security", division=ZHEJIANG)
        shown = await mother.get(f"/api/v1/cases/{case}")
        states = {step["step"]: step["state"] for step in shown.body["steps"]}
        assert states["household_registration"] == "approved"
        assert states["social_security_card"] == "sent"
        for step, department in (
            ("vaccination_card", "disease_control"),
            ("social_security_card", "human_resources"),
            ("medical_insurance", "medical_insurance_bureau"),
            ("parenting_guidance", "health"),
        ):
            await places.decide(case, step, department=department)
        shown = await mother.get(f"/api/v1/cases/{case}")
        assert (shown.body["state"], shown.body["outcome"]) == ("closed", "completed")
        ours, theirs = [await check_receipts(places.nodes[here].node) for here in (JIANGSU, ZHEJIANG)]
        assert ours.verified
        assert theirs.verified
        heads = [{log.direction: log.head for log in report.logs} for report in (ours, theirs)]
        assert (heads[0]["out"], heads[0]["in"]) == (heads[1]["in"], heads[1]["out"])
        assert sum(log.letters for log in ours.logs) == 4
        kinds = {log.direction: dict(log.kinds) for log in ours.logs if log.letters}
        assert kinds == {"out": {}, "in": {"step.received": 1, "step.accepted": 1, "step.decided": 1}}
