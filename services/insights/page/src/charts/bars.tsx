// Numbers side by side, as bars that are text first: they read the same without a style.

import type { ComponentChildren } from "preact";

export interface Bar {
  name: ComponentChildren;
  value: number;
  shown: string;
  of: number;
  tone?: string;
  note?: ComponentChildren;
}

export function Bars({ bars, label }: { bars: readonly Bar[]; label: string }) {
  return (
    <ol class="bars" aria-label={label}>
      {bars.map((bar, place) => (
        <li key={place}>
          <div class="told">
            <span>{bar.name}</span> <b>{bar.shown}</b>
          </div>
          <div class={`bar ${bar.tone ?? ""}`} aria-hidden="true">
            <span style={{ width: `${bar.of ? (100 * bar.value) / bar.of : 0}%` }} />
          </div>
          {bar.note && <p class="hint">{bar.note}</p>}
        </li>
      ))}
    </ol>
  );
}
