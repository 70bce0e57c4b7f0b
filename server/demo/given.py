"""What a demo tells of papers (文书): that one is there, sealed, where it is opened and checked; or why they wait."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from server.demo.plots import OTHER
from server.demo.provinces import Province
from server.demo.story import ApiClient, Story

TRIES = 150
PAUSE_SECONDS = 0.2
DECIDED = "granted"  # the paper that decides a step


async def papers_told(story: Story, provinces: Sequence[Province]) -> str:
    """A sentence on the paper by which the other province has decided; empty where no papers are given.

    It is made after its move: it is waited for, and what is not there by then is said to come. Raises StoryFailed.
    """
    decider = provinces[OTHER]
    if not decider.work_url:
        return ""
    stands = await ApiClient(story.applicant.http, decider.work_url).get("/ready")
    if stands["papers"] == "off":
        return ""
    if stands["papers_lack"]:
        return f"Papers wait, for this machine cannot make them: {'; '.join(stands['papers_lack'])}."
    for _ in range(TRIES):
        if paper := await _decision(story, decider):
            return _words(story, paper, decider)
        await asyncio.sleep(PAUSE_SECONDS)
    return f"Papers are still being made after {TRIES * PAUSE_SECONDS:.0f} seconds."


def _words(story: Story, paper: Mapping[str, Any], decider: Province) -> str:
    return (
        f"{paper['authority']} has sealed a paper: {paper['title']}, {paper['number']}. It is opened at "
        f"{story.applicant.base_url}/api/v1/cases/{story.case}/papers/{paper['id']}, and whoever holds it checks it at "
        f"{decider.base_url}/check by the codes that stand on it (验证码 {paper['id']}, and its 校验码)."
    )


async def _decision(story: Story, decider: Province) -> Mapping[str, Any] | None:
    """The paper that decides a step of the other province, once it can be opened at home."""
    told = await story.applicant.get(f"/api/v1/cases/{story.case}/timeline")
    theirs = {entry["step"] for entry in told["timeline"] if entry["node"] == decider.division}
    made = (each for each in told["papers"] if each["is_made"] and each["kind"] == DECIDED and each["step"] in theirs)
    paper: Mapping[str, Any] | None = next(made, None)
    is_there = paper and await story.applicant.is_there(f"/api/v1/cases/{story.case}/papers/{paper['id']}")
    return paper if is_there else None
