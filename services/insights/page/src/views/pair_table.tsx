// Every running pair, those that need help first, a page at a time; of one band if one is chosen.

import { useEffect, useState } from "preact/hooks";
import { ask } from "../api";
import { useAsked } from "../asked";
import { count, daysFrom, onDay } from "../format";
import { useNames } from "../names";
import { Badge } from "../parts/band";
import { Shown } from "../parts/card";
import { go } from "../place";
import type { Band, BoardPage, BoardPair } from "../types";
import { BAND, BANDS, reason } from "../words";

const PAGE = 50;

export function PairTable({
  place,
  chosen,
  moved,
  id,
}: {
  place: string;
  chosen: Band | null;
  moved: number;
  id: string;
}) {
  const [pages, setPages] = useState<(string | null)[]>([null]);
  const after = pages[pages.length - 1] ?? null;
  const found = useAsked(
    async () =>
      (await ask<BoardPage>("manager", "", `${place}/pairs`, { band: chosen, after, limit: PAGE }))
        .body,
    [place, chosen, after],
  );
  useEffect(() => setPages([null]), [chosen]);
  useEffect(() => {
    if (moved) found.again();
  }, [moved]);
  const choose = (band: Band | null) =>
    go(`/programmes/${encodeURIComponent(id)}${band ? `?band=${band}` : ""}`);
  return (
    <section class="card wide" aria-labelledby="pairs">
      <h2 id="pairs">Every pair</h2>
      <div class="chips" role="group" aria-label="Only pairs of a band">
        <button type="button" aria-pressed={chosen === null} onClick={() => choose(null)}>
          all
        </button>
        {BANDS.map((band) => (
          <button
            type="button"
            key={band}
            aria-pressed={chosen === band}
            onClick={() => choose(band)}
          >
            <span aria-hidden="true">{BAND[band].sign}</span> {BAND[band].name}
          </button>
        ))}
      </div>
      <Shown
        of={found}
        empty={({ items }) =>
          items.length ? null : <p>No running pair is {chosen ? BAND[chosen].name : "here yet"}.</p>
        }
      >
        {(page) => <Rows pairs={page.items} />}
      </Shown>
      <p class="pages">
        {pages.length > 1 && (
          <button type="button" onClick={() => setPages(pages.slice(0, -1))}>
            Before
          </button>
        )}
        {found.data?.next && (
          <button type="button" onClick={() => setPages([...pages, found.data?.next ?? null])}>
            Next {count(PAGE)}
          </button>
        )}
      </p>
    </section>
  );
}

function Rows({ pairs }: { pairs: readonly BoardPair[] }) {
  const name = useNames(
    "manager",
    pairs.flatMap((pair) => [pair.mentor_id, pair.mentee_id]),
  );
  const now = new Date();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Pairs">
      <table class="pairs">
        <thead>
          <tr>
            <th scope="col">Pair</th>
            <th scope="col">In the mentor</th>
            <th scope="col">In the mentee</th>
            <th scope="col">Why</th>
            <th scope="col">Sessions</th>
            <th scope="col">Last met</th>
          </tr>
        </thead>
        <tbody>
          {pairs.map((pair) => (
            <tr key={pair.pair_id}>
              <th scope="row">
                <a href={`/pairs/${pair.pair_id}`} data-view="pair">
                  {name(pair.mentor_id)} and {name(pair.mentee_id)}
                </a>
              </th>
              <td>
                <Badge band={pair.about_mentor} />
              </td>
              <td>
                <Badge band={pair.about_mentee} />
              </td>
              <td>{pair.reason ? `${pair.about}: ${reason(pair.reason)}` : ""}</td>
              <td class="number">{count(pair.sessions)}</td>
              <td>
                {pair.last_held_at ? (
                  <time dateTime={pair.last_held_at} title={onDay(pair.last_held_at)}>
                    {daysFrom(pair.last_held_at, now)}
                  </time>
                ) : (
                  "not yet"
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
