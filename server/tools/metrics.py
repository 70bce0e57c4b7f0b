"""What a node counts, every name in one place."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

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
        self.http_requests = Counter(
            "http_requests_total", "Requests answered.", ("door", "method", "status"), registry=own
        )
        self.http_request_seconds = Histogram(
            "http_request_seconds", "Time to answer a request.", ("door",), registry=own, buckets=REQUEST_SECONDS
        )
        self.refusals = Counter("refusals_total", "Wishes refused, by code.", ("code",), registry=own)
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
        self.peer_backlog = Gauge("peer_backlog", "Letters waiting for a peer.", ("peer",), registry=own)

    def render(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
