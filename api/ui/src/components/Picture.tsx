import { Modal, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import classes from './Picture.module.css';

/** Picture is an image a finding carries; a click shows it large. */
export function Picture({ src, label }: { src: string; label: string }) {
  const [open, { open: show, close }] = useDisclosure();
  return (
    <>
      <UnstyledButton onClick={show} className={classes.small} aria-label={label}>
        <img src={src} alt="" loading="lazy" />
      </UnstyledButton>
      <Modal opened={open} onClose={close} size="auto" title={label}>
        <img src={src} alt={label} className={classes.large} />
      </Modal>
    </>
  );
}
