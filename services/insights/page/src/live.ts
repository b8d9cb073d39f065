// Follows the stream of a programme from a place on, over breaks and restarts. Draws nothing.

import { EventSource } from "eventsource";
import { address } from "./api";
import type { Role } from "./types";

export type Connection = "connecting" | "live" | "waiting" | "refused";

export interface Told {
  /** A pair has changed: what of it managers may see. */
  pair: (changed: unknown) => void;
  /** What was known may be out of date as a whole. */
  anew: () => void;
  /** Everything up to an instant is counted; so many facts are still to come. */
  fresh: (asOf: string | null, behind: number | null) => void;
  connection: (now: Connection) => void;
}

const AGAIN_MS = 3_000;
const BAD_REQUEST = 400;

/** Follow until the function that is returned is called. `from` is the id of the newest known. */
export function follow(role: Role, programme: string, from: string, told: Told): () => void {
  let last: string | null = from;
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopped = false;

  const open = () => {
    source = new EventSource(address("/v1/stream", { programme }), {
      fetch: (url, init) =>
        fetch(url, { ...init, credentials: "same-origin", headers: headers(init.headers) }),
    });
    source.onopen = () => told.connection("live");
    source.onerror = (error) => lost(error.code);
    source.addEventListener("trust", (event) => told.pair(JSON.parse(keep(event).data as string)));
    source.addEventListener("fresh", (event) => {
      const said = JSON.parse(keep(event).data as string) as {
        as_of: string | null;
        events_behind: number | null;
      };
      told.fresh(said.as_of, said.events_behind);
    });
    source.addEventListener("live", (event) => {
      keep(event);
      told.anew();
    });
  };
  const keep = (event: MessageEvent) => {
    if (event.lastEventId) last = event.lastEventId;
    return event;
  };
  const headers = (own: Record<string, string> | undefined) => ({
    ...own,
    "Trustfold-Role": role,
    ...(last ? { "Last-Event-ID": last } : {}),
  });
  // The library goes on by itself after a break, but not after an answer that is no stream.
  const lost = (status: number | undefined) => {
    if (stopped) return;
    if (status === BAD_REQUEST) last = null;
    const signedOut = status === 401 || status === 403;
    told.connection(signedOut ? "refused" : "waiting");
    if (source?.readyState === EventSource.CLOSED && !signedOut) timer = setTimeout(open, AGAIN_MS);
  };

  told.connection("connecting");
  open();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    source?.close();
  };
}
