// Alerts that came to a good end: what help was good for.

import { counted, onDay } from "../format";
import { useNames } from "../names";
import type { Recovery } from "../types";

const SHOWN = 5;
const DAY_MS = 86_400_000;

export function Repaired({ all }: { all: readonly Recovery[] }) {
  const shown = all.slice(0, SHOWN);
  const name = useNames(
    "manager",
    shown.flatMap((each) => [each.mentor_id, each.mentee_id]),
  );
  return (
    <>
      <p class="big">
        <b>{counted(all.length, "alert")}</b> came to a good end in sixty days.
      </p>
      <ul class="plain">
        {shown.map((each) => {
          const days = Math.round(
            (Date.parse(each.recovered_on) - Date.parse(each.alerted_on)) / DAY_MS,
          );
          return (
            <li key={each.pair_id + each.about + each.alerted_on}>
              <a href={`/pairs/${each.pair_id}`} data-view="pair">
                {name(each.mentor_id)} and {name(each.mentee_id)}
              </a>{" "}
              <span class="quiet">
                on {onDay(each.recovered_on)}, after {counted(days, "day")}
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
}
