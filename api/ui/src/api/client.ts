// One way to the server: JSON in, JSON out, and every refusal an ApiError that
// keeps the server's own words.
import { again } from '~/lib/again';
import type { InputError, Problem } from './types';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** every single thing that is wrong with the input */
    readonly errors: InputError[] = [],
    /** the account wants the code of its second factor */
    readonly secondFactor = false,
  ) {
    super(message);
  }
}

export type Params = Record<string, string | number | boolean | undefined>;

const base = '/api/v1';

export function urlOf(path: string, params: Params = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) {
    if (v !== undefined && v !== '') q.set(k, String(v));
  }
  return base + path + (q.size > 0 ? `?${q}` : '');
}

export const get = <T>(path: string, params?: Params, signal?: AbortSignal) =>
  send<T>('GET', urlOf(path, params), undefined, signal);
export const post = <T>(path: string, body: unknown = {}) => send<T>('POST', urlOf(path), body);
export const put = <T>(path: string, body: unknown = {}) => send<T>('PUT', urlOf(path), body);
export const patch = <T>(path: string, body: unknown) => send<T>('PATCH', urlOf(path), body);
export const del = <T>(path: string, body?: unknown) => send<T>('DELETE', urlOf(path), body);

async function send<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, signal };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  let answer: Response;
  try {
    // a network that changes breaks what is under way; reading can be done again at once
    answer = method === 'GET' ? await again(() => fetch(url, init), signal) : await fetch(url, init);
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new ApiError(0, 'unreachable', 'the server does not answer');
  }
  if (!answer.ok) throw await refusal(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export async function refusal(answer: Response): Promise<ApiError> {
  const p = (await answer.json().catch(() => ({}))) as Partial<Problem>;
  const text = p.detail ?? p.title ?? `the server answered ${answer.status}`;
  return new ApiError(answer.status, p.code ?? 'internal', text, p.errors, answer.headers.has('Stalker-Second-Factor'));
}
