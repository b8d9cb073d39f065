// One pair as its programme's manager may see it: both directions, why, and what happened.

import { useEffect } from "preact/hooks";
import { ask } from "../api";
import { useAsked } from "../asked";
import { BandHistory } from "../charts/history";
import { at as moment, onDay } from "../format";
import { useNames } from "../names";
import { Badge, Interval } from "../parts/band";
import { Card, Shown } from "../parts/card";
import { Freshness } from "../parts/freshness";
import type { ForManager, Happening, History, ManagerDirection, Timeline } from "../types";
import { BAND, FACET, reason, step } from "../words";

const EVERY_MS = 5_000;
const SHOWN = 50;

export function Pair({ id }: { id: string }) {
  const place = `/v1/pairs/${encodeURIComponent(id)}`;
  const now = useAsked(() => ask<ForManager>("manager", "", `${place}/trust/managed`), [id]);
  const before = useAsked(
    async () => (await ask<History>("manager", "", `${place}/trust/history`)).body,
    [id],
  );
  const happened = useAsked(
    async () => (await ask<Timeline>("manager", "", `${place}/timeline`, { limit: SHOWN })).body,
    [id],
  );
  const seen = now.data?.body;
  const name = useNames("manager", seen ? [seen.mentor_id, seen.mentee_id] : []);
  useEffect(() => {
    const timer = setInterval(
      () => [now, before, happened].forEach((each) => each.again()),
      EVERY_MS,
    );
    return () => clearInterval(timer);
  }, [id]);
  const mentor = seen ? name(seen.mentor_id) : "the mentor";
  const mentee = seen ? name(seen.mentee_id) : "the mentee";
  useEffect(() => void (document.title = `${mentor} and ${mentee} · Trustfold`), [mentor, mentee]);
  return (
    <>
      <p>
        <a href="/" data-view="programmes">
          All pairs
        </a>
      </p>
      <div class="title">
        <h1>
          {mentor} and {mentee}
        </h1>
        <Freshness fresh={now.data?.fresh ?? null} connection={null} />
      </div>
      <Shown of={now}>
        {({ body }) => (
          <div class="grid">
            <Direction of={body.about_mentor} who={mentor} as="mentor" />
            <Direction of={body.about_mentee} who={mentee} as="mentee" />
          </div>
        )}
      </Shown>
      <div class="grid">
        <Card title="Over time" id="history">
          <Shown of={before}>
            {(history) => <BandHistory history={history} names={{ mentor, mentee }} />}
          </Shown>
        </Card>
        <Card title="What both of them saw happen" id="timeline">
          <Shown of={happened} empty={({ items }) => (items.length ? null : <p>Nothing yet.</p>)}>
            {({ items, more }) => (
              <Happenings items={items} more={more} names={{ mentor, mentee, both: "both" }} />
            )}
          </Shown>
        </Card>
      </div>
      <p class="quiet">
        Private answers are nobody's to see. They may move a band, three at a time and two weeks
        later; no number here contains one.
      </p>
    </>
  );
}

function Direction({ of, who, as }: { of: ManagerDirection; who: string; as: string }) {
  return (
    <Card
      title={`Trust in ${who}, the ${as}`}
      id={`about-${as}`}
      action={
        of.next_step && (
          <>
            <b>What would help most:</b> {step(of.next_step)}
          </>
        )
      }
    >
      <p class="big">
        <Badge band={of.band} /> <span class="quiet">{BAND[of.band].means}</span>
      </p>
      <Interval of={of} label={`Trust in ${who}`} />
      {of.reasons.length === 0 ? (
        <p>Too little has happened that both of them saw.</p>
      ) : (
        <ul class="reasons">
          {of.reasons.map((each) => (
            <li key={each.event_id + each.facet} class={each.direction}>
              <span aria-hidden="true">{each.direction === "up" ? "▲" : "▼"}</span>{" "}
              <span class="hidden">{each.direction === "up" ? "raises" : "lowers"}: </span>
              {reason(each.code)} <span class="quiet">{FACET[each.facet].name.toLowerCase()}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

type Names = Record<Happening["about"], string>;

function Happenings({
  items,
  more,
  names,
}: {
  items: readonly Happening[];
  more: boolean;
  names: Names;
}) {
  return (
    <>
      <ol class="timeline scroll" tabIndex={0} aria-label="What happened, newest first">
        {items.map((each) => (
          <li key={each.event_id} class={each.direction ?? "level"}>
            <time dateTime={each.at} title={moment(each.at)}>
              {onDay(each.at)}
            </time>
            <span>
              {each.about === "both" ? "" : `${names[each.about]}: `}
              {reason(each.code)}
            </span>
          </li>
        ))}
      </ol>
      {more && <p class="quiet">The newest {items.length} are shown.</p>}
    </>
  );
}
