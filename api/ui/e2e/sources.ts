import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'vitest';
import { shot, type World } from './world';

const job = 'version: 2\nname: FromGitJob\ntype: code\nlanguage: python\n';
const good = 'name: Greet hosts\ntriggerType: event\nfindings: [HostnameIpFinding]\ncooldown: 86400\njob: {name: FromGitJob}\n';

/** sources keeps jobs and subscriptions in a repository of this machine. */
export function sources(w: () => World) {
  it('are read, say what is wrong in which file, and are read again when it is right', async () => {
    const repository = new Repository();
    const page = await w().open();
    try {
      repository.write({ 'jobs/FromGit/template.yaml': job, 'jobs/FromGit/main.py': 'print("hello")\n', 'subscriptions/greet.yaml': good.replace('cooldown: 86400\n', '') });
      await page.goto('/sources');
      await page.getByRole('button', { name: 'Add the first repository' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Repository').fill(`file://${repository.path}`);
      await dialog.getByRole('button', { name: 'Add a repository' }).click();
      const problems = page.getByRole('table', { name: 'Problems' });
      await problems.getByText('subscriptions/greet.yaml:1:1').waitFor();
      await problems.getByText('cooldown', { exact: true }).waitFor();
      await shot(page, 'sources-problem-light-1440');
      repository.write({ 'subscriptions/greet.yaml': good });
      await page.getByRole('button', { name: 'Read it now' }).click();
      await page.getByText('1 job, 1 subscription').waitFor();
      await problems.waitFor({ state: 'detached' });
      await page.getByRole('link', { name: 'Greet hosts' }).click();
      await page.getByText('It is kept in git, in subscriptions/greet.yaml').waitFor();
      await page.getByRole('link', { name: 'from git' }).click();
      await page.getByRole('heading', { level: 1, name: repository.path }).waitFor();
    } finally {
      repository.remove();
      await page.context().close();
    }
  });
}

class Repository {
  readonly path = mkdtempSync(join(tmpdir(), 'stalker-rules-'));

  constructor() {
    this.git('init', '-q', '-b', 'main', '.');
  }

  write(files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      writeFileSync(join(this.path, name), text);
    }
    this.git('add', '-A');
    this.git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false', 'commit', '-qm', 'rules');
  }

  remove() {
    rmSync(this.path, { recursive: true, force: true });
  }

  private git(...args: string[]) {
    execFileSync('git', args, { cwd: this.path });
  }
}
