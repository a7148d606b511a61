import { expect, test } from 'vitest';
import type { IncidentTimelineEntry } from '@/api/types';
import { changesOf, classificationText, historyWords, timelineWords } from '@/format/triage';

const now = { status: 'New', owner: 'ada', classification: '' as const };

test('only what differs is sent', () => {
  expect(changesOf(now, {})).toBeUndefined();
  expect(changesOf(now, { status: 'New', owner: 'ada', classification: '', comment: '  ' })).toBeUndefined();
  expect(changesOf(now, { status: 'Active' })).toEqual({ status: 'Active' });
  expect(changesOf(now, { owner: '' })).toEqual({ owner: '' });
  expect(changesOf({ status: 'New' }, { owner: '', classificationReason: '' })).toBeUndefined();
  expect(changesOf(now, { classification: 'FalsePositive', classificationReason: 'InaccurateData', comment: ' why \n' })).toEqual(
    { classification: 'FalsePositive', classificationReason: 'InaccurateData', comment: 'why' },
  );
});

test('a history says what changed, not what stayed', () => {
  const words = historyWords([
    { change: 'raised', user: 'picket', status: 'New' },
    { change: 'updated', user: 'picket', status: 'New' },
    { change: 'triaged', user: 'ada', status: 'New', owner: 'ada' },
    { change: 'triaged', user: 'ada', status: 'Active', owner: 'ada' },
    { change: 'triaged', user: 'bob', status: 'Resolved', owner: 'cyd', classification: 'TruePositive' },
    { change: 'triaged', user: 'bob', status: 'Resolved', owner: 'cyd', classification: 'TruePositive' },
  ]);
  expect(words).toEqual([
    'Raised',
    'More evidence was found',
    'ada took it',
    'ada set it to Active',
    'bob set it to Resolved, gave it to cyd and called it true positive',
    'bob commented',
  ]);
});

test('a timeline has words for what is no alert', () => {
  const at = (kind: IncidentTimelineEntry['kind'], more: Partial<IncidentTimelineEntry> = {}) => ({
    time: '2026-11-22T12:00:00Z',
    kind,
    ...more,
  });
  expect(
    timelineWords([
      at('alert', { displayName: 'Reverse shells' }),
      at('made', { user: 'picket', status: 'New' }),
      at('triaged', { user: 'ada', status: 'Active' }),
      at('reopened', { user: 'picket', status: 'Active' }),
      at('triaged', { user: 'ada', status: 'Active', comment: 'hm' }),
    ]),
  ).toEqual(['', 'The incident was made', 'ada set it to Active', 'It was opened again', 'ada commented']);
});

test('a classification nobody made has no words', () => {
  expect(classificationText('')).toBe('');
  expect(classificationText(undefined)).toBe('');
  expect(classificationText('BenignPositive')).toBe('Benign positive');
});
