import { CloseButton, Combobox, InputBase, Kbd, useCombobox } from '@mantine/core';
import { useDebouncedCallback, useDebouncedValue, useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { checkFilter, useCheck, useCompletion } from '~/api/search';
import { useProject } from '~/app/project';
import { grown, unit } from '~/lib/filter';
import { t } from '~/text';
import classes from './FilterBox.module.css';
import { FilterProblems } from './FilterProblems';

interface Props {
  kind: string;
  value: string;
  onChange: (q: string) => void;
  /** hears every letter, right or wrong */
  onType?: (text: string) => void;
  label: string;
}

/** FilterBox takes a filter, proposes how it goes on, and says what is wrong where. The list follows once it is right. */
export function FilterBox({ kind, value, onChange, onType, label }: Props) {
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState(value.length);
  const [project] = useProject();
  const input = useRef<HTMLInputElement>(null);
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [soon] = useDebouncedValue(text, 120);
  const [settled] = useDebouncedValue(text, 400);
  const focused = box.dropdownOpened;
  const proposed = useCompletion(kind, soon, Math.min(cursor, soon.length), project, focused && soon === text);
  const completion = proposed && grown(proposed, soon, text);
  const check = useCheck(kind, settled);
  const problems = settled === text && text.trim() !== '' ? (check?.problems ?? []) : [];
  const begun = completion !== undefined && completion.from < completion.to;
  // what is wrong matters more than everything that could follow
  const items = focused && (begun || problems.length === 0) ? (completion?.items ?? []) : [];
  useHotkeys([['/', () => input.current?.focus()]]);
  // what was sent from here comes back as the value, maybe when more has been typed: that stays
  const sent = useRef<string[]>([]);
  useEffect(() => {
    const at = sent.current.indexOf(value);
    sent.current = sent.current.slice(at + 1);
    if (at < 0) setText((was) => (was.trim() === value ? was : value));
  }, [value]);

  const typed = useRef(text);
  typed.current = text;
  const current = useRef(value);
  current.current = value;
  const send = (q: string) => {
    if (q === current.current) return;
    sent.current.push(q);
    onChange(q);
  };
  const submit = async (q: string) => {
    const right = q === '' || (await checkFilter(kind, q).then((c) => c.ok, () => true));
    if (right && typed.current.trim() === q) send(q);
  };
  // half a term would find nothing: one runs when a blank, Enter or leaving the box ends it
  const later = useDebouncedCallback((s: string) => !/:\S*$/.test(s) && void submit(s.trim()), 350);

  const edit = (s: string, at: number) => {
    setText(s);
    onType?.(s);
    setCursor(at);
    later(s);
  };
  const choose = (chosen: string) => {
    if (!completion) return;
    const [from, to] = [unit(text, completion.from), unit(text, completion.to)];
    const item = completion.items.find((x) => x.text === chosen);
    const put = item?.kind === 'value' ? `${chosen} ` : chosen;
    edit(text.slice(0, from) + put + text.slice(to), from + put.length);
    box.resetSelectedOption();
    requestAnimationFrame(() => input.current?.setSelectionRange(from + put.length, from + put.length));
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && box.getSelectedOptionIndex() < 0) {
      box.closeDropdown();
      void submit(text.trim());
    } else if (e.key === 'Tab' && box.getSelectedOptionIndex() >= 0 && items.length > 0) {
      e.preventDefault();
      box.clickSelectedOption();
    } else if (e.key === 'Escape') {
      if (box.dropdownOpened && items.length > 0) box.closeDropdown();
      else if (text) clear();
      else input.current?.blur();
    }
  };
  const clear = () => {
    edit('', 0);
    send('');
  };
  const invalid = problems.length > 0;
  return (
    <div className={classes.box}>
      <Combobox store={box} onOptionSubmit={choose} withinPortal={false} position="bottom-start" offset={4} width={420} classNames={{ dropdown: classes.dropdown }}>
        <Combobox.Target withExpandedAttribute>
          <InputBase
            ref={input}
            role="combobox"
            classNames={{ input: text ? 'mono' : undefined }}
            value={text}
            error={invalid}
            onChange={(e) => {
              edit(e.currentTarget.value, e.currentTarget.selectionStart ?? 0);
              box.openDropdown();
              box.resetSelectedOption();
            }}
            onSelect={(e) => setCursor(e.currentTarget.selectionStart ?? 0)}
            onFocus={() => box.openDropdown()}
            onClick={() => box.openDropdown()}
            onBlur={() => {
              box.closeDropdown();
              void submit(text.trim());
            }}
            onKeyDown={onKeyDown}
            placeholder={label}
            aria-label={label}
            aria-describedby={invalid ? 'filter-problems' : undefined}
            leftSection={<IconSearch size={15} />}
            rightSection={text ? <CloseButton size="sm" aria-label={t.list.clearSearch} onClick={clear} /> : <Kbd size="xs">/</Kbd>}
            rightSectionPointerEvents="all"
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={items.length === 0}>
          <Combobox.Options mah={300} className={classes.options} aria-label={t.list.proposals}>
            {items.map((item) => (
              <Combobox.Option key={item.text} value={item.text} className={classes.option}>
                <span className="mono">{item.text}</span>
                <span className={classes.doc}>{item.doc}</span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      {invalid && <FilterProblems id="filter-problems" text={text} problems={problems} fix={(s) => edit(s, s.length)} />}
    </div>
  );
}
