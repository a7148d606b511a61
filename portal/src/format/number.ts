/** Numbers for people. */

const kExact = new Intl.NumberFormat('en');
const kShort = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** All digits, grouped: `12,345`. */
export function exact(value: number): string {
  return kExact.format(value);
}

/** At most four characters or so: `12.3K`. Exact below 10,000. */
export function short(value: number): string {
  return Math.abs(value) < 10_000 ? kExact.format(value) : kShort.format(value);
}

/** `1 device`, `2 devices`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${exact(value)} ${value === 1 ? one : many}`;
}
