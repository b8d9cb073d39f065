// Dates and numbers as the reader's own language and time zone have them. Pure.

const language = navigator.language;
const number = new Intl.NumberFormat(language);
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
const shortDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const month = new Intl.DateTimeFormat(language, {
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const time = new Intl.DateTimeFormat(language, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const moment = new Intl.DateTimeFormat(language, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const list = new Intl.ListFormat(language, { type: "conjunction" });

export const count = (value: number) => number.format(value);
export const share = (value: number) => percent.format(value);
export const onDay = (value: string | Date) => day.format(new Date(value));
export const onShortDay = (value: string | Date) => shortDay.format(new Date(value));
export const inMonth = (value: string | Date) => month.format(new Date(value));
export const atTime = (value: Date) => time.format(value);
export const at = (value: string) => moment.format(new Date(value));
export const all = (values: readonly string[]) => list.format(values);

const DAY_MS = 86_400_000;

/** "3 days ago", "in 2 days": whole days between two calendar days where the reader is. */
export function daysFrom(value: string | Date, now: Date): string {
  const midnight = (date: Date) =>
    new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(new Date(value)) - midnight(now)) / DAY_MS);
  return Math.abs(days) < 60
    ? relative.format(days, "day")
    : relative.format(Math.round(days / 30.4), "month");
}

/** "1 pair", "3 pairs". */
export function counted(value: number, one: string, many: string = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
