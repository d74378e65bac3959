// What other tools wrote: sent as it is, read by the server.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, refusal, urlOf } from './client';
import type { Schemas } from './types';

export type Imported = Schemas['Imported'];
export type Format = Imported['format'];

export interface ImportInput {
  project: string;
  content: Blob;
  /** whose file it is; '' lets the server find out */
  format: Format | '';
}

/** told how much of a file is sent, from 0 to 1 */
type Progress = (part: number) => void;

/** usePreview says what a file holds, and takes nothing. */
export const usePreview = (input: ImportInput | undefined, stamp: string) =>
  useQuery({
    queryKey: ['import-preview', input?.project, input?.format, stamp],
    queryFn: ({ signal }) => send(input!, true, undefined, signal),
    enabled: input !== undefined && input.project !== '',
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    placeholderData: keepPreviousData,
  });

export function useImport(progress: Progress) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: ImportInput) => send(input, false, progress),
    onSettled: () => client.invalidateQueries(),
  });
}

/** send is not fetch, which does not tell how far it is. */
function send({ project, content, format }: ImportInput, dryRun: boolean, progress?: Progress, signal?: AbortSignal): Promise<Imported> {
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest();
    x.open('POST', urlOf(`/projects/${project}/imports`, { format, dryRun: dryRun || undefined }));
    x.setRequestHeader('Content-Type', 'application/octet-stream');
    x.upload.onprogress = (e) => e.lengthComputable && progress?.(e.loaded / e.total);
    x.onerror = () => fail(new ApiError(0, 'unreachable', 'the server does not answer'));
    x.onabort = () => fail(new DOMException('aborted', 'AbortError'));
    x.onload = () => {
      if (x.status >= 200 && x.status < 300) done(JSON.parse(x.responseText) as Imported);
      else void refusal(new Response(x.responseText, { status: x.status })).then(fail);
    };
    signal?.addEventListener('abort', () => x.abort());
    x.send(content);
  });
}
