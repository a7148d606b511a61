/** Days as date fields have them, in UTC. */

const kDayMs = 86_400_000;

/** Midnight UTC after the day: that day is still covered. Undefined when it is no day. */
export function endOfDay(day: string): string | undefined {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? undefined : new Date(time + kDayMs).toISOString();
}

/** The day that a field shows for an end that `endOfDay` made, or for any other time. */
export function dayBefore(iso: string | undefined): string {
  const time = Date.parse(iso ?? '');
  return Number.isNaN(time) ? '' : new Date(time - 1).toISOString().slice(0, 10);
}

/** The day so many days from now. */
export function dayAfter(days: number, nowMs: number): string {
  return new Date(nowMs + days * kDayMs).toISOString().slice(0, 10);
}
