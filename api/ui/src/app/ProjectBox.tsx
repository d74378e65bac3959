import { Combobox, useCombobox } from '@mantine/core';
import { useState } from 'react';
import { useProjects } from '~/api/queries';
import { t } from '~/text';
import { PickerButton, type Picker } from './ProjectPicker';
import classes from './ProjectPicker.module.css';

/** ProjectBox is the list of projects to choose from; it opens as soon as it is drawn. */
export default function ProjectBox({ project, name, choose }: Picker) {
  const [text, setText] = useState('');
  const projects = useProjects().data ?? [];
  const box = useCombobox({ defaultOpened: true, onDropdownClose: () => setText(''), onDropdownOpen: () => box.focusSearchInput() });
  const options = projects.filter((p) => p.name.toLowerCase().includes(text.trim().toLowerCase())).slice(0, 100);
  const submit = (id: string) => {
    choose(id);
    box.closeDropdown();
  };
  return (
    <Combobox store={box} width={280} position="bottom-start" onOptionSubmit={submit}>
      <Combobox.Target targetType="button" withAriaAttributes={false}>
        <PickerButton project={project} name={name} open={box.dropdownOpened} onClick={() => box.toggleDropdown()} />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          placeholder={t.projects.find}
          aria-label={t.projects.find}
          autoFocus
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
  );
}
