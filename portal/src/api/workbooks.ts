/** Workbooks of the server, and their queries: the server puts the values of parameters into them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { components } from './generated';

export type WorkbookSummary = components['schemas']['WorkbookSummary'];
export type WorkbookCheck = components['schemas']['WorkbookCheck'];
export type WorkbookNote = components['schemas']['WorkbookNote'];
export type Workbook = components['schemas']['Workbook'];

const kList = ['workbooks'] as const;
const one = (name: string) => ['workbook', name] as const;

export function useWorkbooks() {
  return useQuery({ queryKey: kList, queryFn: async ({ signal }) => (await api.get('/workbooks', { signal })).items });
}

export function useWorkbook(name: string) {
  return useQuery({
    queryKey: one(name),
    queryFn: ({ signal }) => api.get('/workbooks/{name}', { path: { name }, signal }),
    staleTime: 60_000,
  });
}

/** The server runs three queries of a user at once and refuses the seventh: a page of twenty waits here. */
const kAtOnce = 3;
let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (running >= kAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

export function useWorkbookRun(name: string, path: string, values: Record<string, unknown>, enabled: boolean) {
  return useQuery({
    queryKey: ['workbook-run', name, path, values] as const,
    queryFn: ({ signal }) =>
      inTurn(signal, () =>
        api.post('/workbooks/{name}/run', { path: { name }, body: { path, values, max_rows: 5_000 }, signal }),
      ),
    enabled,
    staleTime: 30_000,
    placeholderData: (previous) => previous,
  });
}

function useChanged(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: kList });
    void client.invalidateQueries({ queryKey: ['workbook'] });
    void client.invalidateQueries({ queryKey: ['workbook-run'] });
  };
}

export function useImportWorkbooks() {
  const changed = useChanged();
  return useMutation({
    mutationFn: ({ name, file }: { name: string; file: Record<string, never> }) =>
      api.post('/workbooks', { query: { name }, body: file }),
    onSuccess: changed,
  });
}

export function useRemoveWorkbook() {
  const changed = useChanged();
  return useMutation({ mutationFn: (name: string) => api.delete('/workbooks/{name}', { path: { name } }), onSuccess: changed });
}
