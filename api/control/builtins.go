package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// LoadCatalogue reads jobs/*/template.yaml with main.py, and subscriptions/*.yaml,
// and reports every problem with its file.
func LoadCatalogue(fsys fs.FS) (jobs []pipeline.Job, subs []pipeline.Subscription, err error) {
	var errs []error
	dirs, _ := fs.Glob(fsys, "jobs/*/template.yaml") // the pattern is right
	for _, file := range dirs {
		j, err := loadJob(fsys, file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		jobs = append(jobs, j)
	}
	files, _ := fs.Glob(fsys, "subscriptions/*.yaml")
	for _, file := range files {
		s, err := loadSubscription(fsys, file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		subs = append(subs, s)
	}
	return jobs, subs, errors.Join(errs...)
}

// ReadJob reads a job from a folder: template.yaml, with main.py, nuclei.yaml and
// handler.py beside it.
func ReadJob(folder fs.FS) (pipeline.Job, error) {
	j, err := loadJob(folder, "template.yaml")
	j.ID, j.BuiltIn = "", false
	if err != nil {
		return j, fmt.Errorf("template.yaml: %w", err)
	}
	return j, nil
}

func loadJob(fsys fs.FS, file string) (pipeline.Job, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return pipeline.Job{}, err
	}
	t, root, err := parseTemplate(text)
	if err != nil {
		return pipeline.Job{}, err
	}
	j := t.job(root)
	for _, c := range []struct {
		file string
		into *string
	}{{"main.py", &j.Code}, {"nuclei.yaml", &j.Code}, {"handler.py", &j.Handler}} {
		b, err := fs.ReadFile(fsys, path.Join(path.Dir(file), c.file))
		if err == nil {
			*c.into = string(b)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return j, err
		}
	}
	for _, p := range checkJob(&j) {
		t.at(p.Path, p.Message)
	}
	if len(t.problems) > 0 {
		return j, t.sorted()
	}
	j.ID, j.BuiltIn = pipeline.DeriveID("job", j.Name), true
	return j, nil
}

func loadSubscription(fsys fs.FS, file string) (pipeline.Subscription, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return pipeline.Subscription{}, err
	}
	d, err := rule.Check(text)
	if err != nil {
		return pipeline.Subscription{}, err
	}
	return pipeline.Subscription{
		ID: pipeline.DeriveID("subscription", path.Base(file)), Name: d.Name, Enabled: d.Enabled == nil || *d.Enabled, BuiltIn: true, Document: string(text),
	}, nil
}

// SeedBuiltIns makes the stored built-in jobs and subscriptions equal to the given
// ones: new ones are added, changed ones updated, vanished ones removed. A person's
// enabling or disabling of a subscription is kept.
func (c *Control) SeedBuiltIns(ctx context.Context, jobs []pipeline.Job, subs []pipeline.Subscription) error {
	keep := map[string]bool{}
	for _, j := range jobs {
		keep[j.ID] = true
		if err := again(func() error { return c.seedJob(ctx, j) }); err != nil {
			return fmt.Errorf("seeding job %s: %w", j.Name, err)
		}
	}
	for _, s := range subs {
		keep[s.ID] = true
		if err := again(func() error { return c.seedSubscription(ctx, s) }); err != nil {
			return fmt.Errorf("seeding subscription %s: %w", s.Name, err)
		}
	}
	for _, kind := range []record.ChangeKind{record.ChangeJob, record.ChangeSubscription} {
		if err := c.dropBuiltIns(ctx, kind, keep); err != nil {
			return fmt.Errorf("removing built-in %ss: %w", kind, err)
		}
	}
	return nil
}

// again reads and saves anew when another process that starts saved first.
func again(save func() error) (err error) {
	for range 3 {
		if err = save(); pipeline.CodeOf(err) != pipeline.CodeConflict {
			return err
		}
	}
	return err
}

func (c *Control) seedJob(ctx context.Context, j pipeline.Job) error {
	was, err := get[pipeline.Job](ctx, c.store, record.ChangeJob, j.ID)
	if err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
		return err
	}
	j.Version, j.UpdatedAt = was.Version, was.UpdatedAt
	if same(j, was) {
		return nil
	}
	j.Version, j.UpdatedAt = was.Version+1, c.now().UTC()
	e := Entity{Kind: record.ChangeJob, ID: j.ID, Name: j.Name, BuiltIn: true, Version: j.Version}
	return c.seed(ctx, e, j, record.Change{Kind: record.ChangeJob, ID: j.ID, Job: &j})
}

func (c *Control) seedSubscription(ctx context.Context, s pipeline.Subscription) error {
	was, err := get[pipeline.Subscription](ctx, c.store, record.ChangeSubscription, s.ID)
	if err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
		return err
	}
	if was.ID != "" {
		s.Enabled = was.Enabled
	}
	s.Version, s.UpdatedAt = was.Version, was.UpdatedAt
	if same(s, was) {
		return nil
	}
	s.Version, s.UpdatedAt = was.Version+1, c.now().UTC()
	e := Entity{Kind: record.ChangeSubscription, ID: s.ID, Name: s.Name, BuiltIn: true, Version: s.Version}
	return c.seed(ctx, e, s, record.Change{Kind: record.ChangeSubscription, ID: s.ID, Subscription: &s})
}

// seed saves without waiting for the bus: nobody asked. The name of a new built-in job that a
// person has used already is the person's: an upgrade takes nothing away, and must not
// end with it.
func (c *Control) seed(ctx context.Context, e Entity, body any, change record.Change) error {
	var err error
	if e.Body, err = encode(body); err != nil {
		return err
	}
	_, err = c.store.Save(ctx, e, change)
	if pipeline.CodeOf(err) == pipeline.CodeConflict && e.BuiltIn && e.Kind == record.ChangeJob && e.Version == 1 {
		taken, listErr := c.taken(ctx, e)
		if listErr != nil {
			return listErr
		}
		if taken {
			c.log.Warn("somebody has made one of this name; the built-in job is left out", "job", e.Name)
			return nil
		}
	}
	c.wake()
	return err
}

// taken says whether another entity that is not built in has the name.
func (c *Control) taken(ctx context.Context, e Entity) (bool, error) {
	list, err := c.store.List(ctx, e.Kind)
	return slices.ContainsFunc(list, func(other Entity) bool { return other.Name == e.Name && other.ID != e.ID && !other.BuiltIn }), err
}

func (c *Control) dropBuiltIns(ctx context.Context, kind record.ChangeKind, keep map[string]bool) error {
	entities, err := c.store.List(ctx, kind)
	if err != nil {
		return err
	}
	for _, e := range entities {
		if e.BuiltIn && !keep[e.ID] {
			if _, err := c.store.Remove(ctx, kind, e.ID); err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
				return err
			}
			c.wake()
		}
	}
	return nil
}
