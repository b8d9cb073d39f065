// How one wants to be told, and the secret address of one's calendar.

import { useState } from "preact/hooks";
import { ask, Refused, tell } from "../api";
import { useAsked } from "../asked";
import { count, onDay } from "../format";
import { Card, Shown } from "../parts/card";
import type { CalendarAddress, CalendarState, Preferences } from "../types";

type Way = "now" | "digest" | "off";
const WAYS: Record<Way, string> = {
  now: "one by one",
  digest: "gathered, once a day",
  off: "not at all",
};
const MOST_A_DAY = 50;

interface Said {
  ok: boolean;
  words: string;
}

export function MyPreferences() {
  const asked = useAsked(
    async () =>
      (await ask<Preferences>("participant", "/notifications", "/v1/me/preferences")).body,
    [],
  );
  const [said, say] = useState<Said | null>(null);
  const saved = (now: Said) => {
    say(now);
    if (now.ok) asked.again();
  };
  return (
    <Card title="How I want to be told" id="preferences">
      <Shown of={asked}>
        {(chosen) => <Form key={chosen.revision} chosen={chosen} saved={saved} />}
      </Shown>
      {said && <p role={said.ok ? "status" : "alert"}>{said.words}</p>}
    </Card>
  );
}

function Form({ chosen, saved }: { chosen: Preferences; saved: (said: Said) => void }) {
  const now = (chosen.choices.ways?.["*"]?.email as Way | undefined) ?? "";
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const { email: _, ...others } = chosen.choices.ways?.["*"] ?? {};
    const email = String(form.get("email"));
    const all = email ? { ...others, email } : others;
    const { "*": __, ...kinds } = chosen.choices.ways ?? {};
    const ways = Object.keys(all).length ? { ...kinds, "*": all } : kinds;
    const choices = { ...chosen.choices, ways, budget_per_day: Number(form.get("budget")) };
    try {
      await tell("participant", "/notifications", "PUT", "/v1/me/preferences", choices, {
        "If-Match": `"${chosen.revision}"`,
      });
      saved({ ok: true, words: "Saved." });
    } catch (error) {
      saved({ ok: false, words: error instanceof Refused ? error.message : String(error) });
    }
  };
  return (
    <form onSubmit={save}>
      <p>
        <label>
          Mails come{" "}
          <select name="email">
            <option value="">as my organisation has it</option>
            {Object.entries(WAYS).map(([way, words]) => (
              <option key={way} value={way} selected={way === now}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </p>
      <p>
        <label>
          At most{" "}
          <input
            type="number"
            name="budget"
            min={0}
            max={MOST_A_DAY}
            required
            defaultValue={String(chosen.budget_per_day)}
          />{" "}
          a day may call for my attention
        </label>
      </p>
      <p class="quiet">
        {chosen.hours.length
          ? `You are written to in ${count(chosen.hours.length)} weekly windows of your own clock, and never outside the hours you agreed to.`
          : "You are written to in the app alone."}
      </p>
      <p>
        <button type="submit">Save</button>{" "}
      </p>
    </form>
  );
}

export function Calendar() {
  const asked = useAsked(
    async () => (await ask<CalendarState>("participant", "/sessions", "/v1/me/calendar")).body,
    [],
  );
  const [made, make] = useState<string | null>(null);
  const [failed, fail] = useState<string | null>(null);
  const open = async () => {
    try {
      const answer = await tell("participant", "/sessions", "POST", "/v1/me/calendar", undefined, {
        "Idempotency-Key": crypto.randomUUID(),
      });
      const { path } = (await answer.json()) as CalendarAddress;
      make(new URL(`/sessions${path}`, location.href).href);
      fail(null);
    } catch (error) {
      fail(error instanceof Refused ? error.message : String(error));
    }
    asked.again();
  };
  return (
    <Card title="My calendar" id="calendar">
      <Shown of={asked}>
        {(state) => (
          <>
            <p>
              {state.open && state.since
                ? `Your sessions are in a calendar of your own, since ${onDay(state.since)}.`
                : "Have your sessions in the calendar you use every day."}
            </p>
            {made && (
              <p class="note">
                Add this address as a calendar. It is shown this once; whoever has it can read it:{" "}
                <input
                  readOnly
                  value={made}
                  aria-label="The address of my calendar"
                  onFocus={(event) => event.currentTarget.select()}
                />
              </p>
            )}
            {failed && (
              <p class="note failed" role="alert">
                {failed}
              </p>
            )}
            <p>
              <button type="button" onClick={open}>
                {state.open ? "Make a new address; the old one stops" : "Make an address"}
              </button>
            </p>
          </>
        )}
      </Shown>
    </Card>
  );
}
