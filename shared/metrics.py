"""Every metric by name, kind and meaning. Nothing else is measured under `trustfold_`.

No label names a person, a pair or a tenant. What is read from a database is told by every process
that reads it: dashboards take the greatest.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

SHORT_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
LONG_S = (0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 3_600, 21_600, 86_400)

# Delivery: shared by the four services.
RECORDS = Counter(
    "trustfold_records_total",
    "Records of a group by what became of them: applied, repeated, dead_lettered.",
    ["group", "outcome"],
)
BATCH_SECONDS = Histogram(
    "trustfold_batch_seconds",
    "Time from a batch in hand to its transaction committed.",
    ["group"],
    buckets=SHORT_S,
)
EVENT_AGE = Histogram(
    "trustfold_event_age_seconds",
    "How long ago the newest fact of a batch happened when the batch was committed.",
    ["group"],
    buckets=LONG_S,
)
RETRIES = Counter(
    "trustfold_batch_retries_total",
    "Batches tried again, by the error's class.",
    ["group", "error"],
)
LAG = Gauge("trustfold_lag_records", "Records between the group and the end of the log.", ["group"])
DEAD_LETTERS = Gauge(
    "trustfold_dead_letters", "Dead letters that are open: parked, redriving.", ["group", "status"]
)
DEAD_LETTER_CAP = Gauge(
    "trustfold_dead_letter_cap", "Parked letters at which the group stops.", ["group"]
)
OUTBOX_FACTS = Gauge("trustfold_outbox_facts", "Facts that wait for the broker.", ["service"])
OUTBOX_AGE = Gauge(
    "trustfold_outbox_age_seconds", "How long the oldest of them has waited.", ["service"]
)
RELAYED = Counter("trustfold_relayed_total", "Facts the broker has acknowledged.", ["service"])
RELAY_LEADS = Gauge("trustfold_relay_leads", "1 where the relay leads, 0 elsewhere.", ["service"])
RELAY_FAILURES = Counter(
    "trustfold_relay_failures_total", "Times the relay had to rebuild its producer.", ["service"]
)
LOOP_FAILURES = Counter(
    "trustfold_loop_failures_total", "Background steps that raised, by loop.", ["service", "loop"]
)
SWEEP_DELAY = Gauge(
    "trustfold_sweep_delay_seconds",
    "For how long what only time decides has been due; 0 when nothing is.",
    ["service"],
)

# HTTP: every service's API. The route is its template, never what was asked for.
REQUEST_SECONDS = Histogram(
    "trustfold_request_seconds",
    "From a request to the beginning of its answer, by the first digit of its status: 2xx.",
    ["service", "method", "route", "status"],
    buckets=SHORT_S,
)
AUDIT_FAILURES = Counter(
    "trustfold_audit_failures_total", "Lines that could not be put on record.", ["service"]
)
AUDIT_STRANGERS = Counter(
    "trustfold_audit_strangers_total", "Refused strangers above what is written of them."
)
STREAMS = Gauge("trustfold_streams", "Live streams that are open, by kind.", ["stream"])
STREAMS_CUT = Counter("trustfold_streams_cut_total", "Streams ended because nobody read them.")

# Insights.
FOLDED = Counter("trustfold_folded_total", "Pieces of evidence counted for the first time.")
SURFACED = Counter("trustfold_surfaced_total", "Newest states of pairs told to the others.")
UNSURFACED = Gauge("trustfold_unsurfaced_pairs", "Pairs that changed and are not told of yet.")
SCORE_AGE = Gauge(
    "trustfold_score_age_seconds",
    "Since when not everything that is in the log is in the scores; about 1 when all is.",
)
ALERTS_OPEN = Gauge("trustfold_alerts_open", "Open alerts, of all pairs and both directions.")

# Matching.
RUNS = Gauge(
    "trustfold_matching_runs", "Runs that are open: queued, running, committing.", ["state"]
)
RUN_WAIT = Gauge("trustfold_matching_run_wait_seconds", "How long the oldest of them is open.")
RUN_SECONDS = Histogram(
    "trustfold_matching_run_seconds",
    "How long a run was worked on, by how it ended: done, failed, died, cancelled.",
    ["outcome"],
    buckets=LONG_S,
)
PAIRS_PROPOSED = Gauge("trustfold_matching_proposals_open", "Proposed pairs without an answer.")
INDEX_STALE = Gauge(
    "trustfold_matching_index_stale", "People whose place in the index is not up to date."
)

# Notifications.
MESSAGES = Counter(
    "trustfold_messages_total",
    "Attempts to hand a message over, by channel and by what it became: sent, failed, queued, ...",
    ["channel", "state"],
)
MESSAGES_DUE = Gauge(
    "trustfold_messages_due", "Messages that should be out by now, by channel.", ["channel"]
)
MESSAGE_DELAY = Gauge(
    "trustfold_message_delay_seconds", "For how long the oldest of them is due.", ["channel"]
)
ENDPOINT_LINES = Gauge(
    "trustfold_endpoint_deliveries_due", "Deliveries to customers' endpoints that are due."
)


def begin(service: str, group: str, loops: Sequence[str]) -> None:
    """Tell what can be known of a process when it starts: who measures sees the first step of a
    counter only when it was there before.
    """
    for outcome in ("applied", "repeated", "dead_lettered"):
        RECORDS.labels(group, outcome)
    for loop in loops:
        LOOP_FAILURES.labels(service, loop)
    for counter in (RELAYED, RELAY_FAILURES, AUDIT_FAILURES):
        counter.labels(service)
