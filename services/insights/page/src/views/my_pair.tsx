// What the two agreed, when they meet, and what they promised each other.

import { useState } from "preact/hooks";
import { Refused, tell } from "../api";
import { all, at as moment, counted, daysFrom, onDay } from "../format";
import { Card } from "../parts/card";
import type { Agreement, Meeting, OwnPair, Promise_ } from "../types";

// Of what one may do with a promise, what a page can offer with a button.
const DOES: Partial<Record<Promise_["allowed"][number], string>> = {
  accept: "Yes, I want this",
  keep: "It was kept",
  "claim-done": "I did it",
  warn: "I will not make it in time",
  acknowledge: "I have heard",
};
const STATE: Partial<Record<Promise_["state"], string>> = {
  made: "waits for a yes",
  open: "open",
  claimed: "done, waits for a word",
  disputed: "you two see it differently",
};

export function Meetings({ pair }: { pair: OwnPair }) {
  const { next_session: next, sessions_to_confirm: unsaid } = pair;
  return (
    <Card
      title="Next session"
      id="session"
      action={next ? null : "Suggest a time: a rhythm helps more than a long session."}
    >
      {next ? <When of={next} /> : <p>No session is booked.</p>}
      {unsaid.length > 0 && (
        <p class="note">
          {counted(unsaid.length, "session waits", "sessions wait")} for your word: did it take
          place? The newest was {moment(unsaid[0]!.starts_at)}.
        </p>
      )}
    </Card>
  );
}

function When({ of }: { of: Meeting }) {
  return (
    <>
      <p class="big">
        <time dateTime={of.starts_at}>{moment(of.starts_at)}</time>
      </p>
      <p>
        {daysFrom(of.starts_at, new Date())}, {counted(of.duration_minutes, "minute")}
        {of.channel ? `, by ${of.channel}` : ""}.
      </p>
    </>
  );
}

interface PromisesProps {
  pair: OwnPair;
  partner: string;
  me: string;
  changed: () => void;
}

export function Promises({ pair, partner, changed }: PromisesProps) {
  const { yours, theirs } = pair.commitments;
  const [failed, fail] = useState<string | null>(null);
  const act = async (promise: Promise_, verb: string) => {
    try {
      await tell(
        "participant",
        "/sessions",
        "POST",
        `/v1/commitments/${promise.commitment_id}/${verb}`,
        undefined,
        { "Idempotency-Key": crypto.randomUUID() },
      );
      fail(null);
    } catch (error) {
      fail(error instanceof Refused ? error.message : String(error));
    }
    changed();
  };
  return (
    <Card title="Promises" id="promises">
      {failed && (
        <p class="note failed" role="alert">
          {failed}
        </p>
      )}
      <h3>You promised</h3>
      <List of={yours} none="Nothing is open." act={act} />
      <h3>{partner} promised</h3>
      <List of={theirs} none="Nothing is open." act={act} />
    </Card>
  );
}

function List({
  of,
  none,
  act,
}: {
  of: readonly Promise_[];
  none: string;
  act: (promise: Promise_, verb: string) => void;
}) {
  if (!of.length) return <p class="quiet">{none}</p>;
  return (
    <ul class="plain">
      {of.map((each) => (
        <li key={each.commitment_id}>
          <b>{each.title ?? "A promise"}</b>{" "}
          <span class="quiet">
            due {onDay(each.due_at)} ({daysFrom(each.due_at, new Date())}),{" "}
            {STATE[each.state] ?? each.state.replaceAll("_", " ")}
          </span>
          <span class="buttons">
            {each.allowed
              .filter((verb) => DOES[verb])
              .map((verb) => (
                <button type="button" key={verb} onClick={() => act(each, verb)}>
                  {DOES[verb]}
                </button>
              ))}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function AgreementTerms({
  agreement,
  proposed,
}: {
  agreement: Agreement | null;
  proposed: Agreement | null;
}) {
  if (agreement === null) {
    return (
      <p>
        {proposed
          ? "An agreement waits for a signature."
          : "Nothing is agreed yet: a clear beginning is the first thing that builds trust."}
      </p>
    );
  }
  return (
    <>
      <dl>
        <dt>You meet</dt>
        <dd>every {counted(agreement.cadence_days, "day")}</dd>
        <dt>Calling off</dt>
        <dd>{counted(agreement.notice_hours, "hour")} ahead</dd>
        {agreement.channels.length > 0 && (
          <>
            <dt>By</dt>
            <dd>{all(agreement.channels)}</dd>
          </>
        )}
        {agreement.goals.length > 0 && (
          <>
            <dt>Goals</dt>
            <dd>{all(agreement.goals)}</dd>
          </>
        )}
        {agreement.topics_off_limits.length > 0 && (
          <>
            <dt>Not about</dt>
            <dd>{all(agreement.topics_off_limits)}</dd>
          </>
        )}
        {agreement.signed_at && (
          <>
            <dt>Signed</dt>
            <dd>{onDay(agreement.signed_at)}</dd>
          </>
        )}
        {agreement.review_on && (
          <>
            <dt>Look at it again by</dt>
            <dd>{onDay(agreement.review_on)}</dd>
          </>
        )}
      </dl>
      {proposed && <p class="note">New terms wait for a signature.</p>}
    </>
  );
}
