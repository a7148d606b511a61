import { expect, test } from 'vitest';
import type { SecurityGroup } from '@/api/types';
import { formOf, problemOf, propertiesOf, rulesOn, type RuleForm } from '@/format/groups';

const about = { displayName: 'A rule', description: 'What it is for' };
const group: SecurityGroup = {
  id: '/x',
  name: 'line-2',
  properties: {
    timeWindowRules: [
      { ...about, ruleType: 'Logins', isEnabled: true, minThreshold: 0, maxThreshold: 5, timeWindowSize: 'PT1H' },
      { ...about, ruleType: 'Messages', isEnabled: false, minThreshold: 0, maxThreshold: 0, timeWindowSize: 'PT15M' },
    ],
    allowlistRules: [
      {
        ...about,
        ruleType: 'Networks',
        isEnabled: false,
        valueType: 'IpCidr',
        allowlistValues: ['192.0.2.0/24', '2001:db8::/32'],
      },
      { ...about, ruleType: 'Programs', isEnabled: true, valueType: 'String', allowlistValues: ['/usr/bin/plc'] },
    ],
    denylistRules: [{ ruleType: 'kept' }],
    thresholdRules: [],
  },
};
const rule = (type: string, change: Partial<RuleForm> = {}) => ({
  ...formOf(group).find((one) => one.type === type)!,
  ...change,
});

test('what nobody touches is sent back as it was, rules of other kinds too', () => {
  const sent = propertiesOf(formOf(group), group) as typeof group.properties;
  expect(sent.timeWindowRules[0]).toMatchObject({ ruleType: 'Logins', isEnabled: true, maxThreshold: 5, timeWindowSize: 'PT1H' });
  expect(sent.allowlistRules[1]).toMatchObject({ ruleType: 'Programs', allowlistValues: ['/usr/bin/plc'] });
  expect(sent.denylistRules).toEqual([{ ruleType: 'kept' }]);
});

test('a rule that is on must make sense; one that is off may be half written', () => {
  expect(problemOf(rule('Logins', { window: { minimum: '6', maximum: '5', size: 'PT1H' } }))).toContain('above');
  expect(problemOf(rule('Logins', { window: { minimum: '', maximum: '5', size: 'PT1H' } }))).not.toBe('');
  expect(problemOf(rule('Logins', { enabled: false, window: { minimum: '', maximum: '', size: 'PT1H' } }))).toBe('');
  expect(problemOf(rule('Networks', { enabled: true, values: { text: '192.0.2.7', networks: true } }))).toContain('192.0.2.7');
  expect(problemOf(rule('Networks', { enabled: true, values: { text: ' 192.0.2.0/24 \n\n', networks: true } }))).toBe('');
  expect(problemOf(rule('Programs', { values: { text: 'anything at all', networks: false } }))).toBe('');
});

test('a half-written rule that is off is sent so that the server takes it', () => {
  const half = rule('Messages', { window: { minimum: '9', maximum: '', size: 'PT15M' } });
  const sent = propertiesOf(
    [half, rule('Networks', { values: { text: 'nonsense', networks: true } })],
    group,
  ) as typeof group.properties;
  expect(sent.timeWindowRules[0]).toMatchObject({ isEnabled: false, minThreshold: 0, maxThreshold: 0 });
  expect(sent.allowlistRules[0]).toMatchObject({ isEnabled: false, allowlistValues: [] });
});

test('rules that are on are counted over both kinds', () => {
  expect(rulesOn(group)).toBe(2);
});
