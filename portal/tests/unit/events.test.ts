import { expect, test } from 'vitest';
import { eventsOf, preview } from '@/format/events';

test('the line of an event shows the best-known details, else the first ones', () => {
  expect(preview({ Zero: 0, CommandLine: 'id', UserName: '' })).toBe('CommandLine: id');
  expect(preview({ A: 1, B: { c: 2 }, C: null, D: 4 })).toBe('A: 1 · B: {"c":2} · C: ');
});

test('rows become events; those that retention took are named at the end', () => {
  const events = eventsOf({
    items: [
      {
        table: 'SecurityIoTRawEvent',
        IoTRawEventId: 'e1',
        TimeGenerated: '2026-11-22T12:00:00Z',
        RawEventName: 'Login',
        EventDetails: { UserName: 'root' },
      },
      { table: 'HubOperations', TimeGenerated: '2026-11-22T12:00:01Z', Kind: 'twin.update', Details: 'no object' },
    ],
    missing: ['e0'],
    query: '',
  });
  expect(events[0]).toEqual({ id: 'e1', time: '2026-11-22T12:00:00Z', name: 'Login', details: { UserName: 'root' } });
  expect(events[1]).toMatchObject({ name: 'twin.update', details: { Details: 'no object' } });
  expect(events[2]).toEqual({ id: 'e0' });
});
