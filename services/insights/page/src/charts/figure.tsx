// A chart with words and a table behind it: whoever cannot see it, or would rather read, loses nothing.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** What a policy of the page allows the style of (build.mjs). */
export const PLOTTED = "plotted";

interface FigureProps {
  /** What the chart says, in a sentence. */
  says: string;
  /** Draws it for a width; drawn again when `of` changes. */
  draw: (width: number) => Element;
  of: readonly unknown[];
  table: { head: readonly string[]; rows: readonly (readonly ComponentChildren[])[] };
}

export function Figure({ says, draw, of, table }: FigureProps) {
  const place = useRef<HTMLDivElement>(null);
  const [width, measure] = useState(0);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) =>
      measure(Math.floor(entry?.contentRect.width ?? 0)),
    );
    if (place.current) watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (width === 0 || place.current === null) return;
    const chart = draw(width);
    chart.setAttribute("aria-hidden", "true");
    place.current.replaceChildren(chart);
  }, [width, ...of]);
  return (
    <figure>
      <div class="chart" ref={place} role="img" aria-label={says} />
      <figcaption>{says}</figcaption>
      <details>
        <summary>As a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={`Table: ${says}`}>
          <table>
            <thead>
              <tr>
                {table.head.map((each) => (
                  <th scope="col" key={each}>
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map(([first, ...others], row) => (
                <tr key={row}>
                  <th scope="row">{first}</th>
                  {others.map((each, column) => (
                    <td key={column}>{each}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
