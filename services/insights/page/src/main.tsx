// The page: who is signed in, which view is asked for, and the frame around it.

import { render } from "preact";
import { useEffect } from "preact/hooks";
import { ask, session, signOut } from "./api";
import { useAsked } from "./asked";
import { Shown } from "./parts/card";
import { usePlace } from "./place";
import type { Person, Role, Session } from "./types";
import { Me } from "./views/me";
import { Pair } from "./views/pair";
import { Programme } from "./views/programme";
import { Programmes } from "./views/programmes";
import { Welcome } from "./views/welcome";

const NAMES: Partial<Record<Role, string>> = {
  manager: "Programmes",
  hr: "Figures",
  participant: "My mentoring",
};

function App() {
  const asked = useAsked(async () => ({ who: await session<Session>() }), []);
  return <Shown of={asked}>{({ who }) => <Signed who={who} />}</Shown>;
}

function Signed({ who }: { who: Session | null }) {
  const { path, asked } = usePlace();
  const [, area = "", id = ""] = path.split("/").map(decodeURIComponent);
  if (who === null) return <Welcome failed={asked.get("sign-in")} to={path} />;
  const oversees: Role | null = who.roles.includes("manager")
    ? "manager"
    : who.roles.includes("hr")
      ? "hr"
      : null;
  const view = area === "" && oversees === null ? "me" : area;
  return (
    <>
      <a class="skip" href="#content">
        To the content
      </a>
      <Header who={who} oversees={oversees} view={view} />
      <main id="content" tabIndex={-1}>
        {view === "me" ? (
          <Me person={who.person} />
        ) : oversees === null ? (
          <Missing />
        ) : view === "" ? (
          <Programmes role={oversees} />
        ) : view === "programmes" ? (
          <Programme key={id} role={oversees} id={id} asked={asked} />
        ) : view === "pairs" && oversees === "manager" ? (
          <Pair key={id} id={id} />
        ) : (
          <Missing />
        )}
      </main>
      <footer>
        <p>
          Trustfold. A score belongs to a pair, never to a person; it suggests, and decides nothing.
        </p>
      </footer>
    </>
  );
}

function Header({ who, oversees, view }: { who: Session; oversees: Role | null; view: string }) {
  const out = () => signOut().then(() => location.assign("/"));
  // Who neither mentors nor is mentored need not be known to matching.
  const takesPart = who.roles.includes("participant");
  const me = useAsked(
    async () =>
      takesPart
        ? (
            await ask<Person>(
              "participant",
              "/matching",
              `/v1/people/${encodeURIComponent(who.person)}`,
            )
          ).body
        : null,
    [who.person],
  );
  return (
    <header>
      <a class="mark" href="/" data-view="home">
        Trustfold
      </a>
      <nav aria-label="Views">
        {oversees && (
          <a href="/" data-view="home" aria-current={view !== "me" ? "page" : undefined}>
            {NAMES[oversees]}
          </a>
        )}
        {who.roles.includes("participant") && (
          <a href="/me" data-view="me" aria-current={view === "me" ? "page" : undefined}>
            {NAMES.participant}
          </a>
        )}
      </nav>
      <p class="who">
        <span class="hidden">Signed in as </span>
        {me.data?.display_name ?? who.person} <span class="quiet">at {who.tenant}</span>
      </p>
      <button type="button" class="plain" onClick={out}>
        Sign out
      </button>
    </header>
  );
}

function Missing() {
  useEffect(() => void (document.title = "Nothing here · Trustfold"), []);
  return (
    <section class="card">
      <h1>There is nothing here for you</h1>
      <p>It does not exist, or it is not yours to see: the two look the same on purpose.</p>
      <p>
        <a href="/" data-view="home">
          To the beginning
        </a>
      </p>
    </section>
  );
}

const place = document.getElementById("app");
if (place) render(<App />, place);
