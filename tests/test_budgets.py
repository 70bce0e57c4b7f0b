"""Submissions, acts and reads cost the commands and bytes that docs/performance.md says, and not one more."""

import re
from pathlib import Path

from tests.costs import measure

PAGE = Path(__file__).parents[1] / "docs/performance.md"


async def test_the_page_says_what_a_case_costs(tmp_path: Path, database_uri: str, database_name: str):
    costs = await measure(tmp_path, database_uri, database_name)
    rows = re.findall(r"^\| ([a-z ]+) \| [\d,]+ \| ([\d,]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: int(figure.replace(",", "")) for name, figure in rows if name in costs}
    assert told.keys() == costs.keys()
    for name, cost in costs.items():
        spread = cost / 20 if name.startswith("bytes") else 0
        assert abs(told[name] - cost) <= spread, f"{name}: {cost}"


async def test_where_papers_are_given_an_act_takes_one_command_more_and_a_submission_none(
    tmp_path: Path, database_uri: str, database_name: str
):
    costs = await measure(tmp_path, database_uri, database_name, seals_folder=tmp_path / "seals")
    rows = re.findall(r"^\| ([a-z ]+) \| [\d,]+ \| ([\d,]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: int(figure.replace(",", "")) for name, figure in rows if name in costs}
    commands = [name for name in costs if not name.startswith("bytes")]
    more = {name: costs[name] - told[name] for name in commands if costs[name] != told[name]}
    assert more == {"receive": 1, "accept": 1, "approve": 1}
    assert abs(costs["bytes after the submission"] - told["bytes after the submission"]) <= 5
