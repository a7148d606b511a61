import { expect, test } from 'vitest';
import type { Alert } from '@/api/types';
import { entityChoices, fieldChoices, matchesAll, matchText, slugOf, stateOf, tidyMatch } from '@/format/suppression';

const alert = {
  entities: [
    { $id: '1', Type: 'host', HostName: 'press-17' },
    { $id: '2', Type: 'ip', Address: '203.0.113.77', Asset: false },
    { $id: '3', Type: 'ip', Address: '203.0.113.77' },
    { $id: '4', Type: 'file', Name: 'x', FileHashes: [{ $ref: '5' }], Path: 'y'.repeat(600) },
    { Name: 'nothing says what this is' },
  ],
  extendedProperties: { DeviceId: 'press-17', CommandLine: '/opt/backup --all', Empty: '', Long: 'z'.repeat(600) },
} as unknown as Alert;

test('what an alert offers to a rule are its entities and properties, each once, none that the rule could not hold', () => {
  expect(entityChoices(alert).map(({ match }) => match.entity)).toEqual([
    { type: 'ip', value: '203.0.113.77' },
    { type: 'file', value: 'x' },
  ]);
  expect(fieldChoices(alert).map(({ match }) => match.field)).toEqual([{ name: 'CommandLine', value: '/opt/backup --all' }]);
});

test('a rule is told in one line', () => {
  expect(matchText({ type: 'IoT_EgressData', device: 'press-*', field: { name: 'CommandLine', value: '/opt/backup *' } })).toBe(
    'type IoT_EgressData, device press-*, CommandLine = /opt/backup *',
  );
  expect(matchText({ entity: { type: 'ip', value: '192.0.2.*' } })).toBe('ip 192.0.2.*');
  expect(matchText({ entity: { value: 'root' } })).toBe('entity root');
  expect(matchText({})).toBe('');
});

test('a rule that would match everything is known as such', () => {
  expect(matchesAll({})).toBe(true);
  expect(matchesAll({ device: ' * ', entity: { type: 'ip' } })).toBe(true);
  expect(matchesAll({ device: 'press-*' })).toBe(false);
  expect(matchesAll({ field: { name: 'CommandLine', value: '*' } })).toBe(false);
});

test('members without a text are not sent, and a property keeps its white space', () => {
  expect(
    tidyMatch({ type: ' IoT_X ', device: '', entity: { type: 'ip', value: ' ' }, field: { name: ' A ', value: ' b ' } }),
  ).toEqual({ type: 'IoT_X', field: { name: 'A', value: ' b ' } });
  expect(tidyMatch({ entity: { type: '', value: 'root' } })).toEqual({ entity: { value: 'root' } });
  expect(tidyMatch({ field: { name: 'A', value: '' } })).toEqual({});
});

test('an expired rule is not on', () => {
  expect(stateOf({ expired: false })).toBe('On');
  expect(stateOf({ enabled: false, expired: false })).toBe('Off');
  expect(stateOf({ enabled: true, expired: true })).toBe('Expired');
});

test('a name becomes an id that an address can hold', () => {
  expect(slugOf('IoT_X on Press 17/ä')).toBe('iot_x-on-press-17');
  expect(slugOf('../..')).toBe('');
  expect(slugOf('a'.repeat(100))).toHaveLength(64);
});
