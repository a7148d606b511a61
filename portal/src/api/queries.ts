/** The server's state as hooks. Keys live here so that live updates (live.ts) find what they change. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { api } from './client';
import type {
  Alert,
  AlertFilters,
  AlertPage,
  DeviceCreate,
  DeviceFilters,
  DevicePage,
  DeviceUpdate,
  QueryRequest,
  Triage,
} from './types';

export const keys = {
  overview: ['overview'] as const,
  alerts: (filters: AlertFilters) => ['alerts', filters] as const,
  allAlerts: ['alerts'] as const,
  alert: (id: string) => ['alert', id] as const,
  devices: (filters: DeviceFilters) => ['devices', filters] as const,
  allDevices: ['devices'] as const,
  device: (id: string) => ['device', id] as const,
  schema: ['schema'] as const,
  query: (request: QueryRequest) => ['query', request] as const,
};

export type AlertPages = InfiniteData<AlertPage, string | undefined>;
export type DevicePages = InfiniteData<DevicePage, string | undefined>;

const kPageRows = 100;

export function useOverview() {
  return useQuery({
    queryKey: keys.overview,
    queryFn: ({ signal }) => api.get('/overview', { signal }),
    refetchInterval: 60_000,
  });
}

export function useAlerts(filters: AlertFilters) {
  return useInfiniteQuery({
    queryKey: keys.alerts(filters),
    queryFn: ({ pageParam, signal }) =>
      api.get('/alerts', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });
}

export function useAlert(id: string) {
  return useQuery({ queryKey: keys.alert(id), queryFn: ({ signal }) => api.get('/alerts/{id}', { path: { id }, signal }) });
}

export function useTriage(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Triage) => api.patch('/alerts/{id}', { path: { id }, body }),
    onSuccess: (alert: Alert) => {
      client.setQueryData(keys.alert(id), alert);
      void client.invalidateQueries({ queryKey: keys.allAlerts });
      void client.invalidateQueries({ queryKey: keys.overview });
    },
  });
}

export function useDevices(filters: DeviceFilters) {
  return useInfiniteQuery({
    queryKey: keys.devices(filters),
    queryFn: ({ pageParam, signal }) =>
      api.get('/devices', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });
}

export function useDevice(id: string) {
  return useQuery({
    queryKey: keys.device(id),
    queryFn: ({ signal }) => api.get('/devices/{device_id}', { path: { device_id: id }, signal }),
  });
}

function useDevicesChanged(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: keys.allDevices });
    void client.invalidateQueries({ queryKey: keys.overview });
  };
}

export function useCreateDevice() {
  const changed = useDevicesChanged();
  return useMutation({ mutationFn: (body: DeviceCreate) => api.post('/devices', { body }), onSuccess: changed });
}

export function useUpdateDevice(id: string) {
  const client = useQueryClient();
  const changed = useDevicesChanged();
  return useMutation({
    mutationFn: (body: DeviceUpdate) => api.patch('/devices/{device_id}', { path: { device_id: id }, body }),
    onSuccess: (device) => {
      client.setQueryData(keys.device(id), device);
      changed();
    },
  });
}

export function useDeleteDevice(id: string) {
  const changed = useDevicesChanged();
  return useMutation({ mutationFn: () => api.delete('/devices/{device_id}', { path: { device_id: id } }), onSuccess: changed });
}

/** A key is shown once and not kept: reading it is an audited act, so it is a mutation and never cached. */
export function useConnectionString(id: string) {
  return useMutation({
    mutationFn: (module: string | undefined) =>
      api.get('/devices/{device_id}/connection-string', { path: { device_id: id }, query: { module } }),
  });
}

/** KQL that a page shows by itself (the Logs page runs its queries by hand, see pages/logs). */
export function useKql(request: QueryRequest, options: { enabled?: boolean; refetchInterval?: number } = {}) {
  return useQuery({
    queryKey: keys.query(request),
    queryFn: ({ signal }) => api.post('/query', { body: request, signal }),
    staleTime: 30_000,
    ...options,
  });
}

export function useWorkspaceSchema() {
  return useQuery({ queryKey: keys.schema, queryFn: ({ signal }) => api.get('/schema', { signal }), staleTime: 10 * 60_000 });
}
