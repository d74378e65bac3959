package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// kindJobTemplate is the kind of job templates among the entities. Only the control
// plane knows them: a template is what a job is begun with, and runs nowhere.
const kindJobTemplate record.ChangeKind = "job template"

// maxJobTemplates bounds how many people and sources may add.
const maxJobTemplates = 1000

// LoadTemplates reads */template.yaml with the code beside it: the templates that
// ship with the program.
func LoadTemplates(fsys fs.FS) ([]pipeline.Job, error) {
	files, _ := fs.Glob(fsys, "*/template.yaml") // the pattern is right
	list, errs := make([]pipeline.Job, 0, len(files)), []error(nil)
	for _, file := range files {
		j, err := loadJob(fsys, file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		j.ID, j.BuiltIn, j.Version = pipeline.DeriveID("job template", j.Name), true, 1
		list = append(list, j)
	}
	return list, errors.Join(errs...)
}

// JobTemplates returns every job template, by name.
func (c *Control) JobTemplates(ctx context.Context) ([]pipeline.Job, error) {
	all, err := list[pipeline.Job](ctx, c.store, kindJobTemplate)
	if err != nil {
		return nil, err
	}
	all = append(all, c.templates...)
	slices.SortFunc(all, func(a, b pipeline.Job) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// JobTemplate returns one job template, or CodeNotFound.
func (c *Control) JobTemplate(ctx context.Context, id string) (pipeline.Job, error) {
	if i := slices.IndexFunc(c.templates, func(j pipeline.Job) bool { return j.ID == id }); i >= 0 {
		return c.templates[i], nil
	}
	return get[pipeline.Job](ctx, c.store, kindJobTemplate, id)
}

// CreateJobTemplate adds a job template. j.ID may be set, so that creating it again
// finds it; version and time are set here.
func (c *Control) CreateJobTemplate(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	j.ID, j.Version, j.BuiltIn, j.SourceID, j.SourceFile = newID(j.ID), 1, false, "", ""
	have, err := c.store.List(ctx, kindJobTemplate)
	if err != nil {
		return j, err
	}
	if len(have) >= maxJobTemplates {
		return j, pipeline.Errorf(pipeline.CodeTooLarge, "there are %d job templates, which is the most there may be", maxJobTemplates)
	}
	return create(ctx, c, kindJobTemplate, j.ID, func() (pipeline.Job, error) { return c.saveJobTemplate(ctx, j) })
}

// UpdateJobTemplate replaces a job template. j.Version is the version the change is
// based on; another one stored meanwhile is CodeConflict.
func (c *Control) UpdateJobTemplate(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	switch {
	case j.BuiltIn:
		return j, pipeline.Errorf(pipeline.CodeForbidden, "a built-in job template is read-only: make another one from it")
	case j.SourceID != "":
		return j, fromSource("job template")
	}
	j.Version++
	return c.saveJobTemplate(ctx, j)
}

func (c *Control) saveJobTemplate(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	if err := c.checkTemplate(ctx, &j); err != nil {
		return j, err
	}
	j.UpdatedAt = c.now().UTC().Truncate(time.Millisecond)
	return j, c.keepTemplate(ctx, &j)
}

// checkTemplate reports what is wrong with a job template: what would be wrong with
// the job.
func (c *Control) checkTemplate(ctx context.Context, j *pipeline.Job) error {
	if slices.ContainsFunc(c.templates, func(t pipeline.Job) bool { return t.Name == j.Name }) {
		return pipeline.Errorf(pipeline.CodeConflict, "a job template named %q ships with Stalker", j.Name)
	}
	return c.checkJob(ctx, j)
}

func (c *Control) keepTemplate(ctx context.Context, j *pipeline.Job) error {
	body, err := encode(j)
	if err != nil {
		return err
	}
	return c.store.Keep(ctx, Entity{Kind: kindJobTemplate, ID: j.ID, Name: j.Name, Version: j.Version, Body: body})
}

// DeleteJobTemplate removes a job template. Jobs that were begun with it stay.
func (c *Control) DeleteJobTemplate(ctx context.Context, j pipeline.Job) error {
	switch {
	case j.BuiltIn:
		return pipeline.Errorf(pipeline.CodeForbidden, "a built-in job template cannot be deleted")
	case j.SourceID != "":
		return fromSource("job template")
	}
	return c.store.Forget(ctx, kindJobTemplate, j.ID)
}
