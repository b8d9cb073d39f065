// What a view has asked for: on its way, there, or refused. What is there stays until newer comes.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "./api";

export interface Asked<T> {
  data: T | null;
  error: Refused | null;
  again: () => void;
}

/** Asks now, whenever `of` changes, and on `again`; answers that were overtaken are dropped. */
export function useAsked<T>(get: () => Promise<T>, of: readonly unknown[]): Asked<T> {
  const [state, set] = useState<{ data: T | null; error: Refused | null }>({
    data: null,
    error: null,
  });
  const turn = useRef(0);
  const latest = useRef(get);
  latest.current = get;
  const again = useCallback(() => {
    const mine = ++turn.current;
    latest.current().then(
      (data) => mine === turn.current && set({ data, error: null }),
      (error: unknown) =>
        mine === turn.current && set((before) => ({ data: before.data, error: refusal(error) })),
    );
  }, []);
  useEffect(() => {
    set({ data: null, error: null });
    again();
    return () => void turn.current++;
  }, of);
  return { ...state, again };
}

function refusal(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(0, "failed", String(error));
}

/** Calls at most once in `everyMs`; the last wish of a busy moment is not lost. */
export function calmly(work: () => void, everyMs: number): { wish: () => void; stop: () => void } {
  let last = -everyMs;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const run = () => {
    timer = null;
    last = performance.now();
    work();
  };
  return {
    wish: () => {
      if (timer === null) timer = setTimeout(run, Math.max(0, last + everyMs - performance.now()));
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
