"""Each node counts for itself under fixed names."""

from prometheus_client.parser import text_string_to_metric_families

from server.tools.metrics import Metrics


def names_in(metrics: Metrics) -> set[str]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {family.name for family in families if not family.name.startswith("process_")}


def test_every_name_is_there_from_the_start() -> None:
    assert names_in(Metrics()) == {
        "http_requests",
        "http_request_seconds",
        "refusals",
        "requests_dropped",
        "cases_opened",
        "waiting_tickets_issued",
        "waiting_tickets_redeemed",
        "contents_fetched",
        "intake_batch_documents",
        "push_connections",
        "push_messages",
        "push_closed",
        "effects_relayed",
        "letters_sent",
        "letters_received",
        "letters_settled",
        "notices",
        "log_lines_lost",
        "log_lines_suppressed",
        "loop_failures",
        "loop_last_success_timestamp_seconds",
        "things_failed",
        "cases_untrue",
        "stored_broken",
        "clock_state",
        "clock_ahead_seconds",
        "peer_failures",
        "peer_backlog",
        "peer_unacknowledged_batches",
        "peer_lag_seconds",
        "peer_breaker",
        "peer_failures_in_row",
        "peer_success_timestamp_seconds",
        "peer_clock_skew_seconds",
        "letters_attention",
        "letters_dead",
        "peer_differences",
    }


def test_the_process_tells_its_cpu_time() -> None:
    assert "process_cpu_seconds_total" in Metrics().render().decode()


def test_counts_appear_with_their_labels() -> None:
    metrics = Metrics()
    metrics.http_requests.labels(door="cases", method="POST", status="201").inc()
    metrics.http_request_seconds.labels(door="cases").observe(0.02)
    metrics.peer_backlog.labels(peer="330000").set(7)
    metrics.letters_settled.labels(kind="step.sent", outcome="done").inc(2)
    text = metrics.render().decode()
    assert 'http_requests_total{door="cases",method="POST",status="201"} 1.0' in text
    assert 'http_request_seconds_bucket{door="cases",le="0.025"} 1.0' in text
    assert 'peer_backlog{peer="330000"} 7.0' in text
    assert 'letters_settled_total{kind="step.sent",outcome="done"} 2.0' in text


def test_two_nodes_in_one_process_do_not_share_a_count() -> None:
    one, other = Metrics(), Metrics()
    one.cases_opened.inc()
    assert "cases_opened_total 1.0" in one.render().decode()
    assert "cases_opened_total 0.0" in other.render().decode()
