import type { State } from '~/api/types';
import { t } from '~/text';
import classes from './StateBadge.module.css';

export const ended = (s: State) => s !== 'queued' && s !== 'starting' && s !== 'running';

const tones: Record<State, string> = {
  queued: 'wait',
  starting: 'busy',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  stopped: 'wait',
  timed_out: 'bad',
  lost: 'bad',
};

/** StateBadge says where an execution stands, in words and by a dot. */
export function StateBadge({ state }: { state: State }) {
  return (
    <span className={classes.badge} data-tone={tones[state]}>
      <span className={classes.dot} data-live={state === 'running' || state === 'starting' || undefined} aria-hidden />
      {t.execution.states[state]}
    </span>
  );
}
