// A participant's own page: what was agreed, what is next, and how the two are doing, reasons first.

import { useEffect, useState } from "preact/hooks";
import { ask } from "../api";
import { useAsked } from "../asked";
import { Card, Shown } from "../parts/card";
import type { OwnPair, OwnPairs } from "../types";
import { AgreementTerms, Meetings, Promises } from "./my_pair";
import { Calendar, MyPreferences } from "./my_settings";
import { Doing } from "./my_trust";

const EVERY_MS = 10_000;

export function Me({ person }: { person: string }) {
  const pairs = useAsked(
    async () => (await ask<OwnPairs>("participant", "/sessions", "/v1/pairs")).body.pairs,
    [person],
  );
  const [chosen, choose] = useState<string | null>(null);
  useEffect(() => void (document.title = "My mentoring · Trustfold"), []);
  return (
    <>
      <h1>My mentoring</h1>
      <Shown of={pairs} empty={(found) => (found.length ? null : <NoPair />)}>
        {(found) => {
          const running = found.filter(({ state }) => state === "active");
          const shown = found.find(({ pair_id }) => pair_id === chosen) ?? running[0] ?? found[0]!;
          return (
            <>
              {found.length > 1 && (
                <div class="chips" role="group" aria-label="Which pair">
                  {found.map((each) => (
                    <button
                      type="button"
                      key={each.pair_id}
                      aria-pressed={each.pair_id === shown.pair_id}
                      onClick={() => choose(each.pair_id)}
                    >
                      {each.partner_name ?? each.partner_id}
                      {each.state === "ended" ? " (ended)" : ""}
                    </button>
                  ))}
                </div>
              )}
              <MyPair key={shown.pair_id} id={shown.pair_id} me={person} />
            </>
          );
        }}
      </Shown>
      <div class="grid">
        <MyPreferences />
        <Calendar />
      </div>
    </>
  );
}

function MyPair({ id, me }: { id: string; me: string }) {
  const asked = useAsked(
    async () => (await ask<OwnPair>("participant", "/sessions", `/v1/pairs/${id}`)).body,
    [id],
  );
  useEffect(() => {
    const timer = setInterval(asked.again, EVERY_MS);
    return () => clearInterval(timer);
  }, [id]);
  return (
    <Shown of={asked}>
      {(pair) => {
        const partner = pair.partner_name ?? pair.partner_id;
        return (
          <>
            <section class="glance" aria-label="Next">
              <p class="lead">
                With <b>{partner}</b>, your {pair.you_are === "mentor" ? "mentee" : "mentor"}.
              </p>
              {pair.next_step && (
                <p class="action">
                  <b>Next:</b> {pair.next_step.words}
                </p>
              )}
            </section>
            <div class="grid">
              <Meetings pair={pair} />
              <Promises pair={pair} partner={partner} me={me} changed={asked.again} />
              <Doing id={id} you={pair.you_are} partner={partner} />
              <Card title="Our agreement" id="agreement">
                <AgreementTerms agreement={pair.agreement} proposed={pair.proposed_agreement} />
              </Card>
            </div>
          </>
        );
      }}
    </Shown>
  );
}

function NoPair() {
  return (
    <>
      <p>
        <b>You are in no pair yet.</b>
      </p>
      <p>As soon as somebody is proposed to you, you get a message; then this page fills.</p>
    </>
  );
}
