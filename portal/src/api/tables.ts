/** What the workspace holds, and how long it is kept. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { components } from './generated';

export type StoredTable = components['schemas']['StoredTable'];
export type DamagedFile = components['schemas']['DamagedFile'];
export interface Retention {
  days: number;
  archiveDays: number;
}

const kTables = ['tables'] as const;

export function useTables() {
  return useQuery({ queryKey: kTables, queryFn: ({ signal }) => api.get('/workspace/tables', { signal }) });
}

/** `retention` undefined: as the server's settings say. */
export function useSetRetention(table: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (retention: Retention | undefined) =>
      retention
        ? api.put('/workspace/tables/{table}/retention', { path: { table }, body: retention })
        : api.delete('/workspace/tables/{table}/retention', { path: { table } }),
    onSuccess: () => client.invalidateQueries({ queryKey: kTables }),
  });
}
