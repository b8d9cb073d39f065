"""From the outbox through Kafka to the effects, for every service: lag, age, dead letters."""

from __future__ import annotations

from deploy.grafana.panels import Dashboard, Panel

# A group has the name of its service.
_OF = '{$in, group=~"$service"}'
_BY = '{$in, service=~"$service"}'
_DONE = f"trustfold_records_total{_OF}"


def _quantile(quantile: float, metric: str) -> str:
    return (
        f"histogram_quantile({quantile}, "
        f"sum by (group, le) (rate({metric}_bucket{_OF}[$__rate_interval])))"
    )


_READING = (
    Panel(
        "Lag",
        "Records between a group and the end of the log, of all its workers. It may rise for as "
        "long as it falls again. No line: no worker.",
        [(f"sum by (group) (trustfold_lag_records{_OF})", "{{group}}")],
        "short",
        warn=500,
        bad=50_000,
        runbook="consumer-lag",
    ),
    Panel(
        "Facts are this old when they count",
        "Median age of the newest fact of a batch at its commit. Facts of the sweepers carry the "
        "time they were due, so after a pause of theirs this is high without lag.",
        [(_quantile(0.5, "trustfold_event_age_seconds"), "{{group}}")],
        "s",
        warn=60,
        bad=300,
        runbook="consumer-lag",
    ),
    Panel(
        "Records applied",
        "A second, by group. Nothing while there is lag: the group stands still.",
        [
            (
                'sum by (group) (rate(trustfold_records_total{$in, group=~"$service", '
                'outcome="applied"}[$__rate_interval]))',
                "{{group}}",
            )
        ],
        "cps",
        runbook="consumer-lag",
    ),
    Panel(
        "Records by outcome",
        "`repeated` is harmless: what was sent twice is dropped. `dead_lettered` wants a decision.",
        [(f"sum by (outcome) (rate({_DONE}[$__rate_interval]))", "{{outcome}}")],
        "cps",
        kind="stack",
        runbook="dead-letters",
    ),
    Panel(
        "Time for a batch",
        "99 % of the batches are committed within. Above a minute a worker is not ready.",
        [(_quantile(0.99, "trustfold_batch_seconds"), "{{group}}")],
        "s",
        warn=10,
        bad=60,
        runbook="database-away",
    ),
    Panel(
        "Batches tried again",
        "A second, by the error's class. Connection errors: the database is away. "
        "DeadLetterCapReached: the group has stopped.",
        [
            (
                f"sum by (group, error) (rate(trustfold_batch_retries_total{_OF}"
                "[$__rate_interval]))",
                "{{group}} {{error}}",
            )
        ],
        "cps",
        warn=0.1,
        bad=1,
        runbook="database-away",
    ),
)
_SENDING = (
    Panel(
        "Facts that wait for the broker",
        "In the outbox. Each is a fact nobody has heard yet: never delete one.",
        [(f"max by (service) (trustfold_outbox_facts{_BY})", "{{service}}")],
        "short",
        warn=2_000,
        bad=100_000,
        runbook="outbox-growing",
    ),
    Panel(
        "The oldest of them waits for",
        "Under a second as a rule. No line: no process of the service has the role relay.",
        [(f"max by (service) (trustfold_outbox_age_seconds{_BY})", "{{service}}")],
        "s",
        warn=10,
        bad=120,
        runbook="outbox-growing",
    ),
    Panel(
        "Facts acknowledged",
        "A second, by service: what the broker has taken.",
        [
            (
                f"sum by (service) (rate(trustfold_relayed_total{_BY}[$__rate_interval]))",
                "{{service}}",
            )
        ],
        "cps",
        runbook="outbox-growing",
    ),
    Panel(
        "Relays that lead",
        "Exactly one for each service. None: facts wait. Two: two databases, or two networks are "
        "measured as one.",
        [(f"sum by (service) (trustfold_relay_leads{_BY})", "{{service}}")],
        "short",
        kind="number",
        width=12,
        bad=1,
        is_low_bad=True,
        runbook="outbox-growing",
    ),
    Panel(
        "Producers built anew",
        "In the last quarter of an hour: how often the broker did not take what the relay sent.",
        [(f"sum by (service) (increase(trustfold_relay_failures_total{_BY}[15m]))", "{{service}}")],
        "short",
        kind="number",
        width=12,
        warn=1,
        bad=5,
        runbook="outbox-growing",
    ),
)
_LETTERS = (
    Panel(
        "Dead letters",
        "Open ones, by group: parked wait for somebody's decision, redriving for the worker.",
        [
            (
                f"max by (group, status) (trustfold_dead_letters{_OF})",
                "{{group}} {{status}}",
            )
        ],
        "short",
        width=12,
        warn=1,
        runbook="dead-letters",
    ),
    Panel(
        "How near the cap",
        "Parked letters as a share of those at which the group stops.",
        [
            (
                'max by (group) (trustfold_dead_letters{$in, group=~"$service", status="parked"}) '
                f"/ max by (group) (trustfold_dead_letter_cap{_OF})",
                "{{group}}",
            )
        ],
        "percentunit",
        width=12,
        warn=0.1,
        bad=0.5,
        runbook="dead-letters",
    ),
)

DASHBOARD = Dashboard(
    "delivery",
    "Trustfold delivery",
    "From the outbox through Kafka to the effects, for every service.",
    (("Reading", _READING), ("Sending", _SENDING), ("Dead letters", _LETTERS)),
    by="service",
)
