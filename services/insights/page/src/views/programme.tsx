// A programme at a glance. Managers see pairs and act; HR sees what was released of it.

import { useEffect, useState } from "preact/hooks";
import type { Connection } from "../live";
import { Freshness } from "../parts/freshness";
import type { Freshness as Fresh } from "../api";
import type { Role } from "../types";
import { Board } from "./board";
import { Released } from "./released";

export function Programme({ role, id, asked }: { role: Role; id: string; asked: URLSearchParams }) {
  const [fresh, setFresh] = useState<Fresh | null>(null);
  const [connection, setConnection] = useState<Connection | null>(null);
  useEffect(() => void (document.title = `${id} · Trustfold`), [id]);
  return (
    <>
      <div class="title">
        <h1>{id.replaceAll("-", " ")}</h1>
        <Freshness fresh={fresh} connection={connection} />
      </div>
      {role === "manager" && (
        <Board id={id} asked={asked} told={{ fresh: setFresh, connection: setConnection }} />
      )}
      <Released role={role} id={id} noticed={role === "manager" ? null : setFresh} />
    </>
  );
}
