// @ts-check
/** Device security groups of the made-up server, with a few of the 19 rules. */
import { missing, ok, refused } from './answers.mjs';

const kWindowRules = [
  ['MqttD2CMessagesNotInAllowedRange', 'Number of device to cloud messages (MQTT protocol) is not in allowed range'],
  ['FailedLocalLoginsNotInAllowedRange', 'Number of failed local logins is not in allowed range'],
];
const kAllowRules = [
  ['ConnectionToIpNotAllowed', "Outbound connection to an IP address that isn't allowed", 'IpCidr'],
  ['ProcessNotAllowed', "Execution of a process that isn't allowed", 'String'],
];

/** @param {string} name @param {any} [given] */
const resource = (name, given = {}) => ({
  id: `/hub/providers/Microsoft.Security/deviceSecurityGroups/${name}`,
  name,
  type: 'Microsoft.Security/deviceSecurityGroups',
  properties: {
    thresholdRules: given.thresholdRules ?? [],
    timeWindowRules: kWindowRules.map(([ruleType, displayName]) => ({
      ...{ displayName, description: 'Fires when the number in a window is outside the range.', ruleType },
      ...{ isEnabled: false, minThreshold: 0, maxThreshold: 0, timeWindowSize: 'PT15M' },
      ...given.timeWindowRules?.find((/** @type {any} */ rule) => rule.ruleType === ruleType),
    })),
    allowlistRules: kAllowRules.map(([ruleType, displayName, valueType]) => ({
      ...{ displayName, description: 'Fires when something that is not listed happens.', ruleType },
      ...{ isEnabled: false, valueType, allowlistValues: [] },
      ...given.allowlistRules?.find((/** @type {any} */ rule) => rule.ruleType === ruleType),
    })),
    denylistRules: given.denylistRules ?? [],
  },
});

/** @type {Map<string, ReturnType<typeof resource>>} */
const groups = new Map([
  [
    'line-2',
    resource('line-2', {
      timeWindowRules: [
        {
          ruleType: 'FailedLocalLoginsNotInAllowedRange',
          isEnabled: true,
          minThreshold: 0,
          maxThreshold: 5,
          timeWindowSize: 'PT1H',
        },
      ],
    }),
  ],
]);

/** @type {import('./parts.mjs').Part} */
export function askGroups(method, [area, name = ''], _query, body) {
  if (area !== 'security-groups') return undefined;
  if (method === 'GET') return name ? ok(groups.get(name) ?? resource(name)) : ok({ value: [...groups.values()] });
  if (method === 'PUT') {
    const { properties } = typeof body === 'string' ? JSON.parse(body) : body;
    const wrong = properties.timeWindowRules.find((/** @type {any} */ rule) => rule.minThreshold > rule.maxThreshold);
    if (wrong) return refused('security_group.threshold', `${wrong.ruleType}: minThreshold is above maxThreshold`);
    const made = !groups.has(name);
    groups.set(name, resource(name, properties));
    return ok(groups.get(name), made ? 201 : 200);
  }
  return groups.delete(name) ? ok() : missing('group');
}
