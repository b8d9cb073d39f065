// What a manager sees of a programme now, and what to do next. It follows the stream without a flicker.

import { useEffect, useRef } from "preact/hooks";
import type { Freshness } from "../api";
import { ask } from "../api";
import { calmly, useAsked } from "../asked";
import { BandsOverTime } from "../charts/bands";
import { count, counted } from "../format";
import { follow, type Connection } from "../live";
import { Badge } from "../parts/band";
import { Card, Shown } from "../parts/card";
import type { Band, BoardPage, MessagesHealth, Overview, Waiting } from "../types";
import { BAND, BANDS } from "../words";
import { Funnel, Load, Messages, Queue } from "./flow";
import { Help } from "./help";
import { PairTable } from "./pair_table";
import { Repaired } from "./repaired";

const REDRAW_MS = 1_000;
const SHOWN = 6;

interface Told {
  fresh: (now: Freshness) => void;
  connection: (now: Connection) => void;
}

export function Board({ id, asked, told }: { id: string; asked: URLSearchParams; told: Told }) {
  const place = `/v1/programmes/${encodeURIComponent(id)}`;
  const overview = useAsked(async () => {
    const { body, fresh } = await ask<Overview>("manager", "", `${place}/overview`);
    told.fresh(fresh);
    return body;
  }, [id]);
  const help = useAsked(
    async () => (await ask<BoardPage>("manager", "", `${place}/pairs`, { limit: SHOWN })).body,
    [id],
  );
  const waiting = useAsked(
    async () => (await ask<Waiting>("manager", "/matching", `${place}/waiting`)).body,
    [id],
  );
  const messages = useAsked(
    async () =>
      (await ask<MessagesHealth>("manager", "/notifications", "/v1/messages/health")).body,
    [id],
  );
  const moved = useMoves(id, overview.data?.stream, told, () =>
    [overview, help, waiting, messages].forEach((each) => each.again()),
  );
  return (
    <>
      <Shown of={overview}>{(seen) => <Glance seen={seen} id={id} />}</Shown>
      <div class="grid">
        <Card title="Who could use help" id="help" action={<a href="#pairs">Look at every pair</a>}>
          <Shown of={help} empty={({ items }) => (items.length ? null : <p>No pair runs yet.</p>)}>
            {({ items }) => <Help pairs={items} />}
          </Shown>
        </Card>
        <Card title="Bands over time" id="bands">
          <Shown of={overview}>
            {(seen) => <BandsOverTime days={seen.days} now={seen.bands as Record<Band, number>} />}
          </Shown>
        </Card>
        <Card title="From invited to steady" id="funnel">
          <Shown of={overview}>{(seen) => <Funnel seen={seen} waiting={waiting.data} />}</Shown>
        </Card>
        <Card title="Waiting and load" id="queue">
          <Shown of={waiting}>{(seen) => <Queue seen={seen} />}</Shown>
          {overview.data && <Load load={overview.data.load} />}
        </Card>
        <Card title="What got repaired" id="repaired">
          <Shown
            of={overview}
            empty={(seen) =>
              seen.recovered.length ? null : (
                <p>No alert has been resolved in the last sixty days.</p>
              )
            }
          >
            {(seen) => <Repaired all={seen.recovered} />}
          </Shown>
        </Card>
        <Card title="Messages, last thirty days" id="messages">
          <Shown
            of={messages}
            empty={({ channels }) => (channels.length ? null : <p>Nothing was to be said yet.</p>)}
          >
            {(seen) => <Messages seen={seen} />}
          </Shown>
        </Card>
      </div>
      <PairTable
        place={place}
        chosen={(asked.get("band") as Band | null) ?? null}
        moved={moved.current}
        id={id}
      />
    </>
  );
}

/** Follow the stream from where the overview was; say when anything moved, at most once a second. */
function useMoves(id: string, from: string | undefined, told: Told, anew: () => void) {
  const moved = useRef(0);
  const latest = useRef(anew);
  latest.current = anew;
  useEffect(() => {
    if (!from) return;
    const calm = calmly(() => {
      moved.current += 1;
      latest.current();
    }, REDRAW_MS);
    const stop = follow("manager", id, from, {
      pair: calm.wish,
      anew: calm.wish,
      fresh: (asOf, behind) => told.fresh({ asOf: asOf ? new Date(asOf) : null, behind }),
      connection: told.connection,
    });
    return () => {
      stop();
      calm.stop();
    };
  }, [id, from === undefined]);
  return moved;
}

function Glance({ seen, id }: { seen: Overview; id: string }) {
  const bands = seen.bands as Record<Band, number>;
  const total = Math.max(1, seen.running);
  const help = bands.strained + bands.watch;
  return (
    <section class="glance" aria-label="At a glance">
      <p class="lead">
        <b>
          {count(bands.steady)} of {counted(seen.running, "pair")}
        </b>{" "}
        {bands.steady === 1 ? "is" : "are"} steady.{" "}
        {help ? (
          <>
            <b>{count(help)}</b> could use help
            {seen.alerts ? (
              <>
                , <b>{counted(seen.alerts, "alert")}</b> open
              </>
            ) : (
              ""
            )}
            .
          </>
        ) : (
          "Nobody looks low."
        )}
      </p>
      <div class="stack" aria-hidden="true">
        {BANDS.filter((band) => bands[band]).map((band) => (
          <span key={band} class={band} style={{ flexGrow: bands[band] / total }} />
        ))}
      </div>
      <ul class="counts">
        {BANDS.map((band) => (
          <li key={band}>
            <a
              href={`/programmes/${encodeURIComponent(id)}?band=${band}#pairs`}
              data-view="programme"
            >
              <b>{count(bands[band])}</b> <Badge band={band} />
            </a>
            <span class="hint">{BAND[band].means}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
