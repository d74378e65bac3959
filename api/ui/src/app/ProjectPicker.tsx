import { ActionIcon, Button } from '@mantine/core';
import { IconChevronDown, IconX } from '@tabler/icons-react';
import { Suspense, useState, type ComponentPropsWithRef } from 'react';
import { useProjects } from '~/api/queries';
import { t } from '~/text';
import { later } from './later';
import classes from './ProjectPicker.module.css';
import { useProject } from './project';

const ProjectBox = later(() => import('./ProjectBox'));

export interface Picker {
  project: string;
  /** what is shown: a project's name, or that all are */
  name: string;
  choose: (id: string) => void;
}

/** ProjectPicker limits every page to one project. What opens is fetched when it first does. */
export function ProjectPicker() {
  const [project, choose] = useProject();
  const [wanted, setWanted] = useState(false);
  const projects = useProjects().data ?? [];
  const name = project ? (projects.find((p) => p.id === project)?.name ?? t.projects.unknown) : t.projects.all;
  const button = <PickerButton project={project} name={name} open={false} onClick={() => setWanted(true)} />;
  return (
    <div className={classes.picker} data-set={project ? true : undefined}>
      {wanted ? <Suspense fallback={button}><ProjectBox project={project} name={name} choose={choose} /></Suspense> : button}
      {project && (
        <ActionIcon className={classes.clear} size="sm" aria-label={t.projects.clear} onClick={() => choose('')}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </div>
  );
}

type ButtonProps = Omit<Picker, 'choose'> & { open: boolean } & ComponentPropsWithRef<'button'>;

export function PickerButton({ project, name, open, color: _, ...others }: ButtonProps) {
  return (
    <Button
      variant="default"
      {...others}
      className={classes.button}
      rightSection={!project && <IconChevronDown size={14} />}
      aria-haspopup="listbox"
      aria-expanded={open}
      aria-label={t.projects.filter(name)}
    >
      {name}
    </Button>
  );
}
