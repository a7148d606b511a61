/** Threat intelligence in words, and the form of a feed as the settings that the server takes. Pure. */
import type { FeedOrder, FeedSettings, IndicatorKind, IntelligenceFeed } from '@/api/types';
import { kqlString } from './kql';

const kKinds: Record<IndicatorKind, string> = {
  ipv4: 'IPv4 address',
  ipv6: 'IPv6 address',
  network4: 'IPv4 network',
  network6: 'IPv6 network',
  endpoint4: 'IPv4 address and port',
  endpoint6: 'IPv6 address and port',
  domain: 'Name',
  url: 'URL',
  url_path: 'URL path',
  sha256: 'SHA-256',
  sha1: 'SHA-1',
  md5: 'MD5',
  certificate_sha1: 'Certificate, SHA-1',
  certificate_sha256: 'Certificate, SHA-256',
  ja3: 'JA3',
  ja3s: 'JA3S',
  ja4: 'JA4',
  exact_domain: 'Name, exactly',
};
export const indicatorKindText = (kind: string): string => kKinds[kind as IndicatorKind] ?? kind;

/** What each kind holds in a set, those with any first, largest first. */
export function kindsOf(byKind: Readonly<Record<string, number>>): (readonly [string, number])[] {
  return Object.entries(byKind)
    .filter(([, number]) => number > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([kind, number]) => [indicatorKindText(kind), number] as const);
}

export type FeedState = 'Off' | 'Failed' | 'Waiting' | 'Good';
export function feedState({ settings, fault, read }: Pick<IntelligenceFeed, 'settings' | 'fault' | 'read'>): FeedState {
  if (settings.enabled === false) return 'Off';
  if (fault) return 'Failed';
  return read ? 'Good' : 'Waiting';
}

export function scheduleText({ source, intervalMinutes = 0 }: Pick<FeedSettings, 'source' | 'intervalMinutes'>): string {
  if (!source) return 'handed in';
  if (intervalMinutes <= 0) return 'on request';
  if (intervalMinutes % 1440 === 0) return intervalMinutes === 1440 ? 'every day' : `every ${intervalMinutes / 1440} days`;
  if (intervalMinutes % 60 === 0) return intervalMinutes === 60 ? 'every hour' : `every ${intervalMinutes / 60} hours`;
  return `every ${intervalMinutes} minutes`;
}

/** The form of a feed: every field as the text in it. */
export interface FeedForm {
  name: string;
  source: string;
  transport: NonNullable<FeedSettings['transport']>;
  format: NonNullable<FeedSettings['format']>;
  collection: string;
  intervalMinutes: string;
  confidence: string;
  lifeDays: string;
  decay: NonNullable<FeedSettings['decay']>;
  licence: string;
  reference: string;
  threat: string;
  user: string;
  authHeader: string;
  secret: string;
  enabled: boolean;
}

export function formOf(feed: IntelligenceFeed | undefined): FeedForm {
  const settings = feed?.settings ?? ({} as FeedSettings);
  return {
    name: feed?.name ?? '',
    source: settings.source ?? '',
    transport: settings.transport ?? 'document',
    format: settings.format ?? 'auto',
    collection: settings.collection ?? '',
    intervalMinutes: String(settings.intervalMinutes ?? (feed ? 0 : 360)),
    confidence: String(settings.confidence ?? 70),
    lifeDays: String(settings.lifeDays ?? 90),
    decay: settings.decay ?? 'none',
    licence: settings.licence ?? '',
    reference: settings.reference ?? '',
    threat: settings.threat ?? '',
    user: settings.user ?? '',
    authHeader: settings.authHeader ?? '',
    secret: '',
    enabled: settings.enabled ?? true,
  };
}

const whole = (text: string, min: number, max: number): boolean =>
  /^\d{1,6}$/.test(text.trim()) && Number(text) >= min && Number(text) <= max;

/** What is wrong with a field, by its name; nothing when the server may be asked. */
export function problemsOf(form: FeedForm): Partial<Record<keyof FeedForm, string>> {
  const out: Partial<Record<keyof FeedForm, string>> = {};
  if (!/^[a-z0-9_-][a-z0-9._-]{0,63}$/.test(form.name)) out.name = 'Lower case letters, digits, dashes, dots; at most 64.';
  if (form.source && !/^(https?:\/\/|\/)/.test(form.source.trim()))
    out.source = 'An http or https address, or a path from the root.';
  if (!whole(form.intervalMinutes, 0, 525_600) || [1, 2, 3, 4].includes(Number(form.intervalMinutes)))
    out.intervalMinutes = '0, or 5 and more.';
  if (!whole(form.confidence, 1, 100)) out.confidence = '1 to 100.';
  if (!whole(form.lifeDays, 0, 3650)) out.lifeDays = '0 to 3650.';
  return out;
}

/** The settings to send: those of the feed that the form does not show stay. An empty secret stays what it is. */
export function orderOf(form: FeedForm, before: FeedSettings | undefined): FeedOrder {
  const { name: _, secret, intervalMinutes, confidence, lifeDays, ...texts } = form;
  const trimmed = Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, typeof value === 'string' ? value.trim() : value]),
  );
  return {
    ...before,
    ...trimmed,
    intervalMinutes: Number(intervalMinutes),
    confidence: Number(confidence),
    lifeDays: Number(lifeDays),
    ...(secret ? { secret } : {}),
  } as FeedOrder;
}

/** Alerts that retro-hunts gave. */
export const kRetroAlertsQuery = `SecurityAlert
| where ExtendedProperties contains ${kqlString('retro-hunt over the stored events')}
| summarize arg_max(TimeGenerated, *) by SystemAlertId
| sort by TimeGenerated desc`;
