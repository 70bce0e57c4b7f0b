"""Checking peaks: that they are of something that there is, and that no application falls under two at once."""

from collections.abc import Iterator
from itertools import combinations

from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.peaks import Peak, Peaks
from server.domain.catalogue_checks.faults import Fault, Place, doubles, fault, reference_faults


def peak_faults(catalogue: Catalogue, divisions: Divisions, peaks: Peaks) -> tuple[Fault, ...]:
    """What is wrong with peaks: ids, bundles, divisions, and two that are on at once for the same application."""
    found = [
        fault(("peak", id), "duplicate", reason=f"the id {id} stands there more than once")
        for id in doubles(each.id for each in peaks.peaks)
    ]
    for peak in peaks.peaks:
        bundles = [each.code for each in catalogue.bundles]
        found += reference_faults(_place(peak), "bundle", codes=[peak.bundle], known=bundles)
        found += reference_faults(_place(peak), "division", codes=peak.divisions, known=divisions.by_code)
    return (*found, *_overlaps(peaks))


def _overlaps(peaks: Peaks) -> Iterator[Fault]:
    for one, other in combinations(peaks.peaks, 2):
        if one.meets(other):
            yield fault(_place(other), "overlap", reason=f"the peak {one.id} is on at the same time for {one.bundle}")


def _place(peak: Peak) -> Place:
    return "peak", peak.id
