import { Link } from 'react-router';
import { t } from '~/text';
import classes from './Brand.module.css';

export function Mark({ size = 24 }: { size?: number }) {
  return <img src="/icon.svg" width={size} height={size} alt="" />;
}

export function Brand() {
  return (
    <Link to="/" className={classes.brand} aria-label={t.frame.home}>
      <Mark />
      <span className={classes.name}>{t.product}</span>
    </Link>
  );
}
