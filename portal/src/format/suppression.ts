/** Suppression rules: made from an alert, shown as text. Pure. */
import type { Alert, SuppressionMatch, SuppressionRule } from '@/api/types';

/** One thing a rule can ask for, with the words of the alert it comes from. */
export interface Choosable {
  key: string;
  label: string;
  value: string;
  match: SuppressionMatch;
}

const kNoEntityMembers = new Set(['$id', '$ref', 'Type', 'Asset']);
const kValueMax = 512;

/** What of an alert a rule may name: device, type, rule, group, then its entities and fields. */
export function choosables(alert: Alert): Choosable[] {
  const out: Choosable[] = [{ key: 'type', label: 'Alert type', value: alert.alertType, match: { type: alert.alertType } }];
  if (alert.deviceId) out.push({ key: 'device', label: 'Device', value: alert.deviceId, match: { device: alert.deviceId } });
  if (alert.group) out.push({ key: 'group', label: 'Security group', value: alert.group, match: { group: alert.group } });
  if (alert.rule) out.push({ key: 'rule', label: 'Rule', value: alert.rule, match: { rule: alert.rule } });
  return out;
}

/** A rule names at most one entity and at most one field, so these are chosen one of each. */
export function entityChoices(alert: Alert): Choosable[] {
  const seen = new Map<string, Choosable>();
  for (const entity of alert.entities) {
    const type = typeof entity.Type === 'string' ? entity.Type : '';
    if (!type || type === 'host') continue;
    for (const [name, value] of Object.entries(entity)) {
      if (kNoEntityMembers.has(name) || typeof value !== 'string' || value === '' || value.length > kValueMax) continue;
      const key = `${type}\n${value}`;
      if (!seen.has(key)) seen.set(key, { key, label: type, value, match: { entity: { type, value } } });
    }
  }
  return [...seen.values()];
}

export function fieldChoices(alert: Alert): Choosable[] {
  return Object.entries(alert.extendedProperties)
    .filter(([name, value]) => name !== 'DeviceId' && value !== '' && value.length <= kValueMax)
    .map(([name, value]) => ({ key: name, label: name, value, match: { field: { name, value } } }));
}

/** `type IoT_X, device press-*, field CommandLine = /opt/backup *`. */
export function matchText({ type, rule, device, group, entity, field }: SuppressionMatch): string {
  return [
    type && `type ${type}`,
    rule && `rule ${rule}`,
    device && `device ${device}`,
    group && `group ${group}`,
    entity?.value && `${entity.type || 'entity'} ${entity.value}`,
    field?.name && `${field.name} = ${field.value ?? ''}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** True when the rule would say nothing: the server refuses it. */
export function matchesAll({ type, rule, device, group, entity, field }: SuppressionMatch): boolean {
  const empty = (text: string | undefined) => !text?.trim() || text.trim() === '*';
  return [type, rule, device, group, entity?.value].every(empty) && !field?.name?.trim();
}

/** Members without a text are left out. */
export function tidyMatch(match: SuppressionMatch): SuppressionMatch {
  const out: SuppressionMatch = {};
  for (const name of ['type', 'rule', 'device', 'group'] as const) {
    const value = match[name]?.trim();
    if (value) out[name] = value;
  }
  const entity = { type: match.entity?.type?.trim() ?? '', value: match.entity?.value?.trim() ?? '' };
  if (entity.value) out.entity = entity.type ? entity : { value: entity.value };
  const field = { name: match.field?.name?.trim() ?? '', value: match.field?.value ?? '' };
  if (field.name && field.value) out.field = field;
  return out;
}

export type SuppressionState = 'On' | 'Off' | 'Expired';
export function stateOf({ enabled = true, expired }: Pick<SuppressionRule, 'enabled'> & { expired: boolean }): SuppressionState {
  if (expired) return 'Expired';
  return enabled ? 'On' : 'Off';
}

/** An id that the address can hold: lower case letters, digits and dashes of a name. */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 64);
}
