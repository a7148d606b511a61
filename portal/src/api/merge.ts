/** How one live update changes what is already on the screen. Pure: old data in, new data out. */
import { isOpen } from '@/format/severity';
import type { AlertPages, DevicePages } from './queries';
import type { AlertChange, AlertFilters, AlertSummary, DeviceSummary, LiveStats, Overview } from './types';

const kNewestMax = 10;
const kMinutesMax = 60;

/** True when the list with these filters would hold this alert. Mirrors GET /alerts. */
export function matches(alert: AlertSummary, filters: AlertFilters): boolean {
  const { status, severity, device, type, since, until, owner, classification, suppressedBy, q } = filters;
  if (status && status.length > 0 && !status.includes(alert.status)) return false;
  if (severity && severity.length > 0 && !severity.includes(alert.severity)) return false;
  if (device && device !== alert.deviceId) return false;
  if (type && type.toLowerCase() !== alert.alertType.toLowerCase()) return false;
  if (since && Date.parse(alert.startTime) < Date.parse(since)) return false;
  if (until && Date.parse(alert.startTime) >= Date.parse(until)) return false;
  if (owner && owner !== alert.owner) return false;
  if (classification && classification !== alert.classification) return false;
  if (suppressedBy && suppressedBy !== alert.suppressedBy) return false;
  // The description is not part of a summary: a hit there shows up with the refetch that follows.
  if (
    q &&
    ![alert.displayName, alert.compromisedEntity, alert.deviceId].some((text) => text.toLowerCase().includes(q.toLowerCase()))
  )
    return false;
  return true;
}

/** Replaces the alert where it stands; puts a new one on top when the list is newest first. */
export function mergeAlertPages(pages: AlertPages, filters: AlertFilters, { alert }: AlertChange): AlertPages {
  const fits = matches(alert, filters);
  const known = pages.pages.some((page) => page.items.some((item) => item.id === alert.id));
  if (known) {
    const delta = fits ? 0 : -1;
    return {
      ...pages,
      pages: pages.pages.map((page) => ({
        ...page,
        total: page.total + delta,
        items: fits
          ? page.items.map((item) => (item.id === alert.id ? alert : item))
          : page.items.filter((item) => item.id !== alert.id),
      })),
    };
  }
  const newestFirst = (filters.sort ?? '-startTime') === '-startTime';
  // Which incidents it is in is not part of a summary either.
  if (!fits || !newestFirst || filters.incident) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page, index) => ({
      ...page,
      total: page.total + 1,
      items: index === 0 ? insertByStart(page.items, alert) : page.items,
    })),
  };
}

/** An old alert that became visible again (reopened) is not the newest, so it goes where its start time puts it. */
function insertByStart(items: readonly AlertSummary[], alert: AlertSummary): AlertSummary[] {
  const start = Date.parse(alert.startTime);
  const at = items.findIndex((item) => Date.parse(item.startTime) <= start);
  return at < 0 ? [...items, alert] : [...items.slice(0, at), alert, ...items.slice(at)];
}

export function mergeAlertOverview(overview: Overview, { change, alert }: AlertChange): Overview {
  const { newest, open_by_severity } = overview.alerts;
  const known = newest.some((item) => item.id === alert.id);
  const merged = known
    ? newest.map((item) => (item.id === alert.id ? alert : item))
    : insertByStart(newest, alert).slice(0, kNewestMax);
  // Only a raise is sure to add one; other changes are counted by the next `stats`.
  const opened = change === 'raised' && !known && isOpen(alert.status);
  return {
    ...overview,
    alerts: {
      newest: merged,
      open_by_severity: opened
        ? { ...open_by_severity, [alert.severity]: open_by_severity[alert.severity] + 1 }
        : open_by_severity,
    },
  };
}

export function mergeStats(overview: Overview, stats: LiveStats): Overview {
  const minutes = overview.events_per_minute.filter((entry) => Date.parse(entry.start) < Date.parse(stats.minute.start));
  return {
    ...overview,
    generated_at: stats.time,
    devices: stats.devices,
    pipeline: stats.pipeline,
    dead_letters: stats.dead_letters,
    events_per_minute: [...minutes, stats.minute].slice(-kMinutesMax),
    alerts: { ...overview.alerts, open_by_severity: stats.open_by_severity },
  };
}

/** Changes or removes a listed device; a new one is left to the refetch, which knows filters and order. */
export function mergeDevicePages(pages: DevicePages, device: DeviceSummary): DevicePages {
  const known = pages.pages.some((page) => page.items.some((item) => item.deviceId === device.deviceId));
  if (!known) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page) => ({
      ...page,
      total: device.deleted ? page.total - 1 : page.total,
      items: device.deleted
        ? page.items.filter((item) => item.deviceId !== device.deviceId)
        : page.items.map((item) => (item.deviceId === device.deviceId ? device : item)),
    })),
  };
}
