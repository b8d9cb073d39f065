// A part of a view, and the states it can be in before there is anything to show.

import type { ComponentChildren } from "preact";
import type { Asked } from "../asked";

interface CardProps {
  title: string;
  id: string;
  /** What a reader may do about it: an action beside each number. */
  action?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Card({ title, id, action, wide, children }: CardProps) {
  return (
    <section class={wide ? "card wide" : "card"} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      {action && <p class="action">{action}</p>}
    </section>
  );
}

interface ShownProps<T> {
  of: Asked<T>;
  empty?: (data: T) => ComponentChildren | null;
  children: (data: T) => ComponentChildren;
}

/** What was asked for: a quiet outline while it comes, why not when it does not, words when there is nothing. */
export function Shown<T>({ of, empty, children }: ShownProps<T>) {
  if (of.data === null && of.error === null) {
    return (
      <div class="loading" role="status">
        <span class="hidden">Loading</span>
        <i />
        <i />
        <i />
      </div>
    );
  }
  if (of.data === null) {
    return (
      <div class="note failed" role="alert">
        <p>{of.error?.message}</p>
        <button type="button" onClick={of.again}>
          Try again
        </button>
      </div>
    );
  }
  const nothing = empty?.(of.data);
  return (
    <>
      {of.error && (
        <p class="note stale" role="status">
          Shown as of a moment ago: {of.error.message}
        </p>
      )}
      {nothing ? <div class="note">{nothing}</div> : children(of.data)}
    </>
  );
}
