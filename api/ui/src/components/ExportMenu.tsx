import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { urlOf, type Params } from '~/api/client';
import { count } from '~/lib/number';
import { t, type Noun } from '~/text';

interface Props {
  path: string;
  noun: Noun;
  total: number;
  /** the filter, the order and the project of the list */
  params: Params;
  fields: string[];
}

const formats = ['csv', 'json', 'jsonl', 'parquet', 'targets'] as const;

/** ExportMenu saves exactly what the list shows, whole: the same filter, order and columns. */
export function ExportMenu({ path, noun, total, params, fields }: Props) {
  const to = (format: (typeof formats)[number]) =>
    urlOf(`${path}/export`, { ...params, format, fields: format === 'targets' ? undefined : fields.join(',') });
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={15} stroke={1.6} />} aria-label={t.list.export} title={t.list.export} disabled={total === 0}>{t.list.exportShort}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.list.exportAll(count(total), total === 1 ? noun.one : noun.many)}</Menu.Label>
        {formats.map((f) => (
          <Menu.Item key={f} component="a" href={to(f)} download={`${path.slice(1)}.${f === 'targets' ? 'txt' : f}`}>{t.list.formats[f]}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
