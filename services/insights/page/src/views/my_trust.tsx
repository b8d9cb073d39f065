// How the two are doing, as both may see it: reasons before numbers, and the same for both.

import { ask } from "../api";
import { useAsked } from "../asked";
import { share } from "../format";
import { Badge, Interval } from "../parts/band";
import { Card, Shown } from "../parts/card";
import type { MemberDirection, SharedPair, Side } from "../types";
import { FACET, reason, step } from "../words";

const NOT_FOUND = 404;

export function Doing({ id, you, partner }: { id: string; you: Side; partner: string }) {
  const asked = useAsked(async () => {
    try {
      return {
        seen: (await ask<SharedPair>("participant", "", `/v1/pairs/${id}/trust/shared`)).body,
      };
    } catch (error) {
      if ((error as { status?: number }).status === NOT_FOUND) return { seen: null };
      throw error;
    }
  }, [id]);
  return (
    <Card title="How we are doing" id="doing">
      <Shown
        of={asked}
        empty={({ seen }) => (seen ? null : <p>Nothing has happened yet that both of you saw.</p>)}
      >
        {({ seen }) =>
          seen && (
            <>
              <Direction
                of={you === "mentor" ? seen.about_mentor : seen.about_mentee}
                title={`What ${partner} can count on with you`}
              />
              <Direction
                of={you === "mentor" ? seen.about_mentee : seen.about_mentor}
                title={`What you can count on with ${partner}`}
              />
              <p class="quiet">
                Made of what both of you saw. Private answers are in none of it, and {partner} sees
                the same.
              </p>
            </>
          )
        }
      </Shown>
    </Card>
  );
}

function Direction({ of, title }: { of: MemberDirection; title: string }) {
  const { up, down, next_step: next } = of.why;
  return (
    <section>
      <h3>
        {title} <Badge band={of.band} />
      </h3>
      <ul class="reasons">
        {up.map((each) => (
          <li key={each.event_id + each.facet} class="up">
            <span aria-hidden="true">▲</span> {reason(each.code)}{" "}
            <span class="quiet">{FACET[each.facet].name.toLowerCase()}</span>
          </li>
        ))}
        {down.map((each) => (
          <li key={each.event_id + each.facet} class="down">
            <span aria-hidden="true">▼</span> {reason(each.code)}{" "}
            <span class="quiet">{FACET[each.facet].name.toLowerCase()}</span>
          </li>
        ))}
        {up.length + down.length === 0 && <li>Too little has happened to tell.</li>}
      </ul>
      {next && (
        <p class="action">
          <b>What would help most:</b> {step(next.code)}
        </p>
      )}
      <details>
        <summary>The numbers</summary>
        <p>
          {share(of.score)}, most likely between {share(of.low)} and {share(of.high)}.
        </p>
        <Interval of={of} label={title} />
      </details>
    </section>
  );
}
