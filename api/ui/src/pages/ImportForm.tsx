import { Button, FileButton, Group, Progress, Select, Stack, Text, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFileImport } from '@tabler/icons-react';
import { useMemo, useState, type DragEvent, type FormEvent } from 'react';
import { Link } from 'react-router';
import { useImport, usePreview, type Format } from '~/api/imports';
import { FormError, Loading } from '~/components/States';
import { size } from '~/lib/number';
import { t } from '~/text';
import { ImportReport } from './ImportReport';
import { ProjectSelect, type TargetsProps } from './TargetsForm';
import classes from './ImportForm.module.css';

const formats: Format[] = ['nmap', 'masscan', 'nuclei', 'httpx', 'subfinder', 'naabu', 'katana', 'list'];

/** ImportForm takes what another tool wrote, and shows what it holds before anything is taken. */
export function ImportForm({ projects, project: initial, fixed, onDone }: TargetsProps) {
  const [project, setProject] = useState(initial ?? '');
  const [file, setFile] = useState<File>();
  const [text, setText] = useState('');
  const [format, setFormat] = useState<Format | ''>('');
  const [sent, setSent] = useState(0);
  const [settled] = useDebouncedValue(text, 500);
  const content = useMemo(() => file ?? (settled.trim() === '' ? undefined : new Blob([settled])), [file, settled]);
  const input = content && project !== '' ? { project, content, format } : undefined;
  const preview = usePreview(input, file ? `${file.name}/${file.size}/${file.lastModified}` : settled);
  const take = useImport(setSent);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (input) take.mutate(input);
  };
  if (take.data && content) {
    return (
      <Stack gap="md">
        <ImportReport of={take.data} content={content} done />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => (take.reset(), setFile(undefined), setText(''))}>{t.imports.another}</Button>
          <Button component={Link} to={`/findings?${new URLSearchParams({ q: 'source:import', project })}`} onClick={onDone}>{t.imports.show}</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text size="sm" className="faint">{t.imports.text}</Text>
        {!fixed && <ProjectSelect projects={projects} value={project} onChange={setProject} />}
        <Drop file={file} onChange={setFile} />
        {!file && (
          <Textarea
            label={t.imports.paste} placeholder={t.imports.placeholder} autosize minRows={3} maxRows={8} spellCheck={false} classNames={{ input: 'mono' }}
            value={text} onChange={(e) => setText(e.currentTarget.value)}
          />
        )}
        <Select
          label={t.imports.format} allowDeselect={false} value={format} onChange={(v) => setFormat((v ?? '') as Format | '')}
          data={[{ value: '', label: t.imports.found }, ...formats.map((f) => ({ value: f, label: t.imports.formats[f] }))]}
        />
        {content && project === '' && <Text size="sm" c="var(--warn)">{t.imports.needsProject}</Text>}
        {input && (preview.error ? <FormError error={preview.error} /> : preview.data ? <ImportReport of={preview.data} content={input.content} /> : <Loading />)}
        {take.isPending && <Progress value={sent * 100} animated aria-label={t.imports.sending} />}
        <FormError error={take.error} />
        <Group justify="flex-end">
          <Button type="submit" disabled={!input || !preview.data || preview.isFetching || preview.data.findings === 0} loading={take.isPending}>
            {t.imports.submit(input && preview.data ? preview.data.findings : 0)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Drop is where a file is let go, or chosen. */
function Drop({ file, onChange }: { file?: File; onChange: (f?: File) => void }) {
  const [over, setOver] = useState(false);
  const drag = (on: boolean) => (e: DragEvent) => {
    e.preventDefault();
    setOver(on);
  };
  const drop = (e: DragEvent) => {
    drag(false)(e);
    if (e.dataTransfer.files[0]) onChange(e.dataTransfer.files[0]);
  };
  return (
    <div className={classes.drop} data-over={over || undefined} onDragOver={drag(true)} onDragLeave={drag(false)} onDrop={drop}>
      <FileButton onChange={(f) => f && onChange(f)}>
        {(props) => <Button variant="default" leftSection={<IconFileImport size={14} />} {...props}>{file ? t.imports.other : t.imports.choose}</Button>}
      </FileButton>
      <span className="faint">{file ? t.imports.file(file.name, size(file.size)) : t.imports.drop}</span>
      {file && <Button variant="subtle" size="compact-sm" onClick={() => onChange(undefined)}>{t.imports.remove}</Button>}
    </div>
  );
}
