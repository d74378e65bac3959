import { TagsInput } from '@mantine/core';
import { useItems } from '~/api/access';
import { t } from '~/text';

/** ScopesInput takes scopes, with stars as in resources:*:read. */
export function ScopesInput({ value, onChange, readOnly = false }: { value: string[]; onChange: (scopes: string[]) => void; readOnly?: boolean }) {
  const known = useItems<string>('/scopes').data ?? [];
  const areas = [...new Set(known.map((s) => `${s.split(':')[0]}:*`))];
  const actions = [...new Set(known.map((s) => s.split(':')).filter((p) => p.length === 3).map((p) => `${p[0]}:*:${p[2]}`))];
  return (
    <TagsInput
      label={t.access.scopes} description={t.access.scopesHint} data={['*', ...areas, ...actions, ...known]} value={value} readOnly={readOnly}
      onChange={onChange} splitChars={[',', ' ']} clearable={!readOnly}
    />
  );
}
