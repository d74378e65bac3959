import type { Source } from '~/api/sources';
import { t } from '~/text';
import classes from './StateBadge.module.css';

/** SourceState says in words and by a dot how the last reading of a git source went. */
export function SourceState({ of: s }: { of: Source }) {
  const [tone, text] = s.error ? ['bad', t.sources.failed] as const
    : s.problems.length > 0 ? ['bad', t.sources.problems(s.problems.length)] as const
      : s.syncedAt ? ['good', t.sources.fine] as const : ['wait', t.sources.never] as const;
  return (
    <span className={classes.badge} data-tone={tone}>
      <span className={classes.dot} aria-hidden />
      {text}
    </span>
  );
}
