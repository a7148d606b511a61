import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { api, ApiError, buildUrl, onSignedOut, setCsrfToken } from '@/api/client';

const fetchMock = vi.fn<typeof fetch>();
const answer = (status: number, body?: unknown, headers: Record<string, string> = {}) =>
  fetchMock.mockResolvedValueOnce(new Response(body === undefined ? null : JSON.stringify(body), { status, headers }));

beforeEach(() => {
  fetchMock.mockReset();
  vi.stubGlobal('fetch', fetchMock);
});
afterEach(() => {
  setCsrfToken(undefined);
  vi.unstubAllGlobals();
});

test('a path parameter cannot leave its place in the path', () => {
  expect(buildUrl('/devices/{device_id}', { device_id: 'a/../b?c#d%' })).toBe('/api/v1/devices/a%2F..%2Fb%3Fc%23d%25');
});

test('absent and empty query values are left out, lists are comma-separated', () => {
  expect(buildUrl('/alerts', {}, { q: '', device: undefined, status: ['New', 'Active'], limit: 5 })).toBe(
    '/api/v1/alerts?status=New%2CActive&limit=5',
  );
});

describe('requests', () => {
  test('carry the CSRF token only when they change something', async () => {
    setCsrfToken('token');
    answer(200, {});
    answer(200, {});
    await api.get('/overview', {});
    await api.post('/query', { body: { query: 'T' } });
    const headers = fetchMock.mock.calls.map(([, init]) => init!.headers as Record<string, string>);
    expect(headers.map((header) => header['X-Picket-CSRF'])).toEqual([undefined, 'token']);
  });

  test('have no value when the server has none', async () => {
    answer(204);
    expect(await api.post('/sign-out', {})).toBeUndefined();
  });
});

describe('failures', () => {
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => expect.unreachable(),
      (error: ApiError) => error,
    );

  test('carry what the server said, with the place', async () => {
    const span = { start: 1, length: 2, line: 1, column: 2 };
    answer(400, { error: { code: 'query_syntax', message: 'Expected |', target: 'query', span } });
    expect(await failure(api.post('/query', { body: { query: 'x' } }))).toMatchObject({
      status: 400,
      code: 'query_syntax',
      message: 'Expected |',
      span,
    });
  });

  test('are told apart when nobody answers', async () => {
    fetchMock.mockRejectedValueOnce(new TypeError('failed to fetch'));
    expect(await failure(api.get('/overview', {}))).toMatchObject({ status: 0, code: 'unreachable' });
  });

  test('without a body still say what happened', async () => {
    fetchMock.mockResolvedValueOnce(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
    expect(await failure(api.get('/overview', {}))).toMatchObject({
      status: 502,
      message: 'The server answered 502 Bad Gateway.',
    });
  });

  test('tell how long to wait', async () => {
    answer(429, { error: { code: 'too_many_attempts', message: 'Wait' } }, { 'Retry-After': '42' });
    expect(await failure(api.post('/sign-in', { body: { user: 'a', secret: 'b' } }))).toMatchObject({ retryAfterSeconds: 42 });
  });

  test('of a lost session ask for a sign-in; a wrong secret does not', async () => {
    const signedOut = vi.fn();
    onSignedOut(signedOut);
    answer(401, { error: { code: 'unauthenticated', message: 'no' } });
    await failure(api.post('/sign-in', { body: { user: 'a', secret: 'b' } }));
    expect(signedOut).not.toHaveBeenCalled();
    answer(401, { error: { code: 'unauthenticated', message: 'no' } });
    await failure(api.get('/overview', {}));
    expect(signedOut).toHaveBeenCalledOnce();
  });
});
