import { expect, it } from 'vitest';
import { settled, shot, type World } from './world';

const code = 'from stalker_sdk import log_info, params\n\nlog_info("hello, " + params.string("who", "nobody"))\n';

/** automation writes a job and a subscription as a person would, and runs the job. */
export function automation(w: () => World) {
  it('writes a job, and says what is wrong with it', async () => {
    const page = await w().open();
    await page.goto('/jobs');
    await page.getByRole('link', { name: 'New job' }).click();
    const editor = page.getByRole('textbox', { name: 'Code' });
    await editor.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(code);
    await page.getByRole('button', { name: 'Add a parameter' }).click();
    await page.getByRole('table', { name: 'Parameters' }).getByRole('textbox', { name: 'Name' }).fill('who');
    await page.getByRole('textbox', { name: 'Deadline' }).fill('soon');
    await page.getByRole('textbox', { name: 'Name' }).last().fill('GreetingJob');
    await page.getByRole('button', { name: 'New job' }).click();
    await page.getByText(/duration|soon/).first().waitFor();
    await page.getByRole('textbox', { name: 'Deadline' }).fill('2m');
    await page.getByRole('button', { name: 'New job' }).click();
    await page.getByRole('heading', { level: 1, name: 'GreetingJob' }).waitFor();
    await page.context().close();
  });

  it('begins a job with a template, of a size that people made', async () => {
    await w().server.put('/pod-sizes/Wide', { milliCpu: 1500, memoryMiB: 1536 });
    const page = await w().open();
    await page.goto('/jobs?q=Greeting');
    await page.getByRole('link', { name: 'GreetingJob' }).click();
    await page.getByRole('button', { name: 'Make a template' }).click();
    await page.getByText('New jobs can begin with GreetingJob.').waitFor();
    await page.goto('/jobs/new');
    await page.getByRole('textbox', { name: 'Begin with' }).click();
    await page.getByRole('option', { name: /^HelloWorldJob/ }).waitFor(); // ships with the program
    await page.getByRole('option', { name: /^GreetingJob/ }).click();
    await page.getByRole('textbox', { name: 'Code' }).getByText('params.string').waitFor();
    expect(await page.getByRole('textbox', { name: 'Deadline' }).inputValue()).toBe('2m0s');
    await page.getByRole('textbox', { name: 'Size' }).click();
    await page.getByRole('option', { name: 'Wide: 1.5 CPU, 1536 MiB' }).click();
    await page.getByRole('textbox', { name: 'Name' }).last().fill('HailJob');
    await settled(page);
    await shot(page, 'job-new-light-1440');
    await page.getByRole('button', { name: 'New job' }).click();
    await page.getByRole('heading', { level: 1, name: 'HailJob' }).waitFor();
    await page.context().close();
  });

  it('runs it, and shows its log while it comes', async () => {
    const page = await w().open();
    await page.goto('/jobs?q=Greeting');
    await page.getByRole('link', { name: 'GreetingJob' }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Project' }).click();
    await page.getByRole('option', { name: 'Acme' }).click();
    await dialog.getByRole('textbox', { name: 'who' }).fill('world');
    await dialog.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('log').getByText('hello, world').waitFor();
    await page.getByRole('banner').or(page.locator('header')).getByText('Succeeded').waitFor();
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByText('Repeats').waitFor();
    await page.context().close();
  });

  it('subscribes it to a finding, with problems shown where they are', async () => {
    const page = await w().open();
    await page.goto('/subscriptions/new?finding=CertificateFinding&job=GreetingJob');
    await page.getByText('correct', { exact: true }).waitFor();
    const editor = page.getByRole('textbox', { name: 'Document' });
    await editor.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.insertText('colour: red\n');
    await page.getByText('1 problem', { exact: true }).waitFor();
    await page.getByText('7:1').waitFor();
    expect(await page.locator('.cm-lintRange-error').textContent()).toBe('colour');
    await shot(page, 'subscription-wrong-light-1440');
    await page.keyboard.press('Control+z');
    await page.getByText('correct', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: 'Certificate to GreetingJob' }).waitFor();
    await page.getByText('On', { exact: true }).first().click();
    await page.getByText('Off', { exact: true }).first().waitFor();
    await page.goto('/subscriptions?q=Greeting');
    await settled(page);
    await page.getByRole('row').filter({ hasText: 'CertificateFinding' }).getByText('Off').waitFor();
    await page.context().close();
  });
}
