// Filters: how they go on, what is wrong with them, which values there are.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { character } from '~/lib/filter';
import { get } from './client';
import type { Schemas } from './types';

export type Check = Schemas['SearchCheck'];
export type Completion = Schemas['SearchCompletion'];
export type Facet = Schemas['Facet'];

export const checkFilter = (kind: string, q: string) => get<Check>('/search/check', { kind, q });

/** useCheck says what is wrong with a filter; nothing while it is empty. */
export const useCheck = (kind: string, q: string) =>
  useQuery({
    queryKey: ['check', kind, q],
    queryFn: ({ signal }) => get<Check>('/search/check', { kind, q }, signal),
    enabled: q.trim() !== '',
    staleTime: 60_000,
    retry: false,
  }).data;

/** useCompletion proposes what can stand where the cursor is. */
export const useCompletion = (kind: string, q: string, cursor: number, project: string, enabled: boolean) =>
  useQuery({
    queryKey: ['complete', kind, q, cursor, project],
    queryFn: ({ signal }) => get<Completion>('/search/complete', { kind, q, at: character(q, cursor), project }, signal),
    enabled,
    staleTime: 30_000,
    retry: false,
  }).data;

export const useFacets = (path: string, fields: string[], q: string, project: string, enabled: boolean) =>
  useQuery({
    queryKey: ['facets', path, fields, q, project],
    queryFn: ({ signal }) => get<{ items: Facet[] }>(`${path}/facets`, { field: fields.join(','), q, project, limit: 8 }, signal),
    enabled,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
