import { ActionIcon, Button, Combobox, useCombobox } from '@mantine/core';
import { IconChevronDown, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useProjects } from '~/api/queries';
import { t } from '~/text';
import classes from './ProjectPicker.module.css';
import { useProject } from './project';

/** ProjectPicker limits every page to one project. */
export function ProjectPicker() {
  const [project, setProject] = useProject();
  const [text, setText] = useState('');
  const projects = useProjects().data ?? [];
  const box = useCombobox({ onDropdownClose: () => setText(''), onDropdownOpen: () => box.focusSearchInput() });
  const name = project && (projects.find((p) => p.id === project)?.name ?? t.projects.unknown);
  const options = projects.filter((p) => p.name.toLowerCase().includes(text.trim().toLowerCase())).slice(0, 100);
  const choose = (id: string) => {
    setProject(id);
    box.closeDropdown();
  };
  return (
    <div className={classes.picker} data-set={project ? true : undefined}>
      <Combobox store={box} width={280} position="bottom-start" onOptionSubmit={choose}>
        <Combobox.Target targetType="button" withAriaAttributes={false}>
          <Button
            variant="default"
            className={classes.button}
            rightSection={!project && <IconChevronDown size={14} />}
            onClick={() => box.toggleDropdown()}
            aria-haspopup="listbox"
            aria-expanded={box.dropdownOpened}
            aria-label={t.projects.filter(name || t.projects.all)}
          >
            {name || t.projects.all}
          </Button>
        </Combobox.Target>
        <Combobox.Dropdown>
          <Combobox.Search
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            placeholder={t.projects.find}
            aria-label={t.projects.find}
          />
          <Combobox.Options mah={320} className={classes.options} aria-label={t.projects.title}>
            {text === '' && <Combobox.Option value="">{t.projects.all}</Combobox.Option>}
            {options.map((p) => (
              <Combobox.Option key={p.id} value={p.id} active={p.id === project}>{p.name}</Combobox.Option>
            ))}
            {options.length === 0 && text !== '' && <Combobox.Empty>{t.states.nothing}</Combobox.Empty>}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      {project && (
        <ActionIcon className={classes.clear} size="sm" aria-label={t.projects.clear} onClick={() => setProject('')}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </div>
  );
}
