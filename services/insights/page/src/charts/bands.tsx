// How many pairs stood in which band, day by day or month by month.

import * as Plot from "@observablehq/plot";
import { count, onDay, onShortDay } from "../format";
import type { Band, Day } from "../types";
import { BAND, BANDS } from "../words";
import { Figure, PLOTTED } from "./figure";

const COLOUR: Record<Band, string> = {
  strained: "var(--strained)",
  watch: "var(--watch)",
  too_early: "var(--too-early)",
  steady: "var(--steady)",
};

export function BandsOverTime({ days, now }: { days: readonly Day[]; now: Record<Band, number> }) {
  const today: Day = { day: new Date().toISOString().slice(0, 10), bands: now };
  const all = days.length ? days : [today];
  const rows = all.flatMap((day) =>
    BANDS.map((band) => ({ at: new Date(day.day), band, pairs: day.bands[band] ?? 0 })),
  );
  const first = all[0]!;
  const last = all[all.length - 1]!;
  const says = `${onDay(first.day)} to ${onDay(last.day)}: steady pairs went from ${count(first.bands.steady ?? 0)} to ${count(last.bands.steady ?? 0)}, strained ones from ${count(first.bands.strained ?? 0)} to ${count(last.bands.strained ?? 0)}.`;
  const draw = (width: number) =>
    Plot.plot({
      className: PLOTTED,
      width,
      height: 240,
      marginLeft: 36,
      marginRight: 12,
      x: {
        type: "utc",
        label: null,
        tickFormat: onShortDay,
        ticks: Math.max(2, Math.floor(width / 110)),
      },
      y: { label: "pairs", grid: true, ticks: 5 },
      color: {
        domain: [...BANDS].reverse(),
        range: [...BANDS].reverse().map((band) => COLOUR[band]),
      },
      marks: [
        Plot.areaY(rows, {
          x: "at",
          y: "pairs",
          fill: "band",
          order: [...BANDS].reverse(),
          curve: "step-after",
        }),
        Plot.ruleY([0]),
      ],
    });
  return (
    <>
      <ul class="legend" aria-hidden="true">
        {BANDS.map((band) => (
          <li key={band} class={band}>
            {BAND[band].sign} {BAND[band].name}
          </li>
        ))}
      </ul>
      <Figure
        says={says}
        draw={draw}
        of={[JSON.stringify(rows)]}
        table={{
          head: ["Day", ...BANDS.map((band) => BAND[band].name)],
          rows: all.map((day) => [
            onDay(day.day),
            ...BANDS.map((band) => count(day.bands[band] ?? 0)),
          ]),
        }}
      />
    </>
  );
}
