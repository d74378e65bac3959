import { useQuery } from '@tanstack/react-query';
import { picture } from '~/lib/finding';
import { get } from './client';
import type { Finding, Page } from './types';

/** useScreenshot is the picture a finding holds, as a data URL, '' when it has none. */
export function useScreenshot(finding: string | undefined): string {
  const found = useQuery({
    queryKey: ['screenshot', finding],
    queryFn: ({ signal }) => get<Page<Finding>>('/findings', { q: `id:${finding}`, limit: 1 }, signal),
    enabled: Boolean(finding),
    staleTime: Infinity,
  });
  return found.data?.items[0]?.fields.map(picture).find(Boolean) ?? '';
}
