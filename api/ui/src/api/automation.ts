// Changing jobs and subscriptions.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { del, get, patch, post } from './client';
import { keys } from './keys';
import type { Facet } from './search';
import type { Job, Schemas, Subscription } from './types';

export type SubscriptionCheck = Schemas['SubscriptionCheck'];
export type JobInput = Schemas['JobInput'];

/** useChange sends a change of definitions, after which lists are asked for again. */
export function useChange<In, Out>(send: (input: In) => Promise<Out>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: () => Promise.all([
      client.invalidateQueries({ queryKey: ['list'] }),
      client.invalidateQueries({ queryKey: ['one'] }),
      client.invalidateQueries({ queryKey: keys.projects }),
    ]),
  });
}

interface SubscriptionChange {
  id?: string;
  document?: string;
  enabled?: boolean;
  projectId?: string;
}

export const useSaveSubscription = () =>
  useChange(({ id, projectId, ...s }: SubscriptionChange) =>
    id ? patch<Subscription>(`/subscriptions/${id}`, s) : post<Subscription>('/subscriptions', projectId ? { ...s, projectId } : s));

export const useSaveJob = () =>
  useChange(({ id, job }: { id?: string; job: JobInput }) => (id ? patch<Job>(`/jobs/${id}`, job) : post<Job>('/jobs', job)));

export const useMakeTemplate = () => useChange((job: JobInput) => post<Job>('/job-templates', job));

export const useDuplicate = <T>(path: '/jobs' | '/subscriptions') => useChange((id: string) => post<T>(`${path}/${id}/duplicate`));
export const useRevert = <T>(path: '/jobs' | '/subscriptions') => useChange((id: string) => post<T>(`${path}/${id}/revert`));
export const useDelete = (path: string) => useChange((id: string) => del<void>(`${path}/${id}`));

/** useDocumentCheck says what is wrong with a subscription's document; the server reads it. */
export const useDocumentCheck = (document: string) =>
  useQuery({
    queryKey: ['check-subscription', document],
    queryFn: () => post<SubscriptionCheck>('/subscriptions/check', { document }),
    staleTime: 60_000,
    retry: false,
    placeholderData: (was) => was,
  });

/** useFindingKeys are the kinds of findings there are. */
export const useFindingKeys = () =>
  useQuery({
    queryKey: ['finding-keys'],
    queryFn: () => get<{ items: Facet[] }>('/findings/facets', { field: 'key', limit: 100 }).then((f) => f.items[0]?.values.map((v) => v.value) ?? []),
    staleTime: 60_000,
  });
