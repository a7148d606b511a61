/** What people decide about: groups of alerts, incidents, suppression rules. Live updates refetch them by `kDecided`. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { keys } from './queries';
import type {
  Alert,
  AlertGroupFilters,
  AlertGroupPage,
  AlertGroupTriage,
  IncidentDetail,
  IncidentFilters,
  IncidentPage,
  IncidentTriage,
  RawEvents,
  SuppressionRule,
} from './types';

const kGroups = ['alert-groups'] as const;
const kIncidents = ['incidents'] as const;
const kIncident = ['incident'] as const;
const kSuppressions = ['suppressions'] as const;
/** What an alert that is raised or decided changes besides itself. */
export const kDecided = [kGroups, kIncidents, kIncident] as const;

const kPageRows = 100;
const kSlowMs = 60_000;

export function useAlertGroups(filters: AlertGroupFilters) {
  return useInfiniteQuery({
    queryKey: [...kGroups, filters],
    queryFn: ({ pageParam, signal }): Promise<AlertGroupPage> =>
      api.get('/alert-groups', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });
}

/** Alerts, their groups and incidents are asked for again. */
export function useAlertsDecided(): () => void {
  const client = useQueryClient();
  return () => {
    for (const queryKey of [keys.allAlerts, ['alert'], keys.overview, ...kDecided]) void client.invalidateQueries({ queryKey });
  };
}

export function useTriageGroup() {
  const decided = useAlertsDecided();
  return useMutation({
    mutationFn: (body: AlertGroupTriage) => api.post('/alert-groups/triage', { body: { status: 'Dismissed', ...body } }),
    onSuccess: decided,
  });
}

export function useUndoAlert(id: string) {
  const client = useQueryClient();
  const decided = useAlertsDecided();
  return useMutation({
    mutationFn: (): Promise<Alert> => api.post('/alerts/{id}/undo', { path: { id } }),
    onSuccess: (alert) => {
      client.setQueryData(keys.alert(id), alert);
      decided();
    },
  });
}

/** The raw events behind an alert, with all their columns. */
export function useAlertEvents(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ['alert-events', id],
    queryFn: ({ signal }): Promise<RawEvents> => api.get('/alerts/{id}/events', { path: { id }, signal }),
    enabled,
  });
}

export function useIncidents(filters: IncidentFilters) {
  return useInfiniteQuery({
    queryKey: [...kIncidents, filters],
    queryFn: ({ pageParam, signal }): Promise<IncidentPage> =>
      api.get('/incidents', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: kSlowMs,
    placeholderData: (previous) => previous,
  });
}

export function useIncident(id: string) {
  return useQuery({
    queryKey: [...kIncident, id],
    queryFn: ({ signal }): Promise<IncidentDetail> => api.get('/incidents/{id}', { path: { id }, signal }),
    refetchInterval: kSlowMs,
  });
}

export function useTriageIncident(id: string) {
  const client = useQueryClient();
  const decided = useAlertsDecided();
  return useMutation({
    mutationFn: (body: IncidentTriage): Promise<IncidentDetail> => api.patch('/incidents/{id}', { path: { id }, body }),
    onSuccess: (incident) => {
      client.setQueryData([...kIncident, id], incident);
      decided();
    },
  });
}

export function useIncidentEvents(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ['incident-events', id],
    queryFn: ({ signal }): Promise<RawEvents> => api.get('/incidents/{id}/events', { path: { id }, signal }),
    enabled,
  });
}

export function useSuppressions() {
  return useQuery({
    queryKey: kSuppressions,
    queryFn: async ({ signal }) => (await api.get('/suppressions', { signal })).items,
    refetchInterval: kSlowMs,
  });
}

function useSuppressionsChanged(): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: kSuppressions });
}

export function usePutSuppression() {
  const changed = useSuppressionsChanged();
  return useMutation({
    mutationFn: ({ id, rule }: { id: string; rule: SuppressionRule }) =>
      api.put('/suppressions/{id}', { path: { id }, body: rule }),
    onSuccess: changed,
  });
}

export function useRemoveSuppression() {
  const changed = useSuppressionsChanged();
  return useMutation({ mutationFn: (id: string) => api.delete('/suppressions/{id}', { path: { id } }), onSuccess: changed });
}
