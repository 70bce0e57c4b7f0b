"""`python -m loadtests`: load a node, or fill it with cases, by HTTP."""

import argparse
import sys

from loadtests import judging, run, seeding


def main() -> int:
    """One command; answers its exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run.add_arguments(commands.add_parser("run", help="drive the journeys against a node, and judge the run"))
    judging.add_arguments(commands.add_parser("judge", help="judge what masters and workers have left"))
    seeding.add_arguments(commands.add_parser("seed", help="hand in many cases"))
    chosen = parser.parse_args()
    code: int = chosen.run(chosen)
    return code


if __name__ == "__main__":
    sys.exit(main())
