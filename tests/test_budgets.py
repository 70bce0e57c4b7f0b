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
