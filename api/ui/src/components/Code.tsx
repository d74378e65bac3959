import classes from './Code.module.css';
import { CopyButton } from './CopyButton';

/** Code is source text to read. */
export function Code({ text }: { text: string }) {
  return (
    <div className={classes.frame}>
      <span className={classes.copy}><CopyButton value={text} /></span>
      <pre className={classes.code} tabIndex={0}>{text}</pre>
    </div>
  );
}
