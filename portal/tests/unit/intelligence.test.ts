import { expect, test } from 'vitest';
import type { IntelligenceFeed } from '@/api/types';
import { feedState, formOf, kindsOf, orderOf, problemsOf, scheduleText } from '@/format/intelligence';

const feed: IntelligenceFeed = {
  name: 'bots',
  settings: { source: 'https://feeds.example/a', intervalMinutes: 60, lifeDays: 30, caFile: '/etc/ca.pem' },
  hasSecret: true,
  changed: '2026-11-22T14:00:00Z',
  fault: '',
  indicators: 1,
  keptOut: 0,
  skipped: 0,
  reasons: [],
};

test('a schedule is told in the largest unit that fits', () => {
  const every = (intervalMinutes: number) => scheduleText({ source: 'x', intervalMinutes });
  expect([0, 5, 60, 360, 1440, 2880, 90].map(every)).toEqual([
    'on request',
    'every 5 minutes',
    'every hour',
    'every 6 hours',
    'every day',
    'every 2 days',
    'every 90 minutes',
  ]);
  expect(scheduleText({ source: '', intervalMinutes: 60 })).toBe('handed in');
});

test('what the form does not show stays in the settings, and an empty secret stays what it is', () => {
  const order = orderOf({ ...formOf(feed), licence: ' CC0 ' }, feed.settings);
  expect(order).toMatchObject({ caFile: '/etc/ca.pem', intervalMinutes: 60, lifeDays: 30, licence: 'CC0' });
  expect(order).not.toHaveProperty('secret');
  expect(order).not.toHaveProperty('name');
  expect(orderOf({ ...formOf(feed), secret: 's' }, feed.settings)).toHaveProperty('secret', 's');
});

test('a field that the server would refuse is named', () => {
  const problems = (change: object) => Object.keys(problemsOf({ ...formOf(feed), ...change }));
  expect(problems({})).toEqual([]);
  expect(problems({ source: '' })).toEqual([]);
  expect(problems({ name: 'Bots' })).toEqual(['name']);
  expect(problems({ source: 'javascript:alert(1)' })).toEqual(['source']);
  expect(problems({ intervalMinutes: '4' })).toEqual(['intervalMinutes']);
  expect(problems({ intervalMinutes: '0' })).toEqual([]);
  expect(problems({ confidence: '101', lifeDays: '' })).toEqual(['confidence', 'lifeDays']);
});

test('a feed that is off is off, whatever it last was', () => {
  expect(feedState({ ...feed, settings: { enabled: false }, fault: 'x' })).toBe('Off');
  expect(feedState({ ...feed, fault: 'x' })).toBe('Failed');
  expect(feedState(feed)).toBe('Waiting');
  expect(feedState({ ...feed, read: '2026-11-22T14:00:00Z' })).toBe('Good');
});

test('kinds of a set are named, the most first, and unknown ones stay', () => {
  expect(kindsOf({ url: 0, sha256: 2, domain: 5, later: 1 })).toEqual([
    ['Name', 5],
    ['SHA-256', 2],
    ['later', 1],
  ]);
});
