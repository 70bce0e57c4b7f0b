"""What a node counts, every name in one place."""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from server.tools.logs import SCRIBE

disable_created_metrics()  # type: ignore[no-untyped-call]  # else each counter also writes when it was made

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_DOCUMENTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one node, in a registry of its own, so that several nodes fit in one process."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        ProcessCollector(registry=own)
        self._registry = own
        self._count_requests(own)
        self.cases_opened = Counter("cases_opened_total", "Cases opened here.", registry=own)
        self.intake_batch_documents = Histogram(
            "intake_batch_documents", "New cases written at once.", registry=own, buckets=BATCH_DOCUMENTS
        )
        self.effects_relayed = Counter("effects_relayed_total", "Effects of cases carried.", ("kind",), registry=own)
        self.letters_sent = Counter("letters_sent_total", "Letters that a peer has receipted.", ("peer",), registry=own)
        self.letters_received = Counter(
            "letters_received_total", "Letters of a peer stored here.", ("peer",), registry=own
        )
        self.letters_settled = Counter(
            "letters_settled_total", "Received letters carried out or refused.", ("kind", "outcome"), registry=own
        )
        self.notices = Counter(
            "notices_total", "Attempts to send a notice, by what came of them.", ("template", "outcome"), registry=own
        )
        self.peer_failures = Counter(
            "peer_failures_total", "Requests to a peer that failed.", ("peer", "reason"), registry=own
        )
        self.contents_fetched = Counter(
            "contents_fetched_total", "Attempts to fetch a content from a peer.", ("peer", "outcome"), registry=own
        )
        self._count_tickets(own)
        self._count_pushes(own)
        self._watch_loops(own)
        self._watch_clock(own)
        self._gauge_peers(own)
        own.register(_LogLines())

    def _count_requests(self, own: CollectorRegistry) -> None:
        self.http_requests = Counter(
            "http_requests_total", "Requests answered.", ("door", "method", "status"), registry=own
        )
        self.http_request_seconds = Histogram(
            "http_request_seconds", "Time to answer a request.", ("door",), registry=own, buckets=REQUEST_SECONDS
        )
        self.requests_dropped = Counter(
            "requests_dropped_total",
            "Requests on which no work was begun: too many came (full), the turn came late, or the caller had gone.",
            ("group", "why"),
            registry=own,
        )
        self.refusals = Counter("refusals_total", "Wishes refused, by code.", ("code",), registry=own)

    def _count_tickets(self, own: CollectorRegistry) -> None:
        self.waiting_tickets_issued = Counter(
            "waiting_tickets_issued_total", "Tickets of the waiting room given.", ("peak",), registry=own
        )
        self.waiting_tickets_redeemed = Counter(
            "waiting_tickets_redeemed_total", "Cases opened with a ticket.", ("peak",), registry=own
        )

    def _count_pushes(self, own: CollectorRegistry) -> None:
        self.push_connections = Gauge("push_connections", "Open connections of who watches cases.", registry=own)
        self.push_messages = Counter("push_messages_total", "Messages sent to who watches cases.", registry=own)
        self.push_closed = Counter(
            "push_closed_total", "Connections of who watches that we have closed, by why.", ("code",), registry=own
        )

    def _watch_loops(self, own: CollectorRegistry) -> None:
        self.loop_failures = Counter("loop_failures_total", "Rounds of a loop that failed.", ("loop",), registry=own)
        self.loop_last_success_timestamp_seconds = Gauge(
            "loop_last_success_timestamp_seconds",
            "When a loop last succeeded; 0 if it has not yet.",
            ("loop",),
            registry=own,
        )
        self.things_failed = Counter(
            "things_failed_total", "Things that raised when handled.", ("kind", "state"), registry=own
        )
        self.cases_untrue = Counter(
            "cases_untrue_total", "Cases that do not stand where they had come to.", ("trouble",), registry=own
        )
        self.stored_broken = Counter(
            "stored_broken_total",
            "Documents that this node did not write as they stand.",
            ("collection",),
            registry=own,
        )

    def _watch_clock(self, own: CollectorRegistry) -> None:
        self.clock_state = Gauge(
            "clock_state", "0 unwatched, 1 agrees, 2 unproven, 3 waits, 4 held: nothing is done by date.", registry=own
        )
        self.clock_ahead_seconds = Gauge(
            "clock_ahead_seconds",
            "By how much our clock is ahead of a source (behind: negative), the most of its kind; 0 if they may agree.",
            ("source",),
            registry=own,
        )

    def _gauge_peers(self, own: CollectorRegistry) -> None:
        """What is looked at now and then, for each peer."""

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("peer",), registry=own)

        self.peer_backlog = gauge("peer_backlog", "Letters waiting for a peer.")
        self.peer_unacknowledged_batches = gauge("peer_unacknowledged_batches", "Batches without a receipt.")
        self.peer_lag_seconds = gauge("peer_lag_seconds", "Age of the oldest letter without a receipt.")
        self.peer_breaker = gauge("peer_breaker", "0 closed, 1 half open, 2 open, 3 stopped.")
        self.peer_failures_in_row = gauge("peer_failures_in_row", "Failed requests since the last success.")
        self.peer_success_timestamp_seconds = gauge("peer_success_timestamp_seconds", "When a peer last receipted.")
        self.peer_clock_skew_seconds = gauge(
            "peer_clock_skew_seconds", "The peer's clock minus ours, if refused for it."
        )
        self.letters_attention = gauge("letters_attention", "Letters of a peer that could not be settled.")
        self.letters_dead = gauge("letters_dead", "Letters of ours that a peer has refused.")
        self.peer_differences = gauge("peer_differences", "Differences that the last reconciliation found.")

    def render(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)


class _LogLines(Collector):
    """What a log that cannot be written cannot tell."""

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("log_lines_lost", "Log lines that could not be written.", SCRIBE.lost)
        yield CounterMetricFamily("log_lines_suppressed", "Log lines that were too many of a kind.", SCRIBE.suppressed)
