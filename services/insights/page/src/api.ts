// Asks the services, as whoever is signed in, in one role. Knows no view.

import type { Role } from "./types";

// One host stands before all services; insights, which serves the page, has no prefix there.
export type Service = "" | "/matching" | "/sessions" | "/notifications";

/** An answer that is not what was asked for: the status, and what the service said of it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly slug: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** How fresh an answer is: counted up to when, and how many facts are still to come. */
export interface Freshness {
  asOf: Date | null;
  behind: number | null;
}

export interface Answer<T> {
  body: T;
  fresh: Freshness;
}

type Query = Record<string, string | number | undefined | null | readonly string[]>;

export function address(path: string, query: Query = {}): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? value : [value];
    for (const each of values)
      if (each !== undefined && each !== null) asked.append(name, String(each));
  }
  const text = asked.toString();
  return text ? `${path}?${text}` : path;
}

export async function ask<T>(
  role: Role,
  service: Service,
  path: string,
  query: Query = {},
): Promise<Answer<T>> {
  const response = await send(role, service + address(path, query));
  return { body: (await response.json()) as T, fresh: freshness(response.headers) };
}

export async function tell(
  role: Role,
  service: Service,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const typed = body === undefined ? headers : { ...headers, "Content-Type": "application/json" };
  return send(role, service + path, { method, ...sent, headers: typed });
}

/** Have the browser save an answer as a file, under the name that the service gives it. */
export async function save(role: Role, service: Service, url: string): Promise<void> {
  const response = await send(role, service + url);
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = named?.[1] ?? "export";
  link.click();
  URL.revokeObjectURL(link.href);
}

async function send(role: Role | null, url: string, more: RequestInit = {}): Promise<Response> {
  const headers = {
    Accept: "application/json",
    ...(role ? { "Trustfold-Role": role } : {}),
    ...(more.headers as Record<string, string>),
  };
  let response: Response;
  try {
    response = await fetch(url, { ...more, headers, credentials: "same-origin" });
  } catch {
    throw new Refused(0, "unreachable", "The server cannot be reached. Is the network there?");
  }
  if (response.ok) return response;
  throw await refused(response);
}

const NOBODY = 204;

export async function session<T>(): Promise<T | null> {
  const response = await send(null, "/session");
  return response.status === NOBODY ? null : ((await response.json()) as T);
}

export async function signOut(): Promise<void> {
  await send(null, "/sign-out", { method: "POST" });
}

async function refused(response: Response): Promise<Refused> {
  try {
    const said = (await response.json()) as { type?: string; detail?: string };
    const slug = (said.type ?? "").split(":").pop() ?? "";
    return new Refused(response.status, slug, said.detail ?? response.statusText);
  } catch {
    return new Refused(response.status, "", `The server answered ${response.status}.`);
  }
}

function freshness(headers: Headers): Freshness {
  const asOf = headers.get("Trustfold-As-Of");
  const behind = headers.get("Trustfold-Events-Behind");
  return { asOf: asOf ? new Date(asOf) : null, behind: behind === null ? null : Number(behind) };
}
