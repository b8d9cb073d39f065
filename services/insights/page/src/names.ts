// People's names, from matching: insights knows ids alone. Without matching, the id is what is shown.

import { useEffect, useState } from "preact/hooks";
import { ask } from "./api";
import type { People, Role } from "./types";

const AT_ONCE = 200;
const AGAIN_MS = 3_000;
const known = new Map<string, string>();
const asked = new Set<string>();
const readers = new Set<() => void>();

/** The name of a person; whoever shows one is drawn again when it is known, whoever asked for it. */
export function useNames(role: Role, ids: readonly string[]): (id: string) => string {
  const [turn, draw] = useState(0);
  useEffect(() => {
    const redraw = () => draw((n) => n + 1);
    readers.add(redraw);
    return () => void readers.delete(redraw);
  }, []);
  const wanted = [...new Set(ids)].filter((id) => !asked.has(id));
  useEffect(() => {
    for (let from = 0; from < wanted.length; from += AT_ONCE) {
      learn(role, wanted.slice(from, from + AT_ONCE));
    }
  }, [wanted.join(" "), turn]);
  return (id) => known.get(id) ?? id;
}

function learn(role: Role, ids: readonly string[]): void {
  const tell = () => readers.forEach((redraw) => redraw());
  ids.forEach((id) => asked.add(id));
  ask<People>(role, "/matching", "/v1/people", { id: ids }).then(
    ({ body }) => {
      body.people.forEach((person) => known.set(person.person_id, person.display_name));
      tell();
    },
    () => {
      const again = () => {
        ids.forEach((id) => asked.delete(id));
        tell();
      };
      setTimeout(again, AGAIN_MS);
    },
  );
}
