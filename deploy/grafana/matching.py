"""Matching: its runs, what it proposed, and whether its index is up to date."""

from __future__ import annotations

from deploy.grafana.panels import Dashboard, Panel

_TOOK = 'trustfold_request_seconds_bucket{$in, service="matching"}'
_ENDED = "trustfold_matching_run_seconds"


def _took(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate({_TOOK}[$__rate_interval])))"


_RUNS = (
    Panel(
        "Runs",
        "Open ones, by state. Queued and none running: no worker of matching, or its loop fails.",
        [("max by (state) (trustfold_matching_runs{$in})", "{{state}}")],
        "short",
        kind="stack",
        runbook="matching-runs",
    ),
    Panel(
        "The oldest is open for",
        "Since it was asked for. A run may work for an hour; then it is given up.",
        [("max(trustfold_matching_run_wait_seconds{$in})", "open")],
        "s",
        warn=1800,
        bad=4500,
        runbook="matching-runs",
    ),
    Panel(
        "Runs that ended",
        "In each hour, by how they ended.",
        [(f"sum by (outcome) (increase({_ENDED}_count{{$in}}[1h]))", "{{outcome}}")],
        "short",
        kind="stack",
        runbook="matching-runs",
    ),
    Panel(
        "A run is worked on for",
        "Median and slowest twentieth of six hours, by how it ended.",
        [
            (
                f"histogram_quantile({quantile}, sum by (outcome, le) "
                f"(rate({_ENDED}_bucket{{$in}}[6h])))",
                f"{{{{outcome}}}} p{quantile * 100:.0f}",
            )
            for quantile in (0.5, 0.95)
        ],
        "s",
        warn=600,
        bad=3600,
        runbook="matching-runs",
    ),
    Panel(
        "Proposals without an answer",
        "They lapse by themselves at the end of the time the programme gives for an answer.",
        [("max(trustfold_matching_proposals_open{$in})", "proposed")],
        "short",
    ),
    Panel(
        "People to index anew",
        "500 a step. After an import it rises and falls; a level that stays is a loop that fails.",
        [("max(trustfold_matching_index_stale{$in})", "stale")],
        "short",
        warn=1000,
        bad=100_000,
        runbook="index-stale",
    ),
)
_AROUND = (
    Panel(
        "Time to an answer",
        "Of the API of matching. Shortlists search the index; runs do not run here.",
        [(_took(0.5), "p50"), (_took(0.95), "p95"), (_took(0.99), "p99")],
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
                "topk(8, histogram_quantile(0.95, sum by (method, route, le) "
                f"(rate({_TOOK}[$__rate_interval]))))",
                "{{method}} {{route}}",
            )
        ],
        "s",
        kind="bars",
        warn=1,
        bad=10,
        runbook="requests-slow",
    ),
    Panel(
        "Time decides late",
        "For how long proposals, introductions and rankings have been over without being closed.",
        [('max(trustfold_sweep_delay_seconds{$in, service="matching"})', "matching")],
        "s",
        warn=300,
        bad=1800,
        runbook="sweep-late",
    ),
    Panel(
        "Background steps that failed",
        "A minute, by loop: sweeper, rankings, index, runs, commits, forget.",
        [
            (
                "sum by (loop) (rate(trustfold_loop_failures_total"
                '{$in, service="matching"}[$__rate_interval])) * 60',
                "{{loop}}",
            )
        ],
        "cpm",
        width=12,
        warn=1,
        bad=10,
        runbook="loop-failures",
    ),
    Panel(
        "Lag of matching",
        "Records it has not read: people, trust and erasures come late.",
        [('sum(trustfold_lag_records{$in, group="matching"})', "lag")],
        "short",
        width=12,
        warn=500,
        bad=50_000,
        runbook="consumer-lag",
    ),
)

DASHBOARD = Dashboard(
    "matching",
    "Trustfold matching",
    "Runs, proposals and the index of people.",
    (("Runs and proposals", _RUNS), ("Around them", _AROUND)),
)
