// Pairs that could use help, each with why, and the one thing that would help most.

import { onDay } from "../format";
import { useNames } from "../names";
import { Badge } from "../parts/band";
import type { BoardPair } from "../types";
import { reason, step } from "../words";

export function Help({ pairs }: { pairs: readonly BoardPair[] }) {
  const low = pairs.filter(({ band }) => band === "strained" || band === "watch");
  const name = useNames(
    "manager",
    low.flatMap((pair) => [pair.mentor_id, pair.mentee_id]),
  );
  if (!low.length) return <p>Nobody looks low right now. A good day to say thank you.</p>;
  return (
    <ol class="help">
      {low.map((pair) => {
        const who = name(pair.about === "mentor" ? pair.mentor_id : pair.mentee_id);
        return (
          <li key={pair.pair_id}>
            <a href={`/pairs/${pair.pair_id}`} data-view="pair">
              {name(pair.mentor_id)} and {name(pair.mentee_id)}
            </a>{" "}
            <Badge band={pair.band} />
            <p>
              {pair.reason ? (
                <>
                  {who}: {reason(pair.reason)}.{" "}
                </>
              ) : (
                "Nothing that both of them saw explains it. "
              )}
              {pair.alerted_on && <span class="quiet">Alert since {onDay(pair.alerted_on)}.</span>}
            </p>
            {pair.next_step && (
              <p class="action">
                <b>What would help most:</b> {step(pair.next_step)}
              </p>
            )}
          </li>
        );
      })}
    </ol>
  );
}
