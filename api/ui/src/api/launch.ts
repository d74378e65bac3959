// Starting, stopping and repeating executions.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get, post } from './client';
import type { Argument, Execution, Page, Schemas } from './types';

export type Launched = Schemas['Launched'];

export interface Chain {
  ancestors: Execution[];
  execution: Execution;
  children: Page<Execution>;
}

function useExecutionChange<In, Out>(send: (input: In) => Promise<Out>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: send, onSuccess: () => client.invalidateQueries() });
}

export interface LaunchInput {
  job: string;
  projectId: string;
  arguments: Argument[];
}

export const useLaunch = () => useExecutionChange((input: LaunchInput) => post<Execution>('/executions', input));
export const useStop = () => useExecutionChange((id: string) => post<Execution>(`/executions/${id}/stop`));
export const useRetry = () => useExecutionChange((id: string) => post<Execution>(`/executions/${id}/retry`));

export type LaunchMany = Schemas['LaunchBatch'] & { projectId: string; job: string; kind: Schemas['LaunchBatch']['kind'] };

export const useLaunchMany = () => useExecutionChange((input: LaunchMany) => post<Launched>('/executions/batch', input));

/** useLaunchPreview says what would be started by a launch (LaunchMany, as text), and starts nothing. */
export const useLaunchPreview = (input: string) =>
  useQuery({
    queryKey: ['launch-preview', input],
    queryFn: () => post<Launched>('/executions/batch', { ...(JSON.parse(input) as LaunchMany), dryRun: true }),
    enabled: input !== '',
    staleTime: 10_000,
    retry: false,
  });

interface Many {
  verb: 'stop' | 'retry';
  /** a filter of the list of executions */
  q: string;
  project: string;
}

export const useMany = () =>
  useExecutionChange(({ verb, q, project }: Many) =>
    post<Record<string, unknown>>(`/executions/${verb}`, { select: { q }, ...(project ? { projectId: project } : {}) }));

export const useChain = (id: string, live: boolean) =>
  useQuery({
    queryKey: ['chain', id],
    queryFn: ({ signal }) => get<Chain>(`/executions/${id}/chain`, { limit: 100 }, signal),
    refetchInterval: live ? 3000 : false,
  });
