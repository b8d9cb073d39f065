// Which programme: with one alone, that one is shown at once.

import { useEffect } from "preact/hooks";
import { ask } from "../api";
import { useAsked } from "../asked";
import { Shown } from "../parts/card";
import type { Programmes as Listed, Role } from "../types";
import { Programme } from "./programme";

export function Programmes({ role }: { role: Role }) {
  const asked = useAsked(
    async () => (await ask<Listed>(role, "", "/v1/programmes", { limit: 200 })).body.items,
    [role],
  );
  useEffect(() => void (document.title = "Programmes · Trustfold"), []);
  return (
    <Shown of={asked} empty={(found) => (found.length ? null : <NoneYet again={asked.again} />)}>
      {(found) =>
        found.length === 1 ? (
          <Programme role={role} id={found[0]!.programme_id} asked={new URLSearchParams()} />
        ) : (
          <section class="card">
            <h1>Programmes</h1>
            <ul class="plain">
              {found.map(({ programme_id, measured }) => (
                <li key={programme_id}>
                  <a href={`/programmes/${encodeURIComponent(programme_id)}`} data-view="programme">
                    {programme_id}
                  </a>{" "}
                  <span class="quiet">
                    {measured ? `measured up to ${measured}` : "not measured yet"}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        )
      }
    </Shown>
  );
}

function NoneYet({ again }: { again: () => void }) {
  useEffect(() => {
    const timer = setInterval(again, 2_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1>No pair has begun yet</h1>
      <p>
        As soon as the first two say yes to each other, their programme is shown here. Nothing needs
        to be reloaded.
      </p>
    </>
  );
}
