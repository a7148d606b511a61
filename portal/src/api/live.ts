/**
 * Live updates: GET /events merged into the query cache. A merge shows a change at once; a refetch, at most one every
 * two seconds for each kind, then corrects what a merge cannot know (totals, order, filters on unseen fields).
 */
import type { QueryClient } from '@tanstack/react-query';
import { kDecided } from './incidents';
import { mergeAlertOverview, mergeAlertPages, mergeDevicePages, mergeStats } from './merge';
import { keys, type AlertPages, type DevicePages } from './queries';
import type { AlertChange, AlertFilters, Device, DeviceSummary, LiveStats, Overview } from './types';

export type LiveState = 'connecting' | 'live' | 'reconnecting';

export interface LiveListener {
  onState(state: LiveState): void;
  /** Changes of one batch, at most kBatchMs apart, in order. */
  onAlerts(changes: readonly AlertChange[]): void;
}

const kRefetchMs = 2_000;
const kReopenMs = 5_000;
/** A tab that nobody looks at gives its connection back: browsers have six for one server, all tabs together. */
const kHiddenMs = 60_000;
const kBatchMs = 50;
/** A burst beyond this many alerts in one batch is left to the refetch. */
const kBatchMax = 200;

/** Opens the stream and keeps it open until the returned function is called. */
export function startLive(client: QueryClient, listener: LiveListener): () => void {
  const refetch = new RefetchThrottle(client);
  let source: EventSource | undefined;
  let reopenTimer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  let batch: AlertChange[] = [];
  let batchTimer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    const changes = batch;
    batch = [];
    batchTimer = undefined;
    changes.slice(0, kBatchMax).forEach((change) => applyAlert(client, change));
    refetch.soon(keys.allAlerts, ...kDecided, ...(changes.length > kBatchMax ? [keys.overview] : []));
    listener.onAlerts(changes);
  };

  const open = (first: boolean) => {
    source = new EventSource('/api/v1/events');
    source.onopen = () => {
      listener.onState('live');
      // A stream that was opened anew cannot say what was missed; the browser's own retry can (Last-Event-ID).
      if (!first) void client.invalidateQueries();
    };
    source.onerror = () => {
      listener.onState('reconnecting');
      if (source?.readyState === EventSource.CLOSED && !stopped) reopenTimer = setTimeout(() => open(false), kReopenMs);
    };
    source.addEventListener('alert', (event) => {
      const change = JSON.parse(event.data) as AlertChange;
      batch.push(change);
      batchTimer ??= setTimeout(flush, kBatchMs);
      refetch.soon(keys.alert(change.alert.id), keys.device(change.alert.deviceId));
    });
    source.addEventListener('device', (event) => {
      applyDevice(client, JSON.parse(event.data) as DeviceSummary);
      refetch.soon(keys.allDevices);
    });
    source.addEventListener('stats', (event) => {
      const stats = JSON.parse(event.data) as LiveStats;
      client.setQueryData<Overview>(keys.overview, (old) => old && mergeStats(old, stats));
    });
    source.addEventListener('reset', () => void client.invalidateQueries());
  };

  let hideTimer: ReturnType<typeof setTimeout> | undefined;
  const onVisibility = () => {
    clearTimeout(hideTimer);
    if (document.hidden) {
      hideTimer = setTimeout(() => {
        clearTimeout(reopenTimer);
        source?.close();
        source = undefined;
      }, kHiddenMs);
    } else if (!source) {
      listener.onState('reconnecting');
      open(false);
    }
  };
  document.addEventListener('visibilitychange', onVisibility);

  listener.onState('connecting');
  open(true);
  return () => {
    stopped = true;
    document.removeEventListener('visibilitychange', onVisibility);
    clearTimeout(hideTimer);
    clearTimeout(reopenTimer);
    clearTimeout(batchTimer);
    refetch.stop();
    source?.close();
  };
}

function applyAlert(client: QueryClient, change: AlertChange): void {
  client.setQueryData<Overview>(keys.overview, (old) => old && mergeAlertOverview(old, change));
  for (const [key, pages] of client.getQueriesData<AlertPages>({ queryKey: keys.allAlerts })) {
    if (pages) client.setQueryData(key, mergeAlertPages(pages, (key[1] ?? {}) as AlertFilters, change));
  }
}

function applyDevice(client: QueryClient, device: DeviceSummary): void {
  for (const [key, pages] of client.getQueriesData<DevicePages>({ queryKey: keys.allDevices })) {
    if (pages) client.setQueryData(key, mergeDevicePages(pages, device));
  }
  if (device.deleted) return;
  client.setQueryData<Device>(keys.device(device.deviceId), (old) => old && { ...old, ...device });
}

/** Marks cached queries stale at most once in kRefetchMs each, always once after the last request. */
class RefetchThrottle {
  private readonly timers_ = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly client_: QueryClient) {}

  soon(...queryKeys: readonly (readonly unknown[])[]): void {
    for (const queryKey of queryKeys) {
      const name = JSON.stringify(queryKey);
      if (this.timers_.has(name) || this.client_.getQueryCache().findAll({ queryKey }).length === 0) continue;
      this.timers_.set(
        name,
        setTimeout(() => {
          this.timers_.delete(name);
          void this.client_.invalidateQueries({ queryKey });
        }, kRefetchMs),
      );
    }
  }

  stop(): void {
    this.timers_.forEach((timer) => clearTimeout(timer));
    this.timers_.clear();
  }
}
