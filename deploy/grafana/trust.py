"""How fresh trust is, and what is told of it: insights, and the sweeper it gets its facts from."""

from __future__ import annotations

from deploy.grafana.panels import Dashboard, Panel

_NOW = (
    Panel(
        "Scores are as of",
        "Since when not everything that is in the log is in the scores. About 1 s when all is; "
        "readers are told it on every answer.",
        [("max(trustfold_score_age_seconds{$in})", "age")],
        "s",
        kind="number",
        width=6,
        warn=60,
        bad=900,
        runbook="scores-late",
    ),
    Panel(
        "Pairs not told of yet",
        "Pairs that changed since they were last told of. Rows live for a fraction of a second.",
        [("max(trustfold_unsurfaced_pairs{$in})", "pairs")],
        "short",
        kind="number",
        width=6,
        warn=100,
        bad=1000,
        runbook="scores-late",
    ),
    Panel(
        "Alerts open",
        "Of all pairs and both directions, for managers to look at. Nothing for operators, unless "
        "it jumps after a new model was put in force.",
        [("max(trustfold_alerts_open{$in})", "open")],
        "short",
        kind="number",
        width=6,
    ),
    Panel(
        "Live streams",
        "Open streams of services, managers and members.",
        [("sum(trustfold_streams{$in})", "open")],
        "short",
        kind="number",
        width=6,
        runbook="streams-cut",
    ),
)
_FLOW = (
    Panel(
        "Score age",
        "It grows by a second a second while the worker of insights stands still.",
        [("max(trustfold_score_age_seconds{$in})", "age")],
        "s",
        warn=60,
        bad=900,
        runbook="scores-late",
    ),
    Panel(
        "Records of insights",
        "A second, by outcome. Nothing while there is lag: the group stands still.",
        [
            (
                'sum by (outcome) (rate(trustfold_records_total{$in, group="insights"}'
                "[$__rate_interval]))",
                "{{outcome}}",
            )
        ],
        "cps",
        kind="stack",
        runbook="consumer-lag",
    ),
    Panel(
        "Lag of insights",
        "Records that are in the log and not in the scores.",
        [('sum(trustfold_lag_records{$in, group="insights"})', "lag")],
        "short",
        warn=500,
        bad=50_000,
        runbook="consumer-lag",
    ),
    Panel(
        "Evidence counted",
        "Pieces a second, each for the first time. A fact may be evidence about both of a "
        "pair, or none.",
        [("sum(rate(trustfold_folded_total{$in}[$__rate_interval]))", "folded")],
        "cps",
        runbook="scores-late",
    ),
    Panel(
        "Pairs told of",
        "A second. Ten facts about a pair within a moment are told as one: this is lower than what "
        "is counted.",
        [("sum(rate(trustfold_surfaced_total{$in}[$__rate_interval]))", "surfaced")],
        "cps",
        runbook="scores-late",
    ),
    Panel(
        "Pairs not told of yet",
        "It may rise under load for as long as it falls again.",
        [("max(trustfold_unsurfaced_pairs{$in})", "pairs")],
        "short",
        warn=100,
        bad=1000,
        runbook="scores-late",
    ),
)
_AROUND = (
    Panel(
        "Time decides late",
        "For how long promises and sessions have been due that only time decides: evidence that is "
        "missing meanwhile.",
        [('max(trustfold_sweep_delay_seconds{$in, service="sessions"})', "sessions")],
        "s",
        warn=300,
        bad=1800,
        runbook="sweep-late",
    ),
    Panel(
        "Alerts open over time",
        "They are looked at once a day: steps, not slopes.",
        [("max(trustfold_alerts_open{$in})", "open")],
        "short",
    ),
    Panel(
        "Streams by kind",
        "Who follows trust as it changes.",
        [("sum by (stream) (trustfold_streams{$in})", "{{stream}}")],
        "short",
        kind="stack",
        runbook="streams-cut",
    ),
)

DASHBOARD = Dashboard(
    "trust",
    "Trustfold trust",
    "How fresh the scores are, and whether what changed is told.",
    (("Now", _NOW), ("From facts to trust", _FLOW), ("Around it", _AROUND)),
)
