/** The form of a security group: its rules as texts in fields, and back. Pure. */
import type { AllowRule, SecurityGroup, WindowRule } from '@/api/types';

export const kWindows = [
  ['PT5M', '5 minutes'],
  ['PT10M', '10 minutes'],
  ['PT15M', '15 minutes'],
  ['PT30M', '30 minutes'],
  ['PT1H', '1 hour'],
  ['PT2H', '2 hours'],
  ['PT6H', '6 hours'],
  ['PT12H', '12 hours'],
  ['P1D', '1 day'],
] as const;

export interface RuleForm {
  type: string;
  name: string;
  description: string;
  enabled: boolean;
  /** Of rules that count. */
  window?: { minimum: string; maximum: string; size: string };
  /** Of rules that list what is allowed, one a line. */
  values?: { text: string; networks: boolean };
}

const common = ({ ruleType, displayName, description, isEnabled }: WindowRule | AllowRule) => ({
  type: ruleType,
  name: displayName,
  description,
  enabled: isEnabled,
});

export function formOf({ properties }: SecurityGroup): RuleForm[] {
  return [
    ...properties.timeWindowRules.map((rule): RuleForm => ({
      ...common(rule),
      window: { minimum: String(rule.minThreshold), maximum: String(rule.maxThreshold), size: rule.timeWindowSize },
    })),
    ...properties.allowlistRules.map((rule): RuleForm => ({
      ...common(rule),
      values: { text: rule.allowlistValues.join('\n'), networks: rule.valueType === 'IpCidr' },
    })),
  ];
}

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** What is wrong with a rule; empty when nothing is. A rule that is off is not looked at: it does nothing. */
export function problemOf({ enabled, window, values }: RuleForm): string {
  if (!enabled) return '';
  if (window) {
    const whole = (text: string) => /^\d{1,12}$/.test(text.trim());
    if (!whole(window.minimum) || !whole(window.maximum)) return 'Both ends are whole numbers from 0.';
    if (Number(window.minimum) > Number(window.maximum)) return 'The smallest is above the largest.';
  }
  if (values?.networks) {
    const wrong = lines(values.text).find((line) => !/^[0-9a-f.:]+\/\d{1,3}$/i.test(line));
    if (wrong) return `${wrong} is no network such as 192.0.2.0/24.`;
  }
  return '';
}

/** The properties to send: rules of other kinds stay as they are. */
export function propertiesOf(rules: readonly RuleForm[], before: SecurityGroup): object {
  const off = (text: string) => (/^\d{1,12}$/.test(text.trim()) ? Number(text) : 0);
  return {
    ...before.properties,
    timeWindowRules: rules.flatMap(({ type, enabled, window }) => {
      if (!window) return [];
      const [minThreshold, maxThreshold] = [off(window.minimum), off(window.maximum)];
      return [
        {
          ruleType: type,
          isEnabled: enabled,
          minThreshold: Math.min(minThreshold, maxThreshold),
          maxThreshold,
          timeWindowSize: window.size,
        },
      ];
    }),
    allowlistRules: rules.flatMap(({ type, enabled, values }) =>
      values
        ? [{ ruleType: type, isEnabled: enabled, allowlistValues: enabled || !values.networks ? lines(values.text) : [] }]
        : [],
    ),
  };
}

/** How many rules of the group are on. */
export function rulesOn({ properties }: SecurityGroup): number {
  return [...properties.timeWindowRules, ...properties.allowlistRules].filter(({ isEnabled }) => isEnabled).length;
}
