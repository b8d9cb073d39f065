// What was released of a programme, month by month: facets and benefits, of five people and more.

import { useState } from "preact/hooks";
import type { Freshness } from "../api";
import { address, ask, save } from "../api";
import { useAsked } from "../asked";
import { Months } from "../charts/months";
import { count, inMonth, share } from "../format";
import { Card, Shown } from "../parts/card";
import type { Band, Benefit, Facet, Measure, Measures, Role } from "../types";
import { BAND, BANDS, BENEFIT, BENEFITS, FACET, FACETS } from "../words";

const MONTHS = 24;
const PAGE = 200;

interface ReleasedProps {
  role: Role;
  id: string;
  noticed: ((fresh: Freshness) => void) | null;
}

export function Released({ role, id, noticed }: ReleasedProps) {
  const [unit, choose] = useState("");
  const place = `/v1/programmes/${encodeURIComponent(id)}/measures`;
  const units = useAsked(async () => {
    const { body } = await ask<Measures>(role, "", place, { limit: PAGE });
    return [...new Set(body.items.map((each) => each.unit))]
      .filter((each): each is string => each !== null)
      .sort();
  }, [role, id]);
  const released = useAsked(async () => {
    const { body, fresh } = await ask<Measures>(role, "", place, { unit, limit: MONTHS });
    noticed?.(fresh);
    return body;
  }, [role, id, unit]);
  const nothing = (body: Measures) => (body.items.length ? null : <TooFew note={body.note} />);
  return (
    <section aria-labelledby="released">
      <div class="title">
        <h2 id="released">Month by month</h2>
        {units.data && units.data.length > 0 && (
          <label>
            Unit{" "}
            <select value={unit} onChange={(event) => choose(event.currentTarget.value)}>
              <option value="">the whole programme</option>
              {units.data.map((each) => (
                <option key={each} value={each}>
                  {each}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <p class="quiet">
        Of five people and five pairs at least, to five points, and never about a person. A month is
        measured once it is over.
      </p>
      <div class="grid">
        <Card
          title="Where trust is strong, and where it is weak"
          id="facets"
          action={released.data && weakest(released.data)}
        >
          <Shown of={released} empty={nothing}>
            {({ items }) => (
              <Months
                measures={items}
                lines={FACETS.map((key) => ({ key, name: FACET[key].name }))}
                value={(each, key) => each.facets[key as Facet] ?? 0}
                says={facetSentence(items)}
              />
            )}
          </Shown>
        </Card>
        <Card
          title="What mentoring brings"
          id="benefits"
          action={released.data && least(released.data)}
        >
          <Shown of={released} empty={nothing}>
            {({ items }) => (
              <Months
                measures={items}
                lines={BENEFITS.map((key) => ({ key, name: BENEFIT[key].name }))}
                value={(each, key) => each.benefits[key as Benefit] ?? 0}
                says={benefitSentence(items)}
              />
            )}
          </Shown>
        </Card>
        {role === "hr" && (
          <Card title="Pairs by band" id="shares">
            <Shown of={released} empty={nothing}>
              {({ items }) => (
                <Months
                  measures={items}
                  lines={BANDS.map((key) => ({ key, name: BAND[key].name }))}
                  value={(each, key) => each.bands[key as Band] ?? 0}
                  says={bandSentence(items)}
                />
              )}
            </Shown>
          </Card>
        )}
      </div>
      <Files role={role} id={id} />
    </section>
  );
}

const FORMS = { csv: "CSV", parquet: "Parquet" };

function Files({ role, id }: { role: Role; id: string }) {
  const [failed, fail] = useState<string | null>(null);
  const take = (format: string) =>
    save(role, "", address(`/v1/programmes/${encodeURIComponent(id)}/export`, { format })).then(
      () => fail(null),
      (error: Error) => fail(error.message),
    );
  return (
    <p class="buttons">
      {Object.entries(FORMS).map(([format, name]) => (
        <button type="button" key={format} onClick={() => take(format)}>
          Save all months as {name}
        </button>
      ))}
      {failed && <span role="alert">{failed}</span>}
    </p>
  );
}

function TooFew({ note }: { note: string | null }) {
  const few = note === "too few people to show";
  return (
    <>
      <p>
        <b>{few ? "Too few people to show." : "Not measured yet."}</b>
      </p>
      <p>
        {few
          ? "With fewer than five pairs or people, numbers would tell of somebody. More pairs, and this fills by itself."
          : "A month is measured an hour after its end; the first appears then."}
      </p>
    </>
  );
}

const newest = (items: readonly Measure[]) =>
  [...items].sort((a, b) => b.epoch.localeCompare(a.epoch))[0]!;

function lowest<K extends string>(keys: readonly K[], of: Partial<Record<string, number>>): K {
  return [...keys].sort((a, b) => (of[a] ?? 0) - (of[b] ?? 0))[0]!;
}

function facetSentence(items: readonly Measure[]): string {
  const last = newest(items);
  const low = lowest(FACETS, last.facets);
  return `${inMonth(`${last.epoch}-01`)}, ${count(last.pairs)} pairs or more: weakest is ${FACET[low].name.toLowerCase()} at ${share(last.facets[low] ?? 0)}.`;
}

function benefitSentence(items: readonly Measure[]): string {
  const last = newest(items);
  const told = BENEFITS.map(
    (key) => `${share(last.benefits[key] ?? 0)} ${BENEFIT[key].name.toLowerCase()}`,
  );
  return `${inMonth(`${last.epoch}-01`)}, shares of all pairs: ${told.join(", ")}.`;
}

function bandSentence(items: readonly Measure[]): string {
  const last = newest(items);
  return `${inMonth(`${last.epoch}-01`)}: ${share(last.bands.steady ?? 0)} of pairs steady, ${share(last.bands.strained ?? 0)} strained.`;
}

function weakest({ items }: Measures) {
  return items.length ? FACET[lowest(FACETS, newest(items).facets)].help : null;
}

function least({ items }: Measures) {
  return items.length ? BENEFIT[lowest(BENEFITS, newest(items).benefits)].help : null;
}
