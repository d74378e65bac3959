// Git repositories that jobs and subscriptions are kept from.
import { useChange } from './automation';
import { del, patch, post } from './client';
import { useAll } from './queries';
import type { Schemas } from './types';

export type Source = Schemas['GitSource'];
export type SourceInput = Schemas['GitSourceInput'];

export const useSources = () => useAll<Source>('/sources');
export const useSaveSource = () =>
  useChange(({ id, source }: { id?: string; source: SourceInput }) => (id ? patch<Source>(`/sources/${id}`, source) : post<Source>('/sources', source)));
export const useSync = () => useChange((id: string) => post<Source>(`/sources/${id}/sync`));
export const useDeleteSource = () => useChange((id: string) => del<void>(`/sources/${id}`));
