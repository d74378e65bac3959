import { Badge } from '@mantine/core';
import classes from './Tags.module.css';

export function Tags({ tags }: { tags: string[] }) {
  return (
    <span className={classes.tags}>
      {tags.map((tag) => <Badge key={tag} color="gray" className={classes.tag}>{tag}</Badge>)}
    </span>
  );
}
