/** Scheduled rules in words. */
import type { AnalyticsRule, AnalyticsRun } from '@/api/analytics';

const kUnits: readonly (readonly [number, string])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** `5 minutes`, `1 day`, `90 minutes`. */
export function spanText(seconds: number): string {
  for (const [size, unit] of kUnits) {
    if (seconds % size !== 0 || seconds < size) continue;
    const count = seconds / size;
    return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
  }
  return `${seconds} seconds`;
}

const kTriggers = { gt: 'more than', lt: 'fewer than', eq: 'exactly', ne: 'other than' } as const;

export function triggerText({ trigger, threshold }: Pick<AnalyticsRule, 'trigger' | 'threshold'>): string {
  return `${kTriggers[trigger]} ${threshold} ${threshold === 1 ? 'row' : 'rows'}`;
}

export function scheduleText(rule: Pick<AnalyticsRule, 'frequencySeconds' | 'periodSeconds'>): string {
  return `every ${spanText(rule.frequencySeconds).replace(/^1 /, '')}, over the last ${spanText(rule.periodSeconds).replace(/^1 /, '')}`;
}

export const kOutcomes: Record<
  NonNullable<AnalyticsRun['outcome']>,
  { text: string; color: 'danger' | 'subtle' | 'warning' | 'informative' }
> = {
  fired: { text: 'Fired', color: 'danger' },
  quiet: { text: 'Quiet', color: 'subtle' },
  suppressed: { text: 'Suppressed', color: 'informative' },
  failed: { text: 'Failed', color: 'warning' },
};

/** How far back a trial goes. */
export const kTrialSpans: readonly (readonly [string, string])[] = [
  ['PT6H', 'Last 6 hours'],
  ['P1D', 'Last day'],
  ['P7D', 'Last 7 days'],
  ['P14D', 'Last 14 days'],
];
