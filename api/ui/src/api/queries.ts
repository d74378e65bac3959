// What pages ask the server for.
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from '@tanstack/react-query';
import { ApiError, del, get, patch, post, type Params } from './client';
import { keys } from './keys';
import type { Counts, Job, Me, Page, PodSize, Project, ProjectInput, Subscription } from './types';

export const useMe = () =>
  useQuery({ queryKey: keys.me, queryFn: ({ signal }) => get<Me>('/me', {}, signal), staleTime: 5 * 60_000 });

export const useSetupNeeded = () =>
  useQuery({ queryKey: keys.setup, queryFn: () => get<{ needed: boolean }>('/setup'), staleTime: Infinity });

/** useLoginMethods says whether there is a single sign-on. */
export const useLoginMethods = () =>
  useQuery({ queryKey: ['login-methods'], queryFn: ({ signal }) => get<{ singleSignOn: boolean }>('/login', {}, signal), staleTime: 60_000 });

export const useVersion = () =>
  useQuery({ queryKey: keys.version, queryFn: () => get<{ version: string }>('/version'), staleTime: Infinity });

export const useProjects = () =>
  useQuery({
    queryKey: keys.projects,
    queryFn: ({ signal }) => get<Page<Project>>('/projects', {}, signal).then((p) => p.items),
    staleTime: 30_000,
  });

export const useCounts = (project: string) =>
  useQuery({
    queryKey: keys.counts(project),
    queryFn: ({ signal }) => get<Counts>('/counts', { project }, signal),
    refetchInterval: 3000,
    placeholderData: keepPreviousData,
  });

export const useOne = <T>(path: string, id: string, refetchInterval?: (data: T | undefined) => number | false) =>
  useQuery({
    queryKey: keys.one(path, id),
    queryFn: ({ signal }) => get<T>(`${path}/${id}`, {}, signal),
    refetchInterval: refetchInterval && ((q) => refetchInterval(q.state.data)),
  });

export const useAll = <T>(path: string, params: Params = {}, refetchInterval: number | false = false) =>
  useQuery({
    queryKey: keys.list(path, params),
    queryFn: ({ signal }) => get<Page<T>>(path, params, signal),
    refetchInterval,
    placeholderData: keepPreviousData,
  });

export const useJobs = () => useAll<Job>('/jobs');
export const useJobTemplates = () => useAll<Job>('/job-templates');
export const usePodSizes = () => useAll<PodSize>('/pod-sizes');
export const useSubscriptions = () => useAll<Subscription>('/subscriptions');

export const pageSize = 100;

/** usePages reads a list page by page. It never asks again by itself: see useNews. */
export function usePages<T>(path: string, params: Params) {
  return useInfiniteQuery<Page<T>, ApiError, InfiniteData<Page<T>>, readonly unknown[], string>({
    queryKey: keys.list(path, params),
    queryFn: ({ pageParam, signal }) => get<Page<T>>(path, { ...params, limit: pageSize, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
  });
}

/** useNews counts what a list would show more than it does; the list itself stays as it is. */
export function useNews(path: string, params: Params, shown: number | undefined) {
  const latest = useQuery({
    queryKey: ['news', path, params],
    queryFn: ({ signal }) => get<Page<unknown>>(path, { ...params, limit: 1 }, signal),
    refetchInterval: 5000,
    enabled: shown !== undefined,
    retry: false,
  });
  return latest.data && shown !== undefined ? latest.data.total - shown : 0;
}

const nothing: ReadonlyMap<string, never> = new Map<string, never>();

const byId = <T extends { id: string }>(p: Page<T>): ReadonlyMap<string, T> => new Map(p.items.map((x) => [x.id, x]));

/** useFresh reads the first page again and again, for rows on screen to be brought up to date in place. */
export function useFresh<T extends { id: string }>(path: string, params: Params, enabled: boolean): ReadonlyMap<string, T> {
  const page = useQuery({
    queryKey: ['fresh', path, params],
    queryFn: ({ signal }) => get<Page<T>>(path, { ...params, limit: pageSize }, signal),
    refetchInterval: 3000,
    enabled,
    retry: false,
    select: byId<T>,
  });
  return page.data ?? nothing;
}

export function useSaveProject(id?: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (p: ProjectInput) => (id ? patch<Project>(`/projects/${id}`, p) : post<Project>('/projects', p)),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.projects }),
  });
}

export function useDeleteProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => del<void>(`/projects/${id}`),
    onSuccess: () => client.invalidateQueries(),
  });
}
