package control

import (
	"context"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// origin is what a copy may be made equal to again: the thing itself when it is kept
// elsewhere, or else what it was copied from, "" when a person wrote that.
func origin(id, of string, builtIn bool, sourceID string) string {
	if builtIn || sourceID != "" {
		return id
	}
	return of
}

// RevertSubscription gives a copy the document that its original has now, under the
// copy's own name; an original becomes enabled or disabled as its document says. It is
// CodeConflict for what a person wrote, and when the original is gone. s.Version is the
// version the change is based on.
func (c *Control) RevertSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error) {
	next := s
	if s.BuiltIn || s.SourceID != "" {
		if d, err := rule.Parse([]byte(s.Document)); err == nil {
			next.Enabled = d.Enabled == nil || *d.Enabled
		}
	} else {
		was, err := c.Subscription(ctx, s.OriginID)
		if err != nil {
			return s, noOrigin("subscription", s.OriginID, err)
		}
		if next.Document, err = rename(was.Document, s.Name); err != nil {
			return s, err
		}
	}
	if same(next, s) {
		return s, nil
	}
	return c.UpdateSubscription(ctx, next)
}

// RevertJob makes a copy what its original is now, except for its name; an original
// is what it is. Errors are those of RevertSubscription.
func (c *Control) RevertJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error) {
	if j.BuiltIn || j.SourceID != "" {
		return j, nil
	}
	next, err := c.Job(ctx, j.OriginID)
	if err != nil {
		return j, noOrigin("job", j.OriginID, err)
	}
	next.ID, next.Name, next.Version, next.UpdatedAt = j.ID, j.Name, j.Version, j.UpdatedAt
	next.BuiltIn, next.SourceID, next.SourceFile, next.OriginID = false, "", "", j.OriginID
	if same(next, j) {
		return j, nil
	}
	return c.UpdateJob(ctx, next)
}

func noOrigin(what, id string, err error) error {
	switch {
	case id == "":
		return pipeline.Errorf(pipeline.CodeConflict, "this %s is no copy of a built-in one or of one from a git source: there is nothing it could become again", what)
	case pipeline.CodeOf(err) == pipeline.CodeNotFound:
		return pipeline.Errorf(pipeline.CodeConflict, "the %s that this one was copied from is gone", what)
	default:
		return err
	}
}
