"""Every metric by name, kind and meaning. Nothing else is measured under `trustfold_`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter(
    "trustfold_records_total",
    "Records of a group by what became of them: applied, repeated, dead_lettered.",
    ["group", "outcome"],
)
BATCH_SECONDS = Histogram(
    "trustfold_batch_seconds",
    "Time from a batch in hand to its transaction committed.",
    ["group"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
RETRIES = Counter(
    "trustfold_batch_retries_total",
    "Batches tried again, by the error's class.",
    ["group", "error"],
)
LAG = Gauge("trustfold_lag_records", "Records between the group and the end of the log.", ["group"])
RELAYED = Counter("trustfold_relayed_total", "Facts the broker has acknowledged.", ["service"])
RELAY_FAILURES = Counter(
    "trustfold_relay_failures_total", "Times the relay had to rebuild its producer.", ["service"]
)
LOOP_FAILURES = Counter(
    "trustfold_loop_failures_total", "Background steps that raised, by loop.", ["service", "loop"]
)
STREAMS = Gauge("trustfold_streams", "Live streams that are open, by kind.", ["stream"])
STREAMS_CUT = Counter("trustfold_streams_cut_total", "Streams ended because nobody read them.")
AUDIT_FAILURES = Counter(
    "trustfold_audit_failures_total", "Lines that could not be put on record.", ["service"]
)
AUDIT_STRANGERS = Counter(
    "trustfold_audit_strangers_total", "Refused strangers above what is written of them."
)
