"""The first dashboard to look at: what people notice of all four services."""

from __future__ import annotations

from deploy.grafana.panels import Dashboard, Panel

_ASKED = 'trustfold_request_seconds_count{$in, service=~"$service"}'
_FAILED = 'trustfold_request_seconds_count{$in, service=~"$service", status="5xx"}'
_TOOK = 'trustfold_request_seconds_bucket{$in, service=~"$service"}'


def _took(quantile: float) -> str:
    rates = f"sum by (service, le) (rate({_TOOK}[$__rate_interval]))"
    return f"histogram_quantile({quantile}, {rates})"


_PEOPLE = (
    Panel(
        "Requests",
        "Requests a second, by service. None at all in working hours: look at what is in front.",
        [(f"sum by (service) (rate({_ASKED}[$__rate_interval]))", "{{service}}")],
        "reqps",
        runbook="request-errors",
    ),
    Panel(
        "Errors",
        "Share of requests answered with 5xx. The promise is 0.1 %; 503 says that the database is "
        "away or a line cannot be put on record, 500 is a bug.",
        [
            (
                f"sum by (service) (rate({_FAILED}[$__rate_interval])) "
                f"/ sum by (service) (rate({_ASKED}[$__rate_interval])) "
                f"or 0 * sum by (service) (rate({_ASKED}[$__rate_interval]))",
                "{{service}}",
            )
        ],
        "percentunit",
        warn=0.001,
        bad=0.0144,
        runbook="request-errors",
    ),
    Panel(
        "Answers by status",
        "By the first digit. Many 4xx at once: a client that was not deployed with its service, or "
        "tokens nobody believes any longer.",
        [(f"sum by (status) (rate({_ASKED}[$__rate_interval]))", "{{status}}")],
        "reqps",
        kind="stack",
        runbook="request-errors",
    ),
    Panel(
        "Median time to an answer",
        "To the beginning of the answer, so live streams count as quick.",
        [(_took(0.5), "{{service}}")],
        "s",
        warn=0.25,
        bad=1,
        runbook="requests-slow",
    ),
    Panel(
        "95 % are answered within",
        "Where one service stands out, look at the slowest routes below.",
        [(_took(0.95), "{{service}}")],
        "s",
        warn=0.5,
        bad=2.5,
        runbook="requests-slow",
    ),
    Panel(
        "99 % are answered within",
        "Above 1 s for a quarter of an hour is a ticket.",
        [(_took(0.99), "{{service}}")],
        "s",
        warn=1,
        bad=10,
        runbook="requests-slow",
    ),
    Panel(
        "Slowest routes",
        "95 % of each route's requests are answered within this.",
        [
            (
                "topk(8, histogram_quantile(0.95, sum by (service, method, route, le) "
                f"(rate({_TOOK}[$__rate_interval]))))",
                "{{service}} {{method}} {{route}}",
            )
        ],
        "s",
        kind="bars",
        width=12,
        warn=1,
        bad=10,
        runbook="requests-slow",
    ),
    Panel(
        "Live streams",
        "Open streams, by kind. A fall to nothing: what stands in front cuts long answers.",
        [("sum by (stream) (trustfold_streams{$in})", "{{stream}}")],
        "short",
        kind="stack",
        width=6,
        runbook="streams-cut",
    ),
    Panel(
        "Streams cut",
        "Streams a minute that ended because their reader took nothing. One slow reader: let be.",
        [("sum(rate(trustfold_streams_cut_total{$in}[$__rate_interval])) * 60", "cut")],
        "cpm",
        width=6,
        warn=1,
        bad=10,
        runbook="streams-cut",
    ),
)
_RUNNING = (
    Panel(
        "Processes",
        "How many processes of each service are measured. None: it is down.",
        [
            (
                'count by (service) (trustfold_relay_leads{$in, service=~"$service"})',
                "{{service}}",
            )
        ],
        "short",
        kind="number",
        bad=1,
        is_low_bad=True,
        runbook="service-down",
    ),
    Panel(
        "Not on record",
        "Lines a minute that could not be put on record. What is not on record is not answered.",
        [
            (
                "sum by (service) (rate(trustfold_audit_failures_total"
                '{$in, service=~"$service"}[$__rate_interval])) * 60',
                "{{service}}",
            )
        ],
        "cpm",
        kind="number",
        bad=0.01,
        runbook="audit-failures",
    ),
    Panel(
        "Strangers refused",
        "Refused strangers a minute above what is written of them: somebody is trying addresses.",
        [("sum(rate(trustfold_audit_strangers_total{$in}[$__rate_interval])) * 60", "refused")],
        "cpm",
        kind="number",
        warn=60,
        bad=6000,
    ),
    Panel(
        "Background steps that failed",
        "A minute, by loop. All loops of a service: its database. One: read its log.",
        [
            (
                "sum by (service, loop) (rate(trustfold_loop_failures_total"
                '{$in, service=~"$service"}[$__rate_interval])) * 60',
                "{{service}} {{loop}}",
            )
        ],
        "cpm",
        width=12,
        warn=1,
        bad=10,
        runbook="loop-failures",
    ),
    Panel(
        "Time decides late",
        "For how long what only time decides has been due. After an hour sessions gives the time "
        "back to everybody.",
        [
            (
                'max by (service) (trustfold_sweep_delay_seconds{$in, service=~"$service"})',
                "{{service}}",
            )
        ],
        "s",
        width=12,
        warn=300,
        bad=1800,
        runbook="sweep-late",
    ),
)
_MESSAGES = (
    Panel(
        "Attempts to hand messages over",
        "A minute, by channel and what the message became. `queued` is tried again, `failed` is "
        "given up.",
        [
            (
                "sum by (channel, state) (rate(trustfold_messages_total{$in}[$__rate_interval]))"
                " * 60",
                "{{channel}} {{state}}",
            )
        ],
        "cpm",
        kind="stack",
        width=12,
        runbook="messages-late",
    ),
    Panel(
        "Messages are late by",
        "For how long the oldest message of a channel is due. While a mail server is away this "
        "stays small: each attempt puts the message back. Look at `queued` on the left.",
        [("max by (channel) (trustfold_message_delay_seconds{$in})", "{{channel}}")],
        "s",
        width=12,
        warn=300,
        bad=1800,
        runbook="messages-late",
    ),
    Panel(
        "Messages due",
        "That should be out by now, by channel. It rises and falls after an import.",
        [("max by (channel) (trustfold_messages_due{$in})", "{{channel}}")],
        "short",
        width=12,
        warn=1000,
        bad=10000,
        runbook="messages-late",
    ),
    Panel(
        "Lines of customers' endpoints due",
        "Endpoints that have something to be sent by now, by subject. A slow one delays no other.",
        [("max(trustfold_endpoint_deliveries_due{$in})", "due")],
        "short",
        width=12,
        warn=1000,
        bad=10000,
        runbook="endpoints-late",
    ),
)

DASHBOARD = Dashboard(
    "network",
    "Trustfold network",
    "Requests, streams and messages of all services: what people notice.",
    (
        ("What people notice", _PEOPLE),
        ("What runs", _RUNNING),
        ("What is said to people", _MESSAGES),
    ),
    by="service",
)
