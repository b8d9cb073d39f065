// Where the reader is: the address of a view, kept in the browser's history. Knows no view.

import { useEffect, useState } from "preact/hooks";

const MOVED = "trustfold-moved";

export function go(to: string): void {
  history.pushState(null, "", to);
  dispatchEvent(new Event(MOVED));
}

/** The path and what is asked for in it, and again whenever the reader moves. */
export function usePlace(): { path: string; asked: URLSearchParams } {
  const [url, set] = useState(location.pathname + location.search);
  useEffect(() => {
    const moved = () => set(location.pathname + location.search);
    const clicked = (event: MouseEvent) => {
      const link = (event.target as Element).closest?.("a");
      const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
      if (!link || !plain || link.target || link.hasAttribute("download") || !link.dataset["view"])
        return;
      event.preventDefault();
      go(link.getAttribute("href") ?? "/");
      document.querySelector<HTMLElement>("main")?.focus();
      scrollTo(0, 0);
    };
    addEventListener("popstate", moved);
    addEventListener(MOVED, moved);
    addEventListener("click", clicked);
    return () => {
      removeEventListener("popstate", moved);
      removeEventListener(MOVED, moved);
      removeEventListener("click", clicked);
    };
  }, []);
  const [path, query] = url.split("?");
  return { path: path ?? "/", asked: new URLSearchParams(query ?? "") };
}
