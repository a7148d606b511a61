/** What people decide about alerts and incidents: the words for it, and what of a form is to be sent. Pure. */
import type { Classification, ClassificationReason, IncidentStatus, IncidentTimelineEntry, Triage } from '@/api/types';

export const kIncidentStatuses: readonly IncidentStatus[] = ['New', 'Active', 'Closed'];

type Named<T extends string> = readonly (readonly [Exclude<T, ''>, string])[];
export const kClassifications: Named<Classification> = [
  ['TruePositive', 'True positive'],
  ['BenignPositive', 'Benign positive'],
  ['FalsePositive', 'False positive'],
  ['Undetermined', 'Undetermined'],
];
export const kReasons: Named<ClassificationReason> = [
  ['SuspiciousActivity', 'Suspicious activity'],
  ['SuspiciousButExpected', 'Suspicious but expected'],
  ['IncorrectAlertLogic', 'Incorrect alert logic'],
  ['InaccurateData', 'Inaccurate data'],
];

export const classificationText = (value: Classification | undefined): string =>
  kClassifications.find(([name]) => name === value)?.[1] ?? '';
export const reasonText = (value: ClassificationReason | undefined): string =>
  kReasons.find(([name]) => name === value)?.[1] ?? '';

/** What an alert or an incident says of itself. */
export interface Decided {
  status: string;
  owner?: string;
  classification?: Classification;
  classificationReason?: ClassificationReason;
}
/** What was chosen in a form; what was not follows the alert, which others may change meanwhile. */
export type Draft = Partial<Decided> & { comment?: string };

/** What differs and so is sent; undefined when nothing does. */
export function changesOf(now: Decided, draft: Draft): (Omit<Triage, 'status'> & { status?: string }) | undefined {
  const out: Record<string, string> = {};
  for (const name of ['status', 'owner', 'classification', 'classificationReason'] as const) {
    const value = draft[name]?.trim();
    if (value !== undefined && value !== (now[name] ?? '')) out[name] = value;
  }
  const comment = draft.comment?.trim();
  if (comment) out.comment = comment;
  return Object.keys(out).length > 0 ? out : undefined;
}

interface Step {
  user?: string;
  status?: string;
  owner?: string;
  classification?: Classification;
}

/** One sentence for what somebody did: `ada set it to Active and took it`. */
function deed({ user = '', status, owner, classification }: Step, before: Step | undefined): string {
  const parts: string[] = [];
  if (status && status !== before?.status) parts.push(`set it to ${status}`);
  if (owner && owner !== before?.owner) parts.push(owner === user ? 'took it' : `gave it to ${owner}`);
  if (classification && classification !== before?.classification)
    parts.push(`called it ${classificationText(classification).toLowerCase()}`);
  if (parts.length === 0) return `${user} commented`;
  const last = parts.pop()!;
  return `${user} ${parts.length > 0 ? `${parts.join(', ')} and ${last}` : last}`;
}

/** The words of each entry of an alert's history, oldest first. */
export function historyWords(changes: readonly (Step & { change: string })[]): string[] {
  let before: Step | undefined;
  return changes.map((entry) => {
    if (entry.change === 'raised') {
      before = entry;
      return 'Raised';
    }
    if (entry.change === 'updated') return 'More evidence was found';
    const words = deed(entry, before);
    before = { ...before, ...entry };
    return words;
  });
}

const kKinds: Partial<Record<IncidentTimelineEntry['kind'], string>> = {
  made: 'The incident was made',
  grown: 'More alerts joined',
  merged: 'It became part of another incident',
  unmerged: 'It has alerts of its own again',
  reopened: 'It was opened again',
  closed: 'It was closed with its last alert',
};

/** The words of each entry of an incident's timeline that is no alert; empty for alerts. */
export function timelineWords(entries: readonly IncidentTimelineEntry[]): string[] {
  let before: Step | undefined;
  return entries.map((entry) => {
    if (entry.kind === 'alert') return '';
    const words = kKinds[entry.kind] ?? deed(entry, before);
    before = { ...before, ...entry };
    return words;
  });
}
