// How people come along: from invited to steady, who waits, and whether messages arrive.

import { Bars } from "../charts/bars";
import { count, counted, onDay, share } from "../format";
import type { MessagesHealth, Overview, Waiting } from "../types";
import { CHANNEL } from "../words";

export function Funnel({ seen, waiting }: { seen: Overview; waiting: Waiting | null }) {
  const { matched, met, steady } = seen.funnel;
  const invited = matched + (waiting?.people_waiting ?? 0);
  const stages = [
    {
      name: "invited",
      value: invited,
      note:
        waiting === null
          ? "Matching does not answer: only those who were matched are counted."
          : null,
    },
    {
      name: "matched",
      value: matched,
      note:
        invited - matched
          ? `${counted(invited - matched, "mentee waits", "mentees wait")}: start a matching run.`
          : null,
    },
    {
      name: "had a first session",
      value: met,
      note:
        matched - met
          ? `${counted(matched - met, "pair has", "pairs have")} not met: ask them for a date.`
          : null,
    },
    { name: "steady", value: steady, note: null },
  ];
  return (
    <Bars
      label="Mentees, by how far they came"
      bars={stages.map(({ name, value, note }) => ({
        name,
        value,
        of: invited,
        note,
        shown: `${count(value)} · ${share(invited ? value / invited : 0)}`,
      }))}
    />
  );
}

export function Queue({ seen }: { seen: Waiting }) {
  const short = seen.people_waiting - seen.free_places;
  return (
    <>
      <dl class="numbers">
        <div>
          <dt>mentees wait</dt>
          <dd>{count(seen.people_waiting)}</dd>
        </div>
        <div>
          <dt>free places</dt>
          <dd>{count(seen.free_places)}</dd>
        </div>
        <div>
          <dt>longest wait</dt>
          <dd>{seen.oldest_days === null ? "none" : counted(seen.oldest_days, "day")}</dd>
        </div>
      </dl>
      {seen.oldest_since && (
        <p class="quiet">Somebody has waited since {onDay(seen.oldest_since)}.</p>
      )}
      <p>{seen.wait.words}</p>
      <p class="action">
        {short > 0
          ? `Invite ${counted(short, "more mentor")}, or ask mentors for another place.`
          : seen.people_waiting
            ? "There are places for all of them: start a matching run."
            : "Nobody waits. You could invite more mentees."}
      </p>
    </>
  );
}

/** How many mentees mentors have now: a load that is shared unevenly is seen at once. */
export function Load({ load }: { load: Overview["load"] }) {
  const mentors = Object.entries(load).map(([mentees, how]) => ({ mentees: Number(mentees), how }));
  const most = Math.max(1, ...mentors.map((each) => each.how));
  return (
    <>
      <h3>Mentors, by how many mentees they have</h3>
      <Bars
        label="Mentors, by how many mentees they have"
        bars={mentors.map((each) => ({
          name: counted(each.mentees, "mentee"),
          value: each.how,
          of: most,
          shown: counted(each.how, "mentor"),
        }))}
      />
    </>
  );
}

export function Messages({ seen }: { seen: MessagesHealth }) {
  const lost = seen.channels.reduce((sum, each) => sum + each.failed + each.expired, 0);
  const addressless = seen.channels.reduce((sum, each) => sum + each.without_address, 0);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Messages by channel">
        <table>
          <thead>
            <tr>
              <th scope="col">way</th>
              <th scope="col">sent</th>
              <th scope="col">wait</th>
              <th scope="col">not wanted</th>
              <th scope="col">came to nothing</th>
            </tr>
          </thead>
          <tbody>
            {seen.channels.map((each) => (
              <tr key={each.channel}>
                <th scope="row">{CHANNEL[each.channel] ?? each.channel}</th>
                <td>{count(each.sent)}</td>
                <td>{count(each.waiting + each.without_address)}</td>
                <td>{count(each.suppressed)}</td>
                <td>{count(each.failed + each.expired)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="action">
        {lost
          ? `${counted(lost, "message")} came to nothing: look at the addresses that bounced.`
          : addressless
            ? `${counted(addressless, "message waits", "messages wait")} for an address from HR.`
            : "Everything that was to be said was said, or waits for its reader's hours."}
      </p>
    </>
  );
}
