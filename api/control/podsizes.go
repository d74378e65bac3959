package control

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// maxPodSizes bounds how many sizes people may add or change.
const maxPodSizes = 100

// PodSizes returns every pod size, from small to large: those of the configuration,
// as people have changed them, and those that people have added.
func (c *Control) PodSizes(ctx context.Context) ([]pipeline.PodSize, error) {
	stored, err := list[pipeline.PodSize](ctx, c.store, record.ChangePodSize)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(c.sizes)
	for _, s := range stored {
		i := slices.IndexFunc(all, func(x pipeline.PodSize) bool { return x.Name == s.Name })
		if i < 0 {
			all = append(all, s)
			continue
		}
		s.Configured = true
		all[i] = s
	}
	slices.SortStableFunc(all, func(a, b pipeline.PodSize) int {
		return cmp.Or(cmp.Compare(a.MemoryMiB, b.MemoryMiB), cmp.Compare(a.MilliCPU, b.MilliCPU), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}

// LargestPodSize is the most that SavePodSize takes.
func (c *Control) LargestPodSize() pipeline.PodSize { return c.largest }

// PodSize returns one pod size, or CodeNotFound.
func (c *Control) PodSize(ctx context.Context, name string) (pipeline.PodSize, error) {
	all, err := c.PodSizes(ctx)
	if err != nil {
		return pipeline.PodSize{}, err
	}
	i := slices.IndexFunc(all, func(s pipeline.PodSize) bool { return s.Name == name })
	if i < 0 {
		return pipeline.PodSize{}, pipeline.Errorf(pipeline.CodeNotFound, "no pod size is named %q", name)
	}
	return all[i], nil
}

// SavePodSize adds a pod size, or changes the one of its name. s.Version is the
// version the change is based on; another one stored meanwhile is CodeConflict.
func (c *Control) SavePodSize(ctx context.Context, s pipeline.PodSize) (pipeline.PodSize, error) {
	if p := c.checkPodSize(&s); len(p) > 0 {
		return s, p
	}
	configured := slices.ContainsFunc(c.sizes, func(x pipeline.PodSize) bool { return x.Name == s.Name })
	if s.Version == 0 {
		have, err := c.store.List(ctx, record.ChangePodSize)
		if err != nil {
			return s, err
		}
		if len(have) >= maxPodSizes {
			return s, pipeline.Errorf(pipeline.CodeTooLarge, "there are %d pod sizes, which is the most there may be", maxPodSizes)
		}
	}
	s.Configured, s.Version, s.UpdatedAt = false, s.Version+1, c.now().UTC().Truncate(time.Millisecond)
	e := Entity{Kind: record.ChangePodSize, ID: s.Name, Name: s.Name, Version: s.Version}
	_, err := save(ctx, c, e, &s, record.Change{Kind: record.ChangePodSize, ID: s.Name, PodSize: &s})
	s.Configured = configured
	return s, err
}

// DeletePodSize removes a pod size. One of the configuration's becomes what it is
// there. One that jobs ask for stays: CodeConflict.
func (c *Control) DeletePodSize(ctx context.Context, s pipeline.PodSize) error {
	if s.Configured {
		if s.Version == 0 {
			return pipeline.Errorf(pipeline.CodeForbidden, "pod size %q is as the server's configuration has it; it can be changed, and not deleted", s.Name)
		}
		return c.remove(ctx, record.ChangePodSize, s.Name)
	}
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return err
	}
	var users []string
	for _, j := range jobs {
		if j.PodSize == s.Name {
			users = append(users, j.Name)
		}
	}
	if n := len(users); n > 0 {
		return pipeline.Errorf(pipeline.CodeConflict, "%d jobs ask for pod size %q: %s", n, s.Name, pipeline.Clip(strings.Join(users, ", "), 300))
	}
	return c.remove(ctx, record.ChangePodSize, s.Name)
}

func (c *Control) checkPodSize(s *pipeline.PodSize) (out Problems) {
	say := func(path, format string, a ...any) {
		out = append(out, Problem{Path: path, Message: fmt.Sprintf(format, a...)})
	}
	if !pipeline.IsPodSizeName(s.Name) {
		say("name", "must have 1 to 20 letters, digits, dots, dashes and underscores, and begin with a letter or digit")
	}
	if s.MilliCPU < pipeline.MinMilliCPU || s.MilliCPU > c.largest.MilliCPU {
		say("milliCpu", "must be between %d and %d", pipeline.MinMilliCPU, c.largest.MilliCPU)
	}
	if s.MemoryMiB < pipeline.MinMemoryMiB || s.MemoryMiB > c.largest.MemoryMiB {
		say("memoryMiB", "must be between %d and %d", pipeline.MinMemoryMiB, c.largest.MemoryMiB)
	}
	return out
}

// checkJob reports everything that is wrong with a job, the sizes there are included.
func (c *Control) checkJob(ctx context.Context, j *pipeline.Job) error {
	p := checkJob(j)
	if pipeline.IsPodSizeName(j.PodSize) {
		all, err := c.PodSizes(ctx)
		if err != nil {
			return err
		}
		names := make([]string, len(all))
		for i, s := range all {
			names[i] = s.Name
		}
		if !slices.Contains(names, j.PodSize) {
			p = append(p, Problem{Path: "podSize", Message: fmt.Sprintf("%q is none of %s", j.PodSize, strings.Join(names, ", "))})
		}
	}
	if len(p) > 0 {
		return p
	}
	return nil
}
