// The bands of both directions of a pair over time: two lanes of the same height, signs and words.

import * as Plot from "@observablehq/plot";
import { onDay, onShortDay } from "../format";
import type { Band, History } from "../types";
import { BAND, BANDS } from "../words";
import { Figure, PLOTTED } from "./figure";

type Name = "mentor" | "mentee";

export function BandHistory({ history, names }: { history: History; names: Record<Name, string> }) {
  const lanes = [`about ${names.mentor}`, `about ${names.mentee}`];
  const points = history.points.flatMap((point) => [
    { at: new Date(point.at), lane: lanes[0]!, band: point.about_mentor.band },
    { at: new Date(point.at), lane: lanes[1]!, band: point.about_mentee.band },
  ]);
  const last = history.points[history.points.length - 1]!;
  const says = `Since ${onDay(history.points[0]!.at)}: trust in ${names.mentor} is ${BAND[last.about_mentor.band].name} now, trust in ${names.mentee} is ${BAND[last.about_mentee.band].name}.`;
  const draw = (width: number) =>
    Plot.plot({
      className: PLOTTED,
      width,
      height: 280,
      marginTop: 24,
      marginLeft: 64,
      marginRight: 12,
      x: {
        type: "utc",
        label: null,
        tickFormat: onShortDay,
        ticks: Math.max(2, Math.floor(width / 110)),
      },
      y: {
        type: "point",
        domain: ["strained", "watch", "too early", "steady"].reverse(),
        label: null,
        grid: true,
      },
      fy: { axis: null, domain: lanes, padding: 0.25 },
      color: { domain: [...BANDS], range: BANDS.map((band) => `var(--${band.replace("_", "-")})`) },
      marks: [
        Plot.text(lanes, {
          fy: (lane: string) => lane,
          text: (lane: string) => lane,
          frameAnchor: "top-left",
          dy: -14,
          fontSize: 12,
          fontWeight: 600,
        }),
        Plot.lineY(points, {
          x: "at",
          y: (point: { band: Band }) => BAND[point.band].name,
          fy: "lane",
          curve: "step-after",
          stroke: "currentColor",
          strokeOpacity: 0.45,
        }),
        Plot.dot(points, {
          x: "at",
          y: (point: { band: Band }) => BAND[point.band].name,
          fy: "lane",
          fill: "band",
          r: 4,
          symbol: "circle",
        }),
      ],
    });
  return (
    <Figure
      says={says}
      draw={draw}
      of={[JSON.stringify(points)]}
      table={{
        head: ["Day", ...lanes],
        rows: history.points.map((point) => [
          onDay(point.at),
          BAND[point.about_mentor.band].name,
          BAND[point.about_mentee.band].name,
        ]),
      }}
    />
  );
}
