/** One query at a time: run, cancel here and on the server, results or error with its place in the editor's text. */
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
/** What was asked, to ask it again as a file. */
export interface Asked {
  query: string;
  timespan: string;
}

export type RunState =
  | { kind: 'idle' }
  | { kind: 'running'; id: string }
  | { kind: 'done'; results: QueryResult[]; asked: Asked }
  | { kind: 'failed'; error: QueryError };

const kRowsMax = 10_000;
const kTimeoutSeconds = 300;

function toQueryError(error: unknown, start: number): QueryError {
  if (!(error instanceof ApiError)) return { message: String(error), code: 'unexpected' };
  const span = error.span && { start: error.span.start + start, length: Math.max(1, error.span.length) };
  return { message: error.message, code: error.code, span };
}

/** A query may give several results: those behind the first stand in it. */
export function resultsOf(result: QueryResult & { more?: QueryResult[] }): QueryResult[] {
  return [result, ...(result.more ?? [])];
}

export function useQueryRun() {
  const [state, setState] = useState<RunState>({ kind: 'idle' });
  const running = useRef<{ controller: AbortController; id: string }>(undefined);

  const run = useCallback(async (block: QueryBlock, timespan: string) => {
    running.current?.controller.abort();
    const mine = { controller: new AbortController(), id: `portal-${crypto.randomUUID()}` };
    running.current = mine;
    setState({ kind: 'running', id: mine.id });
    try {
      const body = {
        query: block.text,
        max_rows: kRowsMax,
        timeout_s: kTimeoutSeconds,
        client_request_id: mine.id,
        ...(timespan ? { timespan } : {}),
      };
      const result = await api.post('/query', { body, signal: mine.controller.signal });
      if (running.current === mine)
        setState({ kind: 'done', results: resultsOf(result), asked: { query: block.text, timespan } });
    } catch (error) {
      if (running.current === mine && !mine.controller.signal.aborted)
        setState({ kind: 'failed', error: toQueryError(error, block.start) });
    }
  }, []);

  const cancel = useCallback(() => {
    const mine = running.current;
    running.current = undefined;
    if (mine) {
      // The connection that closes ends the query too; this also reaches it behind a proxy that keeps connections.
      api.delete('/queries/{id}', { path: { id: mine.id } }).catch(() => undefined);
      mine.controller.abort();
    }
    setState({ kind: 'idle' });
  }, []);

  /** The text changed, so the place of an old error is no longer true. */
  const forgetError = useCallback(() => setState((old) => (old.kind === 'failed' ? { kind: 'idle' } : old)), []);

  useEffect(() => () => running.current?.controller.abort(), []);
  return { state, run, cancel, forgetError };
}
