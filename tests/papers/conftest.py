"""Leaves out what needs papers on a machine that cannot make any; test_availability.py says so there."""

from server.papers.availability import missing

NEEDS_PAPERS = [
    *(
        "test_contracts.py",
        "test_pool.py",
        "test_printing.py",
        "test_proving.py",
        "test_signing_service.py",
        "test_verifying.py",
    ),
]
collect_ignore = NEEDS_PAPERS if missing() else []
