// Before anybody is signed in.

import { useEffect } from "preact/hooks";

const FAILED: Record<string, string> = {
  stale: "That took too long, or began in another window. Please sign in again.",
  refused: "Your identity provider did not let you in. Try again, or ask your organisation.",
  away: "Your identity provider does not answer. Please try again in a moment.",
};

export function Welcome({ failed, to }: { failed: string | null; to: string }) {
  useEffect(() => void (document.title = "Sign in · Trustfold"), []);
  return (
    <main id="content" class="welcome">
      <h1>Trustfold</h1>
      <p class="lead">
        How mentoring goes in your organisation, and who could use help while it still helps.
      </p>
      {failed && (
        <p class="note failed" role="alert">
          {FAILED[failed] ?? FAILED.refused}
        </p>
      )}
      <p>
        <a class="button" href={`/sign-in?to=${encodeURIComponent(to)}`}>
          Sign in
        </a>
      </p>
      <p class="quiet">
        You sign in where your organisation signs you in; no password is asked for here.
      </p>
    </main>
  );
}
