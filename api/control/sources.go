package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/api/control/gitsource"
	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// kindSource is the kind of sources among the entities. Only the control plane knows
// them: what is in them reaches the other roles as jobs and subscriptions.
const kindSource record.ChangeKind = "source"

// Bounds of sources.
const (
	maxSources        = 100
	maxFiles          = 2000             // of one source
	maxFile           = 1 << 20          // bytes
	maxFileProblems   = 200              // that are kept
	minSourceInterval = time.Minute      //
	sourceTick        = 15 * time.Second // how often it is looked what is due
)

// fetcher reads repositories. Package gitsource has one.
type fetcher interface {
	Check(address string) error
	Fetch(ctx context.Context, address, branch string, login gitsource.Login, folders ...string) (gitsource.Tree, error)
}

// Sources keeps jobs and subscriptions as they are in git repositories. Run must be
// running for what is due to be read.
type Sources struct {
	*Control
	fetch fetcher
	mu    sync.Mutex // one at a time: they share names
}

// NewSources returns the sources of a control plane.
func NewSources(c *Control, f *gitsource.Fetcher) *Sources { return &Sources{Control: c, fetch: f} }

// Run reads what is due, until ctx ends.
func (s *Sources) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sourceTick):
		}
		list, err := s.Sources(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("sources cannot be read", "err", err)
		}
		for _, src := range list {
			if src.Interval > 0 && (src.SyncedAt == nil || s.now().Sub(*src.SyncedAt) >= src.Interval) && ctx.Err() == nil {
				if got, err := s.SyncSource(ctx, src.ID); err != nil || got.Error != "" {
					s.log.Warn("a source could not be read", "source", src.ID, "url", src.URL, "reason", got.Error, "err", err)
				}
			}
		}
	}
}

// Sources returns every source, by address, without its key.
func (s *Sources) Sources(ctx context.Context) ([]pipeline.GitSource, error) {
	all, err := list[pipeline.GitSource](ctx, s.store, kindSource)
	for i := range all {
		all[i].Sealed = nil
	}
	return all, err
}

// Source returns one source without its key, or CodeNotFound.
func (s *Sources) Source(ctx context.Context, id string) (pipeline.GitSource, error) {
	src, err := s.stored(ctx, id)
	src.Sealed = nil
	return src, err
}

func (c *Control) stored(ctx context.Context, id string) (pipeline.GitSource, error) {
	return get[pipeline.GitSource](ctx, c.store, kindSource, id)
}

// CreateSource adds a source and reads it. A key that is nil or "" is none.
func (s *Sources) CreateSource(ctx context.Context, src pipeline.GitSource, key *string) (pipeline.GitSource, error) {
	have, err := s.Sources(ctx)
	if err != nil {
		return src, err
	}
	if len(have) >= maxSources {
		return src, pipeline.Errorf(pipeline.CodeTooLarge, "there are %d sources, which is the most there may be", maxSources)
	}
	next := pipeline.GitSource{ID: newID(src.ID), URL: src.URL, Branch: src.Branch, Interval: src.Interval, KnownHosts: src.KnownHosts, Version: 1}
	if err := s.prepare(&next, key); err != nil {
		return next, err
	}
	if err := s.keep(ctx, &next, 1); err != nil {
		if was, getErr := s.Source(ctx, next.ID); getErr == nil && pipeline.CodeOf(err) == pipeline.CodeConflict {
			return was, nil // the same request again
		}
		next.Sealed = nil
		return next, err
	}
	return s.SyncSource(ctx, next.ID)
}

// UpdateSource changes where a source is, how often it is read and who asks, and reads
// it. A key that is nil stays as it is, and "" is none.
func (s *Sources) UpdateSource(ctx context.Context, src pipeline.GitSource, key *string) (pipeline.GitSource, error) {
	s.mu.Lock()
	was, err := s.stored(ctx, src.ID)
	if err == nil && was.Version != src.Version {
		err = pipeline.Errorf(pipeline.CodeConflict, "the source was changed meanwhile: read it again")
	}
	if err == nil {
		was.URL, was.Branch, was.Interval, was.KnownHosts = src.URL, src.Branch, src.Interval, src.KnownHosts
		was.Version++
		err = s.prepare(&was, key)
	}
	if err == nil {
		err = s.update(ctx, &was)
	}
	s.mu.Unlock()
	if was.Sealed = nil; err != nil {
		return was, err
	}
	return s.SyncSource(ctx, src.ID)
}

// DeleteSource removes a source and all that came from it.
func (s *Sources) DeleteSource(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.Source(ctx, id); err != nil {
		return err
	}
	if err := s.drop(ctx, id, func(string) bool { return false }); err != nil {
		return err
	}
	return s.store.Forget(ctx, kindSource, id)
}

func (s *Sources) check(src *pipeline.GitSource) error {
	if err := s.fetch.Check(src.URL); err != nil {
		return err
	}
	if src.Interval != 0 && src.Interval < minSourceInterval {
		return pipeline.Errorf(pipeline.CodeInvalid, "interval: must be 0, for reading when somebody asks only, or at least %d seconds", int(minSourceInterval.Seconds()))
	}
	return gitsource.CheckBranch(src.Branch)
}

// SyncSource reads a source now. That it cannot be read, or that files in it are
// wrong, is no error but stands in the source: what it held before stays.
func (s *Sources) SyncSource(ctx context.Context, id string) (pipeline.GitSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src, err := s.stored(ctx, id)
	if err == nil {
		err = s.sync(ctx, &src)
	}
	src.Sealed = nil
	return src, err
}

func (s *Sources) sync(ctx context.Context, src *pipeline.GitSource) error {
	at := s.now().UTC().Truncate(time.Millisecond)
	src.SyncedAt, src.Error = &at, ""
	login, err := s.login(src)
	var tree gitsource.Tree
	if err == nil {
		tree, err = s.fetch.Fetch(ctx, src.URL, src.Branch, login, "jobs", "job-templates", "subscriptions")
	}
	if err != nil {
		src.Error = err.Error()
		return s.record(ctx, src)
	}
	src.Commit = tree.Commit
	if err := s.take(ctx, src, tree.Files); err != nil {
		return err
	}
	return s.record(ctx, src)
}

// record keeps what became of reading a source. What somebody set meanwhile stays:
// another process may have changed it, or closed its key anew.
func (s *Sources) record(ctx context.Context, src *pipeline.GitSource) error {
	return again(func() error {
		e, err := s.store.Get(ctx, kindSource, src.ID)
		var now pipeline.GitSource
		if err == nil {
			err = json.Unmarshal(e.Body, &now)
		}
		if err != nil {
			return err
		}
		now.SyncedAt, now.Commit, now.Error, now.Problems = src.SyncedAt, src.Commit, src.Error, src.Problems
		now.Jobs, now.Templates, now.Subscriptions = src.Jobs, src.Templates, src.Subscriptions
		*src = now
		return s.keep(ctx, src, e.Version+1)
	})
}

// take makes what is stored of a source equal to its files. A file that is wrong keeps
// what it held when it was right.
func (s *Sources) take(ctx context.Context, src *pipeline.GitSource, files fs.FS) error {
	src.Problems, src.Jobs, src.Templates, src.Subscriptions = nil, 0, 0, 0
	keep := map[string]bool{}
	for _, k := range []struct {
		patterns []string
		save     func(ctx context.Context, id, source, file string, files fs.FS) error
		count    *int
	}{
		{[]string{"jobs/*/template.yaml", "jobs/*/template.yml"}, s.takeJob, &src.Jobs},
		{[]string{"job-templates/*/template.yaml", "job-templates/*/template.yml"}, s.takeTemplate, &src.Templates},
		{[]string{"subscriptions/*.yaml", "subscriptions/*.yml"}, s.takeSubscription, &src.Subscriptions},
	} {
		for _, file := range globs(files, k.patterns) {
			id := pipeline.DeriveID("source", src.ID, file)
			keep[id] = true
			err := tooLarge(files, file)
			if len(keep) > maxFiles {
				err = fmt.Errorf("there are more than %d files", maxFiles)
			}
			if err == nil {
				err = again(func() error { return k.save(ctx, id, src.ID, file, files) })
			}
			if code := pipeline.CodeOf(err); err != nil && (code == pipeline.CodeUnavailable || ctx.Err() != nil) {
				return err
			}
			if err == nil {
				*k.count++
			} else if len(src.Problems) < maxFileProblems {
				src.Problems = append(src.Problems, problemsIn(file, err)...)
			}
		}
	}
	return s.drop(ctx, src.ID, func(id string) bool { return keep[id] })
}

func globs(files fs.FS, patterns []string) (out []string) {
	for _, p := range patterns {
		m, _ := fs.Glob(files, p) // the patterns are right
		out = append(out, m...)
	}
	slices.Sort(out)
	return out
}

func tooLarge(files fs.FS, file string) error {
	info, err := fs.Stat(files, file)
	if err == nil && info.Size() > maxFile {
		return fmt.Errorf("has %d bytes, at most %d may be", info.Size(), maxFile)
	}
	return err
}

// problemsIn says where in a file something is wrong.
func problemsIn(file string, err error) []pipeline.FileProblem {
	list, ok := errors.AsType[rule.Problems](err)
	if !ok {
		return []pipeline.FileProblem{{File: file, Message: err.Error()}}
	}
	out := make([]pipeline.FileProblem, 0, len(list))
	for _, p := range list[:min(len(list), 20)] {
		out = append(out, pipeline.FileProblem{File: file, Line: p.Line, Column: p.Column, Path: p.Path, Message: p.Message})
	}
	return out
}

func (s *Sources) takeJob(ctx context.Context, id, source, file string, files fs.FS) error {
	j, changed, err := s.read(ctx, record.ChangeJob, s.checkJob, id, source, file, files)
	if err != nil || !changed {
		return err
	}
	e := Entity{Kind: record.ChangeJob, ID: j.ID, Name: j.Name, Version: j.Version}
	return s.seed(ctx, e, j, record.Change{Kind: record.ChangeJob, ID: j.ID, Job: &j})
}

func (s *Sources) takeTemplate(ctx context.Context, id, source, file string, files fs.FS) error {
	j, changed, err := s.read(ctx, kindJobTemplate, s.checkTemplate, id, source, file, files)
	if err != nil || !changed {
		return err
	}
	return s.keepTemplate(ctx, &j)
}

// read is the job or the template in a file as it is to be stored; changed says that
// what is stored differs.
func (s *Sources) read(
	ctx context.Context, kind record.ChangeKind, check func(context.Context, *pipeline.Job) error, id, source, file string, files fs.FS,
) (j pipeline.Job, changed bool, err error) {
	if j, err = loadJob(files, file); err == nil {
		err = check(ctx, &j)
	}
	if err != nil {
		return j, false, err
	}
	was, err := get[pipeline.Job](ctx, s.store, kind, id)
	if err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
		return j, false, err
	}
	j.ID, j.BuiltIn, j.SourceID, j.SourceFile = id, false, source, file
	j.Version, j.UpdatedAt = was.Version, was.UpdatedAt
	if same(j, was) {
		return j, false, nil
	}
	j.Version, j.UpdatedAt = was.Version+1, s.now().UTC()
	return j, true, nil
}

func (s *Sources) takeSubscription(ctx context.Context, id, source, file string, files fs.FS) error {
	sub, err := loadSubscription(files, file)
	if err != nil {
		return err
	}
	was, err := get[pipeline.Subscription](ctx, s.store, record.ChangeSubscription, id)
	if err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
		return err
	}
	if was.ID != "" {
		sub.Enabled = was.Enabled // a person's decision
	}
	sub.ID, sub.BuiltIn, sub.SourceID, sub.SourceFile = id, false, source, file
	sub.Version, sub.UpdatedAt = was.Version, was.UpdatedAt
	if same(sub, was) {
		return nil
	}
	sub.Version, sub.UpdatedAt = was.Version+1, s.now().UTC()
	e := Entity{Kind: record.ChangeSubscription, ID: sub.ID, Name: sub.Name, Version: sub.Version}
	return s.seed(ctx, e, sub, record.Change{Kind: record.ChangeSubscription, ID: sub.ID, Subscription: &sub})
}

// drop removes what came from a source and is not kept.
func (s *Sources) drop(ctx context.Context, source string, keep func(id string) bool) error {
	for _, kind := range []record.ChangeKind{record.ChangeSubscription, record.ChangeJob, kindJobTemplate} {
		entities, err := s.store.List(ctx, kind)
		if err != nil {
			return err
		}
		for _, e := range entities {
			var of struct{ SourceID string }
			if err := json.Unmarshal(e.Body, &of); err != nil || of.SourceID != source || keep(e.ID) {
				continue
			}
			if err := s.removeQuietly(ctx, kind, e.ID); err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
				return err
			}
			s.wake()
		}
	}
	return nil
}

// removeQuietly removes something without waiting for the bus; what nobody else was
// told of is only forgotten.
func (s *Sources) removeQuietly(ctx context.Context, kind record.ChangeKind, id string) error {
	if kind == kindJobTemplate {
		return s.store.Forget(ctx, kind, id)
	}
	_, err := s.store.Remove(ctx, kind, id)
	return err
}

// update keeps the state of a source whose version the entity's own follows.
func (s *Sources) update(ctx context.Context, src *pipeline.GitSource) error {
	e, err := s.store.Get(ctx, kindSource, src.ID)
	if err != nil {
		return err
	}
	return s.keep(ctx, src, e.Version+1)
}

func (s *Sources) keep(ctx context.Context, src *pipeline.GitSource, version int64) error {
	body, err := encode(src)
	if err != nil {
		return err
	}
	return s.store.Keep(ctx, Entity{Kind: kindSource, ID: src.ID, Name: src.URL + "#" + src.Branch, Version: version, Body: body})
}

// fromSource says that something is as its source has it.
func fromSource(what string) error {
	return pipeline.Errorf(pipeline.CodeForbidden, "this %s comes from a git source and is as it is there: duplicate it and change the copy", what)
}
