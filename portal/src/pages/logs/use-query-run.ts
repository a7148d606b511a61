/** One query at a time: run, cancel, result or error with its place in the editor's text. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, ApiError } from '@/api/client';
import type { QueryResult } from '@/api/types';
import type { QueryBlock } from './query-block';

export interface QueryError {
  message: string;
  code: string;
  /** In the editor's whole text. */
  span?: { start: number; length: number };
}

export type RunState =
  { kind: 'idle' } | { kind: 'running' } | { kind: 'done'; result: QueryResult } | { kind: 'failed'; error: QueryError };

const kRowsMax = 10_000;

function toQueryError(error: unknown, start: number): QueryError {
  if (!(error instanceof ApiError)) return { message: String(error), code: 'unexpected' };
  const span = error.span && { start: error.span.start + start, length: Math.max(1, error.span.length) };
  return { message: error.message, code: error.code, span };
}

export function useQueryRun() {
  const [state, setState] = useState<RunState>({ kind: 'idle' });
  const running = useRef<AbortController>(undefined);

  const run = useCallback(async (block: QueryBlock, timespan: string) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState({ kind: 'running' });
    try {
      const body = { query: block.text, max_rows: kRowsMax, ...(timespan ? { timespan } : {}) };
      const result = await api.post('/query', { body, signal: controller.signal });
      if (running.current === controller) setState({ kind: 'done', result });
    } catch (error) {
      if (running.current === controller && !controller.signal.aborted)
        setState({ kind: 'failed', error: toQueryError(error, block.start) });
    }
  }, []);

  const cancel = useCallback(() => {
    running.current?.abort();
    running.current = undefined;
    setState({ kind: 'idle' });
  }, []);

  /** The text changed, so the place of an old error is no longer true. */
  const forgetError = useCallback(() => setState((old) => (old.kind === 'failed' ? { kind: 'idle' } : old)), []);

  useEffect(() => () => running.current?.abort(), []);
  return { state, run, cancel, forgetError };
}
