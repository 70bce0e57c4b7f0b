"""Timing: how many working days the steps of a plan take, one after the other and side by side."""

from collections.abc import Iterable

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.plan import PlannedStep, order
from server.domain.values import Value


class Days(Value):
    """Working days (工作日), by what is promised (承诺时限).

    `one_by_one`: each step after the other. `critical`: side by side as the graph allows, along `path`, its longest
    chain. `together`: what the applicant may count on, the smaller of that and the promise for the whole.
    """

    one_by_one: int
    critical: int
    path: tuple[str, ...]
    together: int


def days_of(bundle: Bundle, steps: Iterable[PlannedStep]) -> Days:
    """The days of a plan; of two chains equally long, the one that stands first."""
    by_code = {step.code: step for step in steps}
    chains: dict[str, tuple[int, tuple[str, ...]]] = {}
    needs = {code: [need for need in step.needs if need in by_code] for code, step in by_code.items()}
    for code in order(needs):
        before = max((chains[need] for need in needs[code]), key=lambda chain: chain[0], default=(0, ()))
        chains[code] = before[0] + by_code[code].promised_days, (*before[1], code)
    critical, path = max(chains.values(), key=lambda chain: chain[0], default=(0, ()))
    return Days(
        one_by_one=sum(step.promised_days for step in by_code.values()),
        critical=critical,
        path=path,
        together=min(critical, bundle.promised_days or critical),
    )
