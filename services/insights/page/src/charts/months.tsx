// Shares of a programme's pairs, month by month, as they were released: k-safe, to 5 points.

import * as Plot from "@observablehq/plot";
import { inMonth, share } from "../format";
import type { Measure } from "../types";
import { Bars } from "./bars";
import { Figure, PLOTTED } from "./figure";

interface Line {
  key: string;
  name: string;
}

/** The months themselves as ticks, as many as there is room for. */
function some(months: readonly Measure[], room: number): Date[] {
  const every = Math.max(1, Math.ceil(months.length / Math.max(1, room)));
  return months
    .filter((_, place) => place % every === 0)
    .map((each) => new Date(`${each.epoch}-01`));
}

interface MonthsProps {
  measures: readonly Measure[];
  lines: readonly Line[];
  value: (measure: Measure, key: string) => number;
  says: string;
}

/** One small chart a line: never a tangle of lines that only colour tells apart. */
export function Months({ measures, lines, value, says }: MonthsProps) {
  const months = [...measures].sort((a, b) => a.epoch.localeCompare(b.epoch));
  const rows = months.flatMap((each) =>
    lines.map((line) => ({
      at: new Date(`${each.epoch}-01`),
      name: line.name,
      share: value(each, line.key),
    })),
  );
  const said = {
    head: ["Month", ...lines.map((line) => line.name)],
    rows: months.map((each) => [
      inMonth(`${each.epoch}-01`),
      ...lines.map((line) => share(value(each, line.key))),
    ]),
  };
  // One month makes no line.
  if (months.length === 1) return <Single rows={rows} says={says} />;
  const newest = rows.slice(-lines.length);
  const draw = (width: number) =>
    Plot.plot({
      className: PLOTTED,
      width,
      height: 44 * lines.length + 40,
      marginLeft: Math.min(150, width * 0.42),
      marginRight: 44,
      x: {
        type: "utc",
        label: null,
        tickFormat: (at: Date) => inMonth(at),
        ticks: some(months, Math.floor(width / 160)),
      },
      y: { domain: [0, 1], axis: null },
      fy: { domain: lines.map((line) => line.name), label: null },
      marks: [
        Plot.ruleY([0], { strokeOpacity: 0.25 }),
        Plot.areaY(rows, {
          x: "at",
          y: "share",
          fy: "name",
          fill: "var(--accent)",
          fillOpacity: 0.18,
        }),
        Plot.lineY(rows, {
          x: "at",
          y: "share",
          fy: "name",
          stroke: "var(--accent)",
          strokeWidth: 2,
          marker: months.length < 4 ? "dot" : undefined,
        }),
        Plot.text(newest, {
          x: "at",
          y: "share",
          fy: "name",
          text: (row: { share: number }) => share(row.share),
          dx: 8,
          textAnchor: "start",
          fontWeight: 600,
        }),
        Plot.axisFy({
          anchor: "left",
          label: null,
          textAnchor: "end",
          lineWidth: 12,
          fontSize: 12,
        }),
      ],
    });
  return <Figure says={says} draw={draw} of={[JSON.stringify(rows)]} table={said} />;
}

function Single({
  rows,
  says,
}: {
  rows: readonly { name: string; share: number }[];
  says: string;
}) {
  return (
    <figure>
      <Bars
        label={says}
        bars={rows.map((row) => ({
          name: row.name,
          value: row.share,
          of: 1,
          shown: share(row.share),
        }))}
      />
      <figcaption>{says}</figcaption>
    </figure>
  );
}
