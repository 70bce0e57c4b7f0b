"""Drives the journeys of locustfile.py against a demo for a while, and passes or fails on errors.

python -m loadtests.run --seconds 30 --users 20
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from loadtests.demos import RunningDemo, running_demo

HERE = Path(__file__).parent
LOCUST = Path(".venv-load/bin/locust")
GRACE_SECONDS = 60


def main() -> int:
    """0 when no request failed and cases were submitted; 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.run", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how long (default %(default)s, at most 600)")
    parser.add_argument("--users", type=int, default=20, help="how many at once (default %(default)s, at most 500)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_demo() as demo:
        result = _drive(Path(folder), demo, seconds=min(chosen.seconds, 600), users=min(chosen.users, 500))
    print(json.dumps(result) if chosen.json else _told(result))
    return 0 if result["passed"] else 1


def _drive(folder: Path, demo: RunningDemo, *, seconds: int, users: int) -> dict[str, Any]:
    described = folder / "demo.json"
    described.write_text(json.dumps(demo.described))
    print(f"{users} users for {seconds} s against {demo.base_url} ...", file=sys.stderr)
    before = demo.cpu_seconds()["serve"]
    options = ["--headless", "--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s"]
    options += ["--stop-timeout", "10", "--json", "--exit-code-on-error", "0"]
    finished = subprocess.run(
        [str(LOCUST), "-f", str(HERE / "locustfile.py"), *options],
        env={**os.environ, "TONGBAN_TEST_DEMO": str(described)},
        stdout=subprocess.PIPE,
        timeout=seconds + GRACE_SECONDS,
        check=False,
    )
    rows = json.loads(finished.stdout)
    requests, failures = (sum(row[name] for row in rows) for name in ("num_requests", "num_failures"))
    submitted = sum(row["num_requests"] for row in rows if row["name"] == "POST /api/v1/cases")
    microseconds = (demo.cpu_seconds()["serve"] - before) / max(requests, 1) * 1e6
    return {
        "requests": requests,
        "failures": failures,
        "submitted": submitted,
        "serve_cpu_microseconds_per_request": round(microseconds),
        "passed": finished.returncode == 0 and failures == 0 and submitted > 0,
    }


def _told(result: dict[str, Any]) -> str:
    verdict = "passed" if result["passed"] else "failed"
    counted = f"{result['requests']} requests, {result['submitted']} submissions, {result['failures']} failures"
    return f"{counted}, {result['serve_cpu_microseconds_per_request']} µs of CPU a request in serve: {verdict}"


if __name__ == "__main__":
    sys.exit(main())
