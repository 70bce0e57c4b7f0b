"""The books of a load run: each acknowledged case is read by its citizen, and stands in their list exactly once."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from loadtests.callers import PatientCaller
from loadtests.plan import Target
from loadtests.records import Submissions

AT_ONCE = 8


@dataclass(frozen=True)
class LoadBooks:
    """What became of what was handed in.

    `lost`: acknowledged ids that their citizen cannot read, or that are not in the list. `doubled`: keys with two ids,
    ids that stand twice in a list, and cases more than were asked for. `unknown`: keys without an answer.
    """

    keys: int
    acknowledged: int
    unknown: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not self.lost and not self.doubled


async def listed_before(target: Target) -> dict[str, frozenset[str]]:
    """The cases that stand in each citizen's list before a run."""
    return {
        code: frozenset(ids) for code, ids in (await _lists(target, [each["code"] for each in target.citizens])).items()
    }


async def reckon(
    target: Target, submissions: Mapping[str, Submissions], before: Mapping[str, frozenset[str]] | None
) -> LoadBooks:
    """The books; raises NeverAnswered.

    `before` are the cases that stood in the list of each citizen; None: nobody knows, and then a case more is no sign.
    """
    of_citizen: dict[str, list[Submissions]] = {}
    for one in submissions.values():
        of_citizen.setdefault(one.citizen, []).append(one)
    lists = await _lists(
        target,
        list(of_citizen),
        reading={code: sorted({id for one in its for id in one.ids}) for code, its in of_citizen.items()},
    )
    lost, doubled = (
        [],
        [f"{key}: {' '.join(sorted(set(one.ids)))}" for key, one in submissions.items() if len(set(one.ids)) > 1],
    )
    for code, its in of_citizen.items():
        told = Counter(lists[code])
        ids = {id for one in its for id in one.ids}
        lost += sorted(id for id in ids if not told[id])
        doubled += sorted(f"{id}: listed {count} times" for id, count in told.items() if count > 1)
        more = set(told) - ids - before.get(code, frozenset()) if before is not None else set()
        unknown = sum(not one.ids for one in its)
        if len(more) > unknown:
            doubled.append(
                f"{code}: {len(more)} cases that were not acknowledged, and {unknown} keys without an answer"
            )
    acknowledged = {id for one in submissions.values() for id in one.ids}
    unknown = sum(not one.ids for one in submissions.values())
    return LoadBooks(len(submissions), len(acknowledged), unknown, tuple(lost), tuple(doubled))


async def _lists(
    target: Target, citizens: Sequence[str], *, reading: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[str]]:
    """The ids in the list of each citizen, as often as they stand there, less those of `reading` that are not read."""
    places, found = asyncio.Semaphore(AT_ONCE), dict[str, list[str]]()
    people = {each["code"]: each for each in target.citizens}

    async def one(http: aiohttp.ClientSession, code: str) -> None:
        async with places:
            reader = PatientCaller(http, target, people[code])
            await reader.enter()
            ids = await _listed(reader)
            unread = {id for id in (reading or {}).get(code, ()) if not await _has(reader, id)}
            found[code] = [id for id in ids if id not in unread]

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        for code in citizens:
            group.create_task(one(http, code))
    return found


async def _listed(reader: PatientCaller) -> list[str]:
    """The ids of the whole list, page by page."""
    page = await reader.ask("GET", "/api/v1/cases")
    ids = [each["id"] for each in page["cases"]]
    while page["next"]:
        page = await reader.ask("GET", "/api/v1/cases", params={"before": page["next"]})
        ids += [each["id"] for each in page["cases"]]
    return ids


async def _has(reader: PatientCaller, case: str) -> bool:
    """Whether the case can be read, and is the one."""
    return bool((await reader.ask("GET", f"/api/v1/cases/{case}")).get("id") == case)
