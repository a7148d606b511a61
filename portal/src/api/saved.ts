/** Queries and functions that are kept, and queries that run. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { components } from './generated';

export type SavedQuery = components['schemas']['SavedQuery'];
export type RunningQuery = components['schemas']['RunningQuery'];
export type SavedKind = 'query' | 'function';

export interface SaveOrder {
  kind: SavedKind;
  name: string;
  text: string;
  category: string;
  description: string;
}

const key = (kind: SavedKind) => ['saved', kind] as const;

export function useSaved(kind: SavedKind) {
  return useQuery({
    queryKey: key(kind),
    queryFn: async ({ signal }) =>
      (kind === 'query' ? await api.get('/saved-queries', { signal }) : await api.get('/functions', { signal })).items,
  });
}

function useSavedChanged(): (kind: SavedKind) => void {
  const client = useQueryClient();
  return (kind) => {
    void client.invalidateQueries({ queryKey: key(kind) });
    // Functions are completed in the editor.
    if (kind === 'function') void client.invalidateQueries({ queryKey: ['schema'] });
  };
}

export function useSave() {
  const changed = useSavedChanged();
  return useMutation({
    mutationFn: ({ kind, name, ...body }: SaveOrder) =>
      kind === 'query'
        ? api.put('/saved-queries/{name}', { path: { name }, body })
        : api.put('/functions/{name}', { path: { name }, body }),
    onSuccess: (_, { kind }) => changed(kind),
  });
}

export function useRemoveSaved() {
  const changed = useSavedChanged();
  return useMutation({
    mutationFn: ({ kind, name }: { kind: SavedKind; name: string }) =>
      kind === 'query'
        ? api.delete('/saved-queries/{name}', { path: { name } })
        : api.delete('/functions/{name}', { path: { name } }),
    onSuccess: (_, { kind }) => changed(kind),
  });
}

const kRunningMs = 1_500;

export function useRunningQueries(enabled = true) {
  return useQuery({
    queryKey: ['running-queries'],
    queryFn: async ({ signal }) => (await api.get('/queries', { signal })).items,
    refetchInterval: kRunningMs,
    staleTime: 0,
    enabled,
  });
}

export function useCancelQuery() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete('/queries/{id}', { path: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['running-queries'] }),
  });
}
