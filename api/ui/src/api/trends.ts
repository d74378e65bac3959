import { useQuery } from '@tanstack/react-query';
import { get } from './client';
import type { Schemas } from './types';

export type Trends = Schemas['Trends'];
export type Series = Schemas['Series'];
export type JobStats = Schemas['JobStats'];

const common = { staleTime: 30_000, refetchInterval: 30_000, retry: false } as const;

const dayAgo = () => new Date(Math.floor(Date.now() / 60_000) * 60_000 - 86_400_000).toISOString();

/** useTrends is how much came within a day. */
export const useTrends = (project: string) =>
  useQuery({ ...common, queryKey: ['trends', project], queryFn: ({ signal }) => get<Trends>('/trends', { project, since: dayAgo() }, signal) });

/** useSeries is how many were first seen on each of the last thirty days. */
export const useSeries = (path: string, project: string) =>
  useQuery({ ...common, queryKey: ['series', path, project], queryFn: ({ signal }) => get<Series>(`${path}/series`, { project, step: 'day' }, signal) });

export const useJobStats = (project: string) =>
  useQuery({ ...common, queryKey: ['job-stats', project], queryFn: ({ signal }) => get<{ items: JobStats[] }>('/executions/jobs', { project, limit: 100 }, signal).then((p) => p.items) });
