/**
 * The typed way to the REST API: paths, parameters, bodies and replies are checked against schema/openapi.yaml.
 * Every failure becomes an ApiError; a 401 is also told to `onSignedOut`.
 */
import type { paths } from './generated';
import type { Span } from './types';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : undefined;
type Reply<Op> = Op extends { responses: infer R }
  ? R extends { 200: infer Ok }
    ? Json<Ok>
    : R extends { 201: infer Made }
      ? Json<Made>
      : undefined
  : never;
/** Files go as they are (`raw`), everything else as JSON. */
type Body<Op> = Op extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B } | { raw: string | Blob }
  : Op extends { requestBody: { content: { 'application/yaml': string } } }
    ? { yaml: string }
    : Op extends { requestBody: { content: { 'text/plain': string } } }
      ? { raw: string | Blob }
      : { body?: undefined };
type PathParameters<Op> = Op extends { parameters: { path: infer P } } ? { path: P } : { path?: undefined };
type QueryParameters<Op> = Op extends { parameters: { query?: infer Q } } ? { query?: Q } : { query?: undefined };
export type CallOptions<Op> = Body<Op> & PathParameters<Op> & QueryParameters<Op> & { signal?: AbortSignal; ifMatch?: string };

/** What the server said was wrong, or `unreachable` when it said nothing. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly target?: string,
    readonly span?: Span,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

const kBase = '/api/v1';
let csrfToken: string | undefined;
let signedOut: () => void = () => undefined;

export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

type QueryValue = string | number | boolean | readonly string[] | undefined;

/** Fills `{name}` of the template and appends the query; empty and absent values are left out, lists are comma-separated. */
export function buildUrl(template: string, path: Record<string, string> = {}, query: Record<string, QueryValue> = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = Object.entries(query)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value] as const)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return kBase + filled + (search.length > 0 ? `?${search.join('&')}` : '');
}

async function readError(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined;
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; target?: string; span?: Span } };
    return new ApiError(response.status, error.code, error.message, error.target, error.span, retryAfter);
  } catch {
    return new ApiError(
      response.status,
      'no_error_body',
      `The server answered ${response.status} ${response.statusText}.`,
      undefined,
      undefined,
      retryAfter,
    );
  }
}

async function call(method: Method, template: string, options: CallOptions<unknown>): Promise<unknown> {
  const { body, yaml, raw, path, query, signal, ifMatch } = options as {
    body?: unknown;
    yaml?: string;
    raw?: string | Blob;
    path?: Record<string, string>;
    query?: Record<string, QueryValue>;
    signal?: AbortSignal;
    ifMatch?: string;
  };
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (yaml !== undefined) headers['Content-Type'] = 'application/yaml';
  if (raw !== undefined) headers['Content-Type'] = 'application/octet-stream';
  if (ifMatch !== undefined) headers['If-Match'] = `"${ifMatch}"`;
  if (method !== 'get' && csrfToken !== undefined) headers['X-Picket-CSRF'] = csrfToken;

  let response: Response;
  try {
    response = await fetch(buildUrl(template, path, query), {
      method: method.toUpperCase(),
      headers,
      body: body === undefined ? (yaml ?? raw) : JSON.stringify(body),
      credentials: 'same-origin',
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(
      0,
      'unreachable',
      'The Picket server does not answer. Check that it runs and that this machine reaches it.',
    );
  }
  if (!response.ok) {
    const error = await readError(response);
    if (error.status === 401 && template !== '/sign-in') signedOut();
    throw error;
  }
  // 204, and 202 where there is nothing to say yet, have no body.
  const text = response.status === 204 ? '' : await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

/** Posts JSON and gets a file. */
export async function postForFile(path: string, body: unknown, signal?: AbortSignal): Promise<Blob> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (csrfToken !== undefined) headers['X-Picket-CSRF'] = csrfToken;
  const response = await fetch(buildUrl(path), {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    credentials: 'same-origin',
    signal,
  });
  if (!response.ok) throw await readError(response);
  return response.blob();
}

type Caller<M extends Method> = <P extends PathsWith<M>>(
  path: P,
  options: CallOptions<Operation<P, M>>,
) => Promise<Reply<Operation<P, M>>>;
function caller<M extends Method>(method: M): Caller<M> {
  return ((path: string, options: CallOptions<unknown>) => call(method, path, options)) as Caller<M>;
}

export const api = {
  get: caller('get'),
  post: caller('post'),
  put: caller('put'),
  patch: caller('patch'),
  delete: caller('delete'),
};
