"""The calibration curve as an SVG that can be read on light and on dark ground. Text only."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from deploy.local.simulate.metrics import Bin

LEFT, TOP, SIZE = 64, 44, 320
LARGEST_RADIUS = 14.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 440" role="img" \
aria-labelledby="title desc" font-family="ui-sans-serif, system-ui, sans-serif" font-size="13">
  <title id="title">How P(T &lt; .5) came true</title>
  <desc id="desc">{said}</desc>
  <style>
    .ground {{ fill: #ffffff; stroke: #d0d7de; }}
    .grid {{ stroke: #d0d7de; stroke-width: 1; }}
    .ideal {{ stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 5 4; }}
    .curve {{ fill: none; stroke: #0b6e4f; stroke-width: 2; }}
    .bin {{ fill: #0b6e4f; fill-opacity: .55; stroke: #0b6e4f; }}
    .word {{ fill: #424a53; }}
    .name {{ fill: #1f2328; font-weight: 600; }}
    @media (prefers-color-scheme: dark) {{
      .ground {{ fill: #0d1117; stroke: #30363d; }}
      .grid {{ stroke: #30363d; }}
      .ideal {{ stroke: #8b949e; }}
      .curve {{ stroke: #4ac79b; }}
      .bin {{ fill: #4ac79b; stroke: #4ac79b; }}
      .word {{ fill: #b1bac4; }}
      .name {{ fill: #e6edf3; }}
    }}
  </style>
  <rect class="ground" x="1" y="1" width="438" height="438" rx="10"/>
  <text class="name" x="64" y="28">Said and seen: P(T &lt; .5)</text>
"""


def calibration_svg(bins: Sequence[Bin]) -> str:
    """The curve: a circle a bin, as large as it is often said; the dashed line is the ideal."""
    said = "; ".join(
        f"said {each.predicted:.2f}, seen {each.observed:.2f} in {each.times} cases"
        for each in bins
    )
    lines = [HEAD.format(said=said).rstrip("\n"), *_frame()]
    points = [(_x(each.predicted), _y(each.observed)) for each in bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    lines.append(f'  <polyline class="curve" points="{path}"/>')
    most = max((each.times for each in bins), default=1)
    for each, (x, y) in zip(bins, points, strict=True):
        radius = max(2.5, LARGEST_RADIUS * sqrt(each.times / most))
        lines.append(
            f'  <circle class="bin" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>{each.times} cases</title></circle>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _frame() -> list[str]:
    lines = []
    for tick in TICKS:
        x, y = _x(tick), _y(tick)
        lines += [
            f'  <path class="grid" d="M{x:.1f} {TOP}V{TOP + SIZE}M{LEFT} {y:.1f}H{LEFT + SIZE}"/>',
            f'  <text class="word" x="{x:.1f}" y="{TOP + SIZE + 20}" text-anchor="middle">'
            f"{tick:g}</text>",
            f'  <text class="word" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">'
            f"{tick:g}</text>",
        ]
    middle = LEFT + SIZE / 2
    return [
        *lines,
        f'  <path class="ideal" d="M{LEFT} {TOP + SIZE}L{LEFT + SIZE} {TOP}"/>',
        f'  <text class="word" x="{middle}" y="{TOP + SIZE + 46}" text-anchor="middle">said</text>',
        f'  <text class="word" x="20" y="{TOP + SIZE / 2}" text-anchor="middle" '
        f'transform="rotate(-90 20 {TOP + SIZE / 2})">seen</text>',
    ]


def _x(value: float) -> float:
    return LEFT + SIZE * value


def _y(value: float) -> float:
    return TOP + SIZE * (1.0 - value)
