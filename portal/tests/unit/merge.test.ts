import { describe, expect, test } from 'vitest';
import { matches, mergeAlertOverview, mergeAlertPages, mergeDevicePages, mergeStats } from '@/api/merge';
import type { AlertPages, DevicePages } from '@/api/queries';
import type { AlertSummary, DeviceSummary, LiveStats, Overview } from '@/api/types';

const none = { High: 0, Medium: 0, Low: 0, Informational: 0 };
const alert = (id: string, fields: Partial<AlertSummary> = {}): AlertSummary => ({
  id,
  alertType: 'IoT_ReverseShell',
  displayName: 'Reverse shells',
  severity: 'High',
  status: 'New',
  startTime: '2026-11-21T12:00:00Z',
  endTime: '2026-11-21T12:00:00Z',
  deviceId: 'press-17',
  compromisedEntity: 'press-17',
  ...fields,
});
const pages = (...lists: AlertSummary[][]): AlertPages => ({
  pages: lists.map((items) => ({ items, total: lists.flat().length })),
  pageParams: lists.map(() => undefined),
});
const ids = (data: AlertPages) => data.pages.map((page) => page.items.map((item) => item.id));
const overview = (newest: AlertSummary[]): Overview => ({
  generated_at: '2026-11-21T12:00:00Z',
  devices: { total: 1, reporting: 1, silent: 0, never: 0, disabled: 0, connected: 1 },
  events_per_minute: Array.from({ length: 60 }, (_, index) => ({
    start: new Date(Date.parse('2026-11-21T11:00:00Z') + index * 60_000).toISOString(),
    count: index,
  })),
  alerts: { open_by_severity: none, newest },
  top_devices: [],
  pipeline: { lag_records: 0, lag_ms: 0 },
  dead_letters: { total: 0, last_hour: 0 },
});

describe('a raised alert in a list', () => {
  test('comes first in a list that is newest first', () => {
    const merged = mergeAlertPages(
      pages([alert('old', { startTime: '2026-11-21T11:00:00Z' })]),
      {},
      { change: 'raised', alert: alert('new') },
    );
    expect(ids(merged)).toEqual([['new', 'old']]);
    expect(merged.pages[0]!.total).toBe(2);
  });
  test('goes where its start time puts it when it is late', () => {
    const merged = mergeAlertPages(
      pages([alert('b'), alert('a', { startTime: '2026-11-21T10:00:00Z' })]),
      {},
      { change: 'raised', alert: alert('late', { startTime: '2026-11-21T11:00:00Z' }) },
    );
    expect(ids(merged)).toEqual([['b', 'late', 'a']]);
  });
  test('stays out of a list whose filters it does not meet', () => {
    const before = pages([alert('a')]);
    expect(mergeAlertPages(before, { severity: ['Low'] }, { change: 'raised', alert: alert('new') })).toBe(before);
  });
  test('stays out of a list of other owners, times, classifications or suppression rules', () => {
    const raised = {
      change: 'raised',
      alert: alert('new', { owner: 'ada', classification: 'FalsePositive', suppressedBy: 'r' }),
    } as const;
    const before = pages([alert('a')]);
    const after = (filters: Parameters<typeof mergeAlertPages>[1]) => mergeAlertPages(before, filters, raised);
    expect(after({ owner: 'bob' })).toBe(before);
    expect(after({ classification: 'TruePositive' })).toBe(before);
    expect(after({ suppressedBy: 'other' })).toBe(before);
    expect(after({ until: '2026-11-21T12:00:00Z' })).toBe(before);
    expect(after({ incident: 'i' })).toBe(before);
    expect(ids(after({ owner: 'ada', suppressedBy: 'r', until: '2026-11-21T12:00:01Z' }))).toEqual([['new', 'a']]);
  });
  test('is left to the refetch in any other order', () => {
    const before = pages([alert('a')]);
    expect(mergeAlertPages(before, { sort: 'severity' }, { change: 'raised', alert: alert('new') })).toBe(before);
  });
  test('is not doubled when it is told twice', () => {
    const change = { change: 'raised' as const, alert: alert('new') };
    expect(ids(mergeAlertPages(mergeAlertPages(pages([]), {}, change), {}, change))).toEqual([['new']]);
  });
});

describe('a changed alert in a list', () => {
  test('is replaced where it stands, on any page', () => {
    const merged = mergeAlertPages(
      pages([alert('a')], [alert('b')]),
      {},
      { change: 'triaged', alert: alert('b', { status: 'Active' }) },
    );
    expect(ids(merged)).toEqual([['a'], ['b']]);
    expect(merged.pages[1]!.items[0]!.status).toBe('Active');
  });
  test('leaves a list that it no longer belongs to', () => {
    const merged = mergeAlertPages(
      pages([alert('a'), alert('b')]),
      { status: ['New', 'Active'] },
      { change: 'triaged', alert: alert('a', { status: 'Resolved' }) },
    );
    expect(ids(merged)).toEqual([['b']]);
    expect(merged.pages[0]!.total).toBe(1);
  });
});

test('filters are met as the server meets them', () => {
  expect(matches(alert('a'), { type: 'iot_reverseshell', device: 'press-17', since: '2026-11-21T12:00:00Z', q: 'REVERSE' })).toBe(
    true,
  );
  expect(matches(alert('a'), { device: 'PRESS-17' })).toBe(false);
  expect(matches(alert('a'), { since: '2026-11-21T12:00:01Z' })).toBe(false);
  expect(matches(alert('a'), { status: [], severity: [] })).toBe(true);
});

describe('the overview', () => {
  test('counts a raised alert at once, but only once', () => {
    const change = { change: 'raised' as const, alert: alert('new') };
    const once = mergeAlertOverview(overview([]), change);
    expect(once.alerts.open_by_severity.High).toBe(1);
    expect(mergeAlertOverview(once, change).alerts.open_by_severity.High).toBe(1);
  });
  test('keeps the ten newest', () => {
    const old = Array.from({ length: 10 }, (_, index) => alert(`old${index}`, { startTime: '2026-11-21T10:00:00Z' }));
    const { newest } = mergeAlertOverview(overview(old), { change: 'raised', alert: alert('new') }).alerts;
    expect(newest).toHaveLength(10);
    expect(newest[0]!.id).toBe('new');
  });
  test('replaces the minute under way and moves on with a new one', () => {
    const stats = (start: string, count: number): LiveStats => ({
      time: start,
      events_per_second: 1,
      minute: { start, count },
      devices: overview([]).devices,
      open_by_severity: none,
      pipeline: { lag_records: 0, lag_ms: 0 },
      dead_letters: { total: 0, last_hour: 0 },
    });
    const same = mergeStats(overview([]), stats('2026-11-21T11:59:00.000Z', 99)).events_per_minute;
    expect([same.length, same.at(-1)!.count, same[0]!.count]).toEqual([60, 99, 0]);
    const next = mergeStats(overview([]), stats('2026-11-21T12:00:00.000Z', 5)).events_per_minute;
    expect([next.length, next.at(-1)!.count, next[0]!.count]).toEqual([60, 5, 1]);
  });
});

test('a deleted device leaves the list, a changed one is replaced', () => {
  const device = (deviceId: string, fields: Partial<DeviceSummary> = {}): DeviceSummary => ({
    deviceId,
    generationId: '1',
    status: 'enabled',
    connectionState: 'Connected',
    reporting: 'reporting',
    created: '2026-11-21T12:00:00Z',
    openAlerts: none,
    ...fields,
  });
  const before: DevicePages = { pages: [{ items: [device('a'), device('b')], total: 2 }], pageParams: [undefined] };
  expect(mergeDevicePages(before, device('a', { deleted: true })).pages[0]).toEqual({ items: [device('b')], total: 1 });
  expect(mergeDevicePages(before, device('b', { reporting: 'silent' })).pages[0]!.items[1]!.reporting).toBe('silent');
  expect(mergeDevicePages(before, device('c'))).toBe(before);
});
