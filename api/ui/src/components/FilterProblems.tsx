import { Button } from '@mantine/core';
import type { Check } from '~/api/search';
import { unit } from '~/lib/filter';
import { t } from '~/text';
import classes from './FilterBox.module.css';

interface Props {
  id: string;
  text: string;
  problems: Check['problems'];
  fix: (text: string) => void;
}

/** FilterProblems shows a filter with the places where it is wrong, and what about them. */
export function FilterProblems({ id, text, problems, fix }: Props) {
  const replaced = (p: Check['problems'][number], by: string) => text.slice(0, unit(text, p.from)) + by + text.slice(unit(text, p.to));
  return (
    <div className={classes.problems} id={id} role="alert">
      <div className={`mono ${classes.shown}`} aria-hidden>{marked(text, problems)}</div>
      {problems.map((p, i) => (
        <div key={i} className={classes.problem}>
          <span><span className="faint">{t.list.at(p.from + 1)}</span> {p.message}</span>
          {p.suggestions?.map((s) => (
            <Button key={s} size="compact-xs" variant="light" onClick={() => fix(replaced(p, s))}>{s}</Button>
          ))}
        </div>
      ))}
    </div>
  );
}

function marked(text: string, problems: Check['problems']) {
  const out: React.ReactNode[] = [];
  let at = 0;
  for (const p of [...problems].sort((a, b) => a.from - b.from)) {
    const from = Math.max(at, unit(text, p.from));
    const to = Math.max(from, unit(text, p.to));
    out.push(text.slice(at, from), <mark key={from}>{text.slice(from, to) || ' '}</mark>);
    at = to;
  }
  return [...out, text.slice(at)];
}
