import { CloseButton, Kbd, TextInput } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { t } from '~/text';

interface Props {
  value: string;
  onChange: (text: string) => void;
  label: string;
  error?: string;
}

/** SearchBox reports what was typed once typing pauses; / puts the cursor here. */
export function SearchBox({ value, onChange, label, error }: Props) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const report = useDebouncedCallback(onChange, 250);
  useEffect(() => setText(value), [value]);
  useHotkeys([['/', () => input.current?.focus()]]);
  const change = (s: string, now = false) => {
    setText(s);
    if (now) onChange(s);
    else report(s);
  };
  return (
    <TextInput
      ref={input}
      flex={1}
      miw={180}
      maw={520}
      value={text}
      error={error}
      onChange={(e) => change(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key === 'Enter') change(text, true);
        if (e.key === 'Escape') (text ? change('', true) : input.current?.blur());
      }}
      placeholder={label}
      aria-label={label}
      leftSection={<IconSearch size={15} />}
      rightSection={
        text ? <CloseButton size="sm" aria-label={t.list.clearSearch} onClick={() => change('', true)} /> : <Kbd size="xs">/</Kbd>
      }
      spellCheck={false}
      autoComplete="off"
    />
  );
}
