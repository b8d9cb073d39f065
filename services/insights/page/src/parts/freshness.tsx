// How fresh the view is: counted up to when, what is still to come, and whether it moves by itself.

import type { Freshness as Fresh } from "../api";
import { atTime, counted } from "../format";
import type { Connection } from "../live";

const SAYS: Record<Connection, string> = {
  connecting: "connecting",
  live: "live",
  waiting: "the connection is gone; trying again",
  refused: "signed out: please sign in again",
};

export function Freshness({
  fresh,
  connection,
}: {
  fresh: Fresh | null;
  connection: Connection | null;
}) {
  const behind = fresh?.behind ?? null;
  return (
    <p class="fresh">
      {connection && (
        <span class={`connection ${connection}`} role="status">
          {SAYS[connection]}
        </span>
      )}
      {fresh?.asOf && <span>as of {atTime(fresh.asOf)}</span>}
      {behind !== null && (
        <span>{behind === 0 ? "everything is counted" : `${counted(behind, "event")} behind`}</span>
      )}
    </p>
  );
}
