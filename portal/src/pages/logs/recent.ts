/** The last queries of this browser, newest first. Kept locally: they are nobody else's business. */
const kStorageKey = 'picket.queries';
const kRecentMax = 20;
const kLengthMax = 10_000;

export function readRecent(storage: Pick<Storage, 'getItem'> = localStorage): string[] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(kStorageKey) ?? '[]');
    return Array.isArray(stored) ? stored.filter((item): item is string => typeof item === 'string').slice(0, kRecentMax) : [];
  } catch {
    return [];
  }
}

/** Puts a query first; the same text is kept once, very long ones not at all. */
export function withRecent(recent: readonly string[], query: string): string[] {
  if (query.length > kLengthMax) return [...recent];
  return [query, ...recent.filter((item) => item !== query)].slice(0, kRecentMax);
}

export function writeRecent(recent: readonly string[], storage: Pick<Storage, 'setItem'> = localStorage): void {
  try {
    storage.setItem(kStorageKey, JSON.stringify(recent));
  } catch {
    // A full or forbidden storage costs the list, not the query.
  }
}
