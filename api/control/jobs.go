package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Jobs returns every job, by name.
func (c *Control) Jobs(ctx context.Context) ([]pipeline.Job, error) {
	return list[pipeline.Job](ctx, c.store, record.ChangeJob)
}

// Job returns one job, or CodeNotFound.
func (c *Control) Job(ctx context.Context, id string) (pipeline.Job, error) {
	return get[pipeline.Job](ctx, c.store, record.ChangeJob, id)
}

// CreateJob adds a job. j.ID may be set, so that creating it again finds it; version
// and time are set here.
func (c *Control) CreateJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	j.ID, j.Version, j.BuiltIn = newID(j.ID), 1, false
	j.SourceID, j.SourceFile = "", ""
	return create(ctx, c, record.ChangeJob, j.ID, func() (pipeline.Job, error) { return c.saveJob(ctx, j) })
}

// UpdateJob replaces a job. j.Version is the version the change is based on; another
// one stored meanwhile is CodeConflict.
func (c *Control) UpdateJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	switch {
	case j.BuiltIn:
		return j, readOnly("job")
	case j.SourceID != "":
		return j, fromSource("job")
	}
	j.Version++
	return c.saveJob(ctx, j)
}

func (c *Control) saveJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	if err := c.checkJob(ctx, &j); err != nil {
		return j, err
	}
	j.UpdatedAt = c.now().UTC().Truncate(time.Millisecond)
	e := Entity{Kind: record.ChangeJob, ID: j.ID, Name: j.Name, Version: j.Version}
	_, err := save(ctx, c, e, &j, record.Change{Kind: record.ChangeJob, ID: j.ID, Job: &j})
	return j, err
}

// DuplicateJob adds a copy that may be changed. An empty name is made from the
// original's.
func (c *Control) DuplicateJob(ctx context.Context, id, name, newID string) (pipeline.Job, error) {
	j, err := c.Job(ctx, id)
	if err != nil {
		return j, err
	}
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return j, err
	}
	if name == "" {
		name = copyName(j.Name, func(s string) bool {
			return slices.ContainsFunc(jobs, func(o pipeline.Job) bool { return o.Name == s && o.ID != newID })
		})
	}
	j.OriginID = origin(j.ID, j.OriginID, j.BuiltIn, j.SourceID)
	j.ID, j.Name = newID, name
	return c.CreateJob(ctx, j)
}

// DeleteJob removes a job. Subscriptions that name it stay and are shown as broken.
func (c *Control) DeleteJob(ctx context.Context, j pipeline.Job) error {
	switch {
	case j.BuiltIn:
		return readOnly("job")
	case j.SourceID != "":
		return fromSource("job")
	}
	return c.remove(ctx, record.ChangeJob, j.ID)
}

func (c *Control) remove(ctx context.Context, kind record.ChangeKind, id string) error {
	seq, err := c.store.Remove(ctx, kind, id)
	if err != nil {
		return err
	}
	_, err = c.published(ctx, seq)
	return err
}

func readOnly(what string) error {
	return pipeline.Errorf(pipeline.CodeForbidden, "a built-in %s is read-only: duplicate it and change the copy", what)
}

func newID(id string) string {
	if id != "" {
		return id
	}
	return pipeline.NewID()
}

// create saves something new. When the id was there already, because the same
// request came twice, what it named then is the answer.
func create[T any](ctx context.Context, c *Control, kind record.ChangeKind, id string, save func() (T, error)) (T, error) {
	out, err := save()
	if pipeline.CodeOf(err) != pipeline.CodeConflict {
		return out, err
	}
	if was, getErr := get[T](ctx, c.store, kind, id); getErr == nil {
		return was, nil
	}
	return out, err
}

// copyName returns "name copy", or the first "name copy 2", 3, … that is free.
func copyName(name string, taken func(string) bool) string {
	name = strings.TrimSpace(name)
	for i := 1; ; i++ {
		s := name + " copy"
		if i > 1 {
			s = fmt.Sprintf("%s copy %d", name, i)
		}
		if !taken(s) {
			return s
		}
	}
}

// Limits on a job.
const (
	maxCode       = 1 << 20
	maxSummary    = 1000
	maxParameters = 200
	maxDeadline   = 7 * 24 * time.Hour
)

// checkJob reports what is wrong with a job by itself, see Control.checkJob. It changes nothing but
// spaces around the name.
func checkJob(j *pipeline.Job) Problems {
	var out Problems
	fail := func(path, format string, args ...any) {
		out = append(out, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	j.Name = strings.TrimSpace(j.Name)
	if j.Name == "" || len(j.Name) > maxName {
		fail("name", "must have 1 to %d bytes", maxName)
	}
	if strings.ContainsFunc(j.Name, func(r rune) bool { return r < ' ' }) {
		fail("name", "must be one line")
	}
	if len(j.Summary) > maxSummary {
		fail("summary", "may have at most %d bytes", maxSummary)
	}
	if len(j.Code) > maxCode {
		fail("code", "may have at most %d bytes, has %d", maxCode, len(j.Code))
	}
	if j.PodSize != "" && !pipeline.IsPodSizeName(j.PodSize) {
		fail("podSize", "%q is no name of a pod size, such as M", j.PodSize)
	}
	if j.Deadline < 0 || j.Deadline > maxDeadline {
		fail("deadline", "must be between 0s and %s", maxDeadline)
	}
	checkKind(j, fail)
	if len(j.Parameters) > maxParameters {
		fail("parameters", "may have at most %d entries", maxParameters)
	}
	seen := map[string]bool{}
	for i, p := range j.Parameters {
		checkParameter(p, fmt.Sprintf("parameters[%d]", i), seen, fail)
	}
	return out
}

// checkKind checks that type, language and what is run fit together.
func checkKind(j *pipeline.Job, fail func(path, format string, args ...any)) {
	want := func(ok bool, path, format string, args ...any) {
		if !ok {
			fail(path, format, args...)
		}
	}
	switch j.Type {
	case pipeline.JobCode:
		want(j.Language == "python", "language", "must be python for type code, is %q", j.Language)
		want(strings.TrimSpace(j.Code) != "", "code", "is required")
	case pipeline.JobNuclei:
		want(j.Language == "yaml", "language", "must be yaml for type nuclei, is %q", j.Language)
		want(strings.TrimSpace(j.Code) != "", "code", "is required: the nuclei template")
	case pipeline.JobContainer:
		want(j.Image != "", "image", "is required for type container")
		want(j.Code == "", "code", "means nothing for type container: the image has it")
	default:
		fail("type", "%q is none of code, nuclei, container", j.Type)
	}
	want(j.Handler == "" || j.Type == pipeline.JobNuclei, "handler", "is for type nuclei only")
	want(len(j.Command) == 0 || j.Type == pipeline.JobContainer, "command", "is for type container only")
}

var parameterTypes = []string{"string", "number", "boolean", "string[]", "number[]"}

func checkParameter(p pipeline.Parameter, path string, seen map[string]bool, fail func(path, format string, args ...any)) {
	if err := normal.ParameterName(p.Name); err != nil {
		fail(path+".name", "%s", err)
	} else if seen[p.Name] {
		fail(path+".name", "%q is declared already", p.Name)
	}
	seen[p.Name] = true
	if !slices.Contains(parameterTypes, p.Type) {
		fail(path+".type", "%q is none of %s", p.Type, strings.Join(parameterTypes, ", "))
		return
	}
	if p.Default == nil {
		return
	}
	v, err := json.Marshal(p.Default)
	if err == nil {
		_, err = normal.Argument(p.Type, v)
	}
	if err != nil {
		fail(path+".default", "%s", err)
	}
}
