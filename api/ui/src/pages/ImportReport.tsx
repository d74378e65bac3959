import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Imported } from '~/api/imports';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './ImportForm.module.css';

/** ImportReport is what a file holds, and every line of it that cannot be taken. */
export function ImportReport({ of: r, content, done = false }: { of: Imported; content: Blob; done?: boolean }) {
  const lines = useLines(content);
  const numbers = ([
    [t.imports.findings, r.findings], [t.imports.fresh, r.new], [t.imports.known, r.known], [t.imports.rejected, r.rejected], [t.imports.unplaced, r.unplaced],
  ] as const).filter(([label, n]) => n > 0 || label === t.imports.findings);
  return (
    <section className={classes.report} aria-label={done ? t.imports.done : t.imports.preview} aria-live="polite">
      <b>{done ? (r.visible ? t.imports.done : t.imports.soon) : t.imports.holds(t.imports.formats[r.format], count(r.lines))}</b>
      <dl className={classes.numbers}>
        {numbers.map(([label, n]) => <div key={label}><dt>{label}</dt><dd>{count(n)}</dd></div>)}
      </dl>
      {r.truncated && <Text size="sm" c="var(--warn)">{t.imports.truncated}</Text>}
      {r.unplaced > 0 && <Text size="sm" className="faint">{t.imports.unplacedText}</Text>}
      {r.problems.length > 0 && (
        <ul className={classes.problems} tabIndex={0} aria-label={t.imports.problems}>
          {r.problems.map((p, i) => (
            <li key={i}>
              <span className="faint num">{t.imports.line(p.line)}</span>
              <span>{p.message}</span>
              {lines[p.line - 1]?.trim() && <code className="mono">{lines[p.line - 1]?.trim().slice(0, 200)}</code>}
            </li>
          ))}
        </ul>
      )}
      {r.rejected > r.problems.length && <span className="faint">{t.imports.moreProblems(count(r.rejected - r.problems.length))}</span>}
    </section>
  );
}

const most = 4 << 20;

/** useLines reads a file, when it is small enough and not packed, to show the lines that are told about. */
function useLines(content: Blob): string[] {
  const [lines, setLines] = useState<string[]>([]);
  useEffect(() => {
    let still = true;
    setLines([]);
    if (content.size <= most) void content.text().then((s) => still && !s.startsWith('\x1f') && setLines(s.split('\n')), () => undefined);
    return () => {
      still = false;
    };
  }, [content]);
  return lines;
}
