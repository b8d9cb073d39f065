// People's names, from matching: insights knows ids alone. Without matching, the id is what is shown.

import { useEffect, useState } from "preact/hooks";
import { ask } from "./api";
import type { People, Role } from "./types";

const AT_ONCE = 200;
const known = new Map<string, string>();
const asked = new Set<string>();

export function useNames(role: Role, ids: readonly string[]): (id: string) => string {
  const [, redraw] = useState(0);
  const wanted = ids.filter((id) => !asked.has(id));
  useEffect(() => {
    for (let from = 0; from < wanted.length; from += AT_ONCE) {
      const some = [...new Set(wanted.slice(from, from + AT_ONCE))];
      some.forEach((id) => asked.add(id));
      ask<People>(role, "/matching", "/v1/people", { id: some }).then(
        ({ body }) => {
          body.people.forEach((person) => known.set(person.person_id, person.display_name));
          redraw((n) => n + 1);
        },
        () => some.forEach((id) => asked.delete(id)),
      );
    }
  }, [wanted.join(" ")]);
  return (id) => known.get(id) ?? id;
}
