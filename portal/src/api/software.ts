/** What devices run, what is wrong with it, from which feeds that is known, and what the customer knows better. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { AdvisoryFeedOrder, SoftwarePage, VexRow, VulnerabilityFilters, VulnerabilityPage } from './types';

const kVulnerabilities = ['vulnerabilities'] as const;
const kFeeds = ['advisory-feeds'] as const;
const kVex = ['vex'] as const;
const kDeviceSoftware = ['device-software'] as const;
const kPageRows = 100;
const kSlowMs = 60_000;
const kFeedsMs = 5_000;

export function useSoftware(q: string) {
  return useInfiniteQuery({
    queryKey: ['software', q],
    queryFn: ({ pageParam, signal }): Promise<SoftwarePage> =>
      api.get('/sbom/components', { query: { q, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });
}

export function useDeviceSoftware(id: string) {
  return useQuery({
    queryKey: [...kDeviceSoftware, id],
    queryFn: ({ signal }) => api.get('/sbom/devices/{device_id}', { path: { device_id: id }, signal }),
    refetchInterval: kSlowMs,
  });
}

function useSoftwareChanged(): () => void {
  const client = useQueryClient();
  return () => {
    for (const queryKey of [kDeviceSoftware, ['software'], kVulnerabilities]) void client.invalidateQueries({ queryKey });
  };
}

export function useImportDocument(id: string) {
  const changed = useSoftwareChanged();
  return useMutation({
    mutationFn: ({ name, file }: { name: string; file: string | Blob }) =>
      api.put('/sbom/devices/{device_id}/documents/{name}', { path: { device_id: id, name }, raw: file }),
    onSuccess: changed,
  });
}

export function useRemoveDocument(id: string) {
  const changed = useSoftwareChanged();
  return useMutation({
    mutationFn: (name: string) => api.delete('/sbom/devices/{device_id}/documents/{name}', { path: { device_id: id, name } }),
    onSuccess: changed,
  });
}

/** Keeps the server's order: the most urgent first. */
export function useVulnerabilities(filters: VulnerabilityFilters) {
  return useInfiniteQuery({
    queryKey: [...kVulnerabilities, 'list', filters],
    queryFn: ({ pageParam, signal }): Promise<VulnerabilityPage> =>
      api.get('/vulnerabilities', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: kSlowMs,
    placeholderData: (previous) => previous,
  });
}

export function useVulnerability(id: string) {
  return useQuery({
    queryKey: [...kVulnerabilities, 'one', id],
    queryFn: ({ signal }) => api.get('/vulnerabilities/{id}', { path: { id }, query: { limit: 500 }, signal }),
  });
}

export function useDeviceVulnerabilities(device: string, all: boolean) {
  return useQuery({
    queryKey: [...kVulnerabilities, 'device', device, all],
    queryFn: ({ signal }) =>
      api.get('/devices/{device_id}/vulnerabilities', { path: { device_id: device }, query: { all: all || undefined }, signal }),
    placeholderData: (previous) => previous,
  });
}

/** Why a device is affected, or why not. */
export function useExplanation(device: string, id: string) {
  return useQuery({
    queryKey: [...kVulnerabilities, 'why', device, id],
    queryFn: ({ signal }) => api.get('/devices/{device_id}/vulnerabilities/{id}', { path: { device_id: device, id }, signal }),
    enabled: id !== '',
  });
}

export function useAdvisoryFeeds() {
  return useQuery({
    queryKey: kFeeds,
    queryFn: ({ signal }) => api.get('/advisory-feeds', { signal }),
    refetchInterval: kFeedsMs,
  });
}

function useFeedsChanged(): () => void {
  const client = useQueryClient();
  return () => {
    for (const queryKey of [kFeeds, kVulnerabilities]) void client.invalidateQueries({ queryKey });
  };
}

export function usePutAdvisoryFeed() {
  const changed = useFeedsChanged();
  return useMutation({
    mutationFn: ({ name, order }: { name: string; order: AdvisoryFeedOrder }) =>
      api.put('/advisory-feeds/{name}', { path: { name }, body: order }),
    onSuccess: changed,
  });
}

export function useRefreshAdvisoryFeed() {
  const changed = useFeedsChanged();
  return useMutation({
    mutationFn: ({ name, force }: { name: string; force: boolean }) =>
      api.post('/advisory-feeds/{name}/refresh', { path: { name }, query: { force: force || undefined } }),
    onSuccess: changed,
  });
}

export function useRemoveAdvisoryFeed() {
  const changed = useFeedsChanged();
  return useMutation({
    mutationFn: (name: string) => api.delete('/advisory-feeds/{name}', { path: { name } }),
    onSuccess: changed,
  });
}

/** Puts a file of this machine in force as a feed; its name says how to read it. */
export function useHandInAdvisories() {
  const changed = useFeedsChanged();
  return useMutation({
    mutationFn: ({ name, kind, file }: { name: string; kind: string; file: File }) =>
      api.put('/advisory-feeds/{name}/content', { path: { name }, query: { kind, file: file.name }, raw: file }),
    onSuccess: changed,
  });
}

export function useVex() {
  return useQuery({
    queryKey: kVex,
    // The contract leaves the rows open; these are their members.
    queryFn: async ({ signal }) => (await api.get('/vex', { signal })).items as unknown as VexRow[],
  });
}

export function useVexDocument(name: string) {
  return useQuery({
    queryKey: [...kVex, name],
    queryFn: ({ signal }): Promise<unknown> => api.get('/vex/{name}', { path: { name }, signal }),
    enabled: name !== '',
  });
}

function useVexChanged(): () => void {
  const client = useQueryClient();
  return () => {
    for (const queryKey of [kVex, kVulnerabilities]) void client.invalidateQueries({ queryKey });
  };
}

export function usePutVex() {
  const changed = useVexChanged();
  return useMutation({
    mutationFn: ({ name, document }: { name: string; document: string | Blob }) =>
      api.put('/vex/{name}', { path: { name }, raw: document }),
    onSuccess: changed,
  });
}

export function useRemoveVex() {
  const changed = useVexChanged();
  return useMutation({ mutationFn: (name: string) => api.delete('/vex/{name}', { path: { name } }), onSuccess: changed });
}
