import { TagsInput } from '@mantine/core';
import { useState } from 'react';
import { useMark } from '~/api/marks';
import { useFacets } from '~/api/search';
import type { Seen } from '~/api/types';
import { t } from '~/text';
import { FormError } from './States';

/** TagEditor shows the tags of a resource and changes them at once. */
export function TagEditor({ path, of: r }: { path: string; of: Seen }) {
  const [shown, setShown] = useState(r.tags);
  const [based, setBased] = useState(r.tags);
  const send = useMark(path);
  const known = useFacets(path, ['tag'], '', r.projectId, true).data?.items[0]?.values.map((v) => v.value) ?? [];
  if (based !== r.tags && !send.isPending) {
    setBased(r.tags);
    setShown(r.tags);
  }
  const change = (tags: string[]) => {
    const added = tags.filter((x) => !shown.includes(x));
    const gone = shown.filter((x) => !tags.includes(x));
    setShown(tags);
    const aim = { rows: [r] };
    const back = { onError: () => setShown(r.tags) };
    for (const tag of added) send.mutate({ decision: { action: 'tag', tag }, aim }, back);
    for (const tag of gone) send.mutate({ decision: { action: 'untag', tag }, aim }, back);
  };
  return (
    <>
      <TagsInput size="xs" aria-label={t.resource.tags} placeholder={shown.length === 0 ? t.resource.addTag : undefined} data={known} value={shown} onChange={change} />
      <FormError error={send.error} />
    </>
  );
}
