// A band as a badge: a sign, a word and a colour, any one of which would do.

import type { Band, ManagerDirection } from "../types";
import { share } from "../format";
import { BAND } from "../words";

export function Badge({ band }: { band: Band }) {
  return (
    <span class={`badge ${band}`} title={BAND[band].means}>
      <span aria-hidden="true">{BAND[band].sign}</span> {BAND[band].name}
    </span>
  );
}

/** An interval on a line from 0 to 1: where trust probably lies, by what both of them saw. */
export function Interval({
  of,
  label,
}: {
  of: Pick<ManagerDirection, "low" | "high" | "band">;
  label: string;
}) {
  const place = { left: `${of.low * 100}%`, width: `${Math.max(2, (of.high - of.low) * 100)}%` };
  return (
    <div class="interval">
      <div
        class={`range ${of.band}`}
        role="img"
        aria-label={`${label}: from ${share(of.low)} to ${share(of.high)}`}
      >
        <span style={place} />
      </div>
      <div class="ends" aria-hidden="true">
        <span>0</span>
        <span>
          {share(of.low)} to {share(of.high)}, by what both of them saw
        </span>
        <span>100</span>
      </div>
    </div>
  );
}
