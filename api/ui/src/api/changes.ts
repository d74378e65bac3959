// What became of resources. The server tells it oldest first, page by page; people
// want the latest first, so that a bounded period is read whole and turned around.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get, type Params } from './client';
import type { Change } from './types';

interface ChangePage {
  items: Change[];
  next: string;
}

const pages = 10;
const size = 1000;

export interface Told {
  /** the latest first */
  changes: Change[];
  /** there were more than are read at once */
  cut: boolean;
}

async function readAll(path: string, params: Params, signal: AbortSignal): Promise<Told> {
  const changes: Change[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < pages; i++) {
    const page = await get<ChangePage>(path, { ...params, limit: size, cursor }, signal);
    changes.push(...page.items);
    if (page.items.length < size) return { changes, cut: false };
    cursor = page.next;
  }
  return { changes, cut: true };
}

async function ofProjects(projects: string[], what: 'changes' | 'diff', params: Params, signal: AbortSignal): Promise<Told> {
  const all = await Promise.all(projects.map((p) => readAll(`/projects/${p}/${what}`, params, signal)));
  const changes = all.flatMap((x) => x.changes).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return { changes, cut: all.some((x) => x.cut) };
}

/** useHistory is what became of one resource. */
export const useHistory = (project: string, resource: string) =>
  useQuery({
    queryKey: ['history', project, resource],
    queryFn: ({ signal }) => ofProjects([project], 'changes', { resource }, signal),
  });

/** useChanges is what happened in projects within a period. */
export const useChanges = (projects: string[], since: string, until?: string, enabled = true) =>
  useQuery({
    queryKey: ['changes', projects, since, until],
    queryFn: ({ signal }) => ofProjects(projects, 'changes', { since, until }, signal),
    enabled: enabled && projects.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

/** useDiff is what is not as it was; what changed and changed back is not in it. */
export const useDiff = (projects: string[], from: string, to?: string, enabled = true) =>
  useQuery({
    queryKey: ['diff', projects, from, to],
    queryFn: ({ signal }) => ofProjects(projects, 'diff', { from, to }, signal),
    enabled: enabled && projects.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
