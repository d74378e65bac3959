import { Suspense, useState, type ReactNode } from 'react';

export interface Opened {
  opened: boolean;
  onClose: () => void;
}

interface Props {
  button: (open: () => void) => ReactNode;
  /** the dialog; it is drawn, and so fetched, when it is first opened */
  children: (state: Opened) => ReactNode;
}

/** Opener is a button and the dialog it opens. */
export function Opener({ button, children }: Props) {
  const [opened, setOpened] = useState(false);
  const [wanted, setWanted] = useState(false);
  const open = () => {
    setWanted(true);
    setOpened(true);
  };
  return (
    <>
      {button(open)}
      {wanted && <Suspense>{children({ opened, onClose: () => setOpened(false) })}</Suspense>}
    </>
  );
}
