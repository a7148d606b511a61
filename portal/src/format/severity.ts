/** Severities in the order people read them: worst first. */
import type { AlertStatus, Severity, SeverityCounts } from '@/api/types';

export const kSeverities: readonly Severity[] = ['High', 'Medium', 'Low', 'Informational'];
export const kAlertStatuses: readonly AlertStatus[] = ['New', 'Active', 'Resolved', 'Dismissed'];
export const kOpenStatuses: readonly AlertStatus[] = ['New', 'Active'];

export function isOpen(status: AlertStatus): boolean {
  return kOpenStatuses.includes(status);
}

export function totalOf(counts: SeverityCounts): number {
  return kSeverities.reduce((sum, severity) => sum + counts[severity], 0);
}

/** The worst severity that has any; undefined when all are zero. */
export function worstOf(counts: SeverityCounts): Severity | undefined {
  return kSeverities.find((severity) => counts[severity] > 0);
}
