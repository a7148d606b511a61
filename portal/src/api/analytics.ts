/** Scheduled analytics rules: list, one with its runs, import, switch, trial over history. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { components } from './generated';

export type AnalyticsRule = components['schemas']['AnalyticsRule'];
export type AnalyticsRun = NonNullable<AnalyticsRule['runs']>[number];

export interface TrialRun {
  windowStart: string;
  windowEnd: string;
  rows: number;
  outcome: 'fired' | 'quiet' | 'suppressed' | 'failed';
  message?: string;
  alerts: { name: string; severity: string; description: string; deviceId: string; rows: number }[];
}
export interface Trial {
  runs: TrialRun[];
  alerts: number;
}

const kRules = ['analytics-rules'] as const;
/** Rules run by themselves: their next and last times change without anybody's doing. */
const kRefreshMs = 30_000;

export function useAnalyticsRules() {
  return useQuery({
    queryKey: kRules,
    queryFn: async ({ signal }) => (await api.get('/analytics-rules', { signal })).items,
    refetchInterval: kRefreshMs,
  });
}

export function useAnalyticsRule(id: string) {
  return useQuery({
    queryKey: [...kRules, id],
    queryFn: ({ signal }) => api.get('/analytics-rules/{id}', { path: { id }, signal }),
    refetchInterval: kRefreshMs,
  });
}

function useChanged(): () => Promise<void> {
  const client = useQueryClient();
  // The promise keeps a change pending until the rules are here as it left them.
  return () => client.invalidateQueries({ queryKey: kRules });
}

export function useImportAnalyticsRules() {
  const changed = useChanged();
  return useMutation({
    // The server tells YAML from JSON by itself; the type of the contract for files is YAML.
    mutationFn: (file: string) =>
      api.post('/analytics-rules', { yaml: file } as unknown as Parameters<typeof api.post<'/analytics-rules'>>[1]),
    onSuccess: changed,
  });
}

export function useSwitchAnalyticsRule(id: string) {
  const changed = useChanged();
  return useMutation({
    scope: { id: `analytics-rule ${id}` },
    mutationFn: (enabled: boolean) => api.patch('/analytics-rules/{id}', { path: { id }, body: { enabled } }),
    onSuccess: changed,
  });
}

export function useRemoveAnalyticsRule() {
  const changed = useChanged();
  return useMutation({ mutationFn: (id: string) => api.delete('/analytics-rules/{id}', { path: { id } }), onSuccess: changed });
}

export function useTrial() {
  return useMutation({
    mutationFn: async (order: { id?: string; rule?: string; timespan: string }) =>
      (await api.post('/analytics-rules/trials', { body: order })) as unknown as Trial,
  });
}
