package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Subscriptions returns every subscription, by name.
func (c *Control) Subscriptions(ctx context.Context) ([]pipeline.Subscription, error) {
	return list[pipeline.Subscription](ctx, c.store, record.ChangeSubscription)
}

// Subscription returns one subscription, or CodeNotFound.
func (c *Control) Subscription(ctx context.Context, id string) (pipeline.Subscription, error) {
	return get[pipeline.Subscription](ctx, c.store, record.ChangeSubscription, id)
}

// CreateSubscription adds a subscription; its name is the document's. s.ID may be
// set, so that creating it again finds it.
func (c *Control) CreateSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error) {
	s.ID, s.Version, s.BuiltIn = newID(s.ID), 1, false
	s.SourceID, s.SourceFile = "", ""
	if s.ProjectID != "" {
		if _, err := c.Project(ctx, s.ProjectID); err != nil {
			return s, err
		}
	}
	return create(ctx, c, record.ChangeSubscription, s.ID, func() (pipeline.Subscription, error) { return c.saveSubscription(ctx, s) })
}

// UpdateSubscription replaces what a person may change: the document, and whether
// it is enabled; of a built-in one or one from a source, the latter only. s.Version is the version the
// change is based on.
func (c *Control) UpdateSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error) {
	if s.BuiltIn || s.SourceID != "" {
		was, err := c.Subscription(ctx, s.ID)
		if err != nil {
			return s, err
		}
		switch {
		case was.Document == s.Document:
		case s.BuiltIn:
			return s, readOnly("subscription")
		default:
			return s, fromSource("subscription")
		}
	}
	s.Version++
	return c.saveSubscription(ctx, s)
}

// saveSubscription checks a document that is new or another one than before: one that
// was right when it was stored can still be switched off when it is not any more.
func (c *Control) saveSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error) {
	d, err := rule.Check([]byte(s.Document))
	if err != nil {
		was, getErr := c.Subscription(ctx, s.ID)
		if getErr != nil || was.Document != s.Document {
			return s, err
		}
		d = &rule.Document{Name: was.Name}
	}
	s.Name, s.UpdatedAt = strings.TrimSpace(d.Name), c.now().UTC().Truncate(time.Millisecond)
	if len(s.Name) > maxName {
		return s, Problems{{Path: "name", Message: fmt.Sprintf("may have at most %d bytes", maxName)}}
	}
	e := Entity{Kind: record.ChangeSubscription, ID: s.ID, Name: s.Name, BuiltIn: s.BuiltIn, Version: s.Version}
	_, err = save(ctx, c, e, &s, record.Change{Kind: record.ChangeSubscription, ID: s.ID, Subscription: &s})
	return s, err
}

// DuplicateSubscription adds a copy that may be changed, disabled so that the two
// do not both fire. An empty name is made from the original's; projectID says to
// whom the copy belongs, "" to every project.
func (c *Control) DuplicateSubscription(ctx context.Context, s pipeline.Subscription, name, projectID, newID string) (pipeline.Subscription, error) {
	subs, err := c.Subscriptions(ctx)
	if err != nil {
		return s, err
	}
	if name == "" {
		name = copyName(s.Name, func(n string) bool {
			return slices.ContainsFunc(subs, func(o pipeline.Subscription) bool { return o.Name == n && o.ID != newID })
		})
	}
	if s.Document, err = rename(s.Document, name); err != nil {
		return s, err
	}
	s.OriginID = origin(s.ID, s.OriginID, s.BuiltIn, s.SourceID)
	s.ID, s.ProjectID, s.Enabled = newID, projectID, false
	return c.CreateSubscription(ctx, s)
}

// rename puts another name into a document and leaves the rest, comments too, as it is.
func rename(document, name string) (string, error) {
	f, err := parser.ParseBytes([]byte(document), parser.ParseComments)
	if err != nil {
		return "", syntax(err)
	}
	path, err := yaml.PathString("$.name")
	if err != nil {
		return "", err
	}
	n, err := path.FilterFile(f)
	if err != nil {
		return "", syntax(err)
	}
	if _, plain := n.(*ast.StringNode); !plain {
		return "", Problems{{Path: "name", Message: "must be text on one line"}}
	}
	pos := n.GetToken().Position
	lines := strings.SplitAfter(document, "\n")
	quoted, err := yaml.Marshal(name)
	if err != nil {
		return "", err
	}
	next := strings.TrimSpace(string(quoted))
	if pos.Line > len(lines) || strings.Contains(next, "\n") {
		return "", Problems{{Path: "name", Message: "must be one line"}}
	}
	text := lines[pos.Line-1]
	at := byteOffset(text, pos.Column)
	old := strings.TrimRight(strings.TrimLeft(n.GetToken().Origin, " \n"), " \n")
	if !strings.HasPrefix(text[at:], old) {
		return "", Problems{{Line: pos.Line, Column: pos.Column, Path: "name", Message: "must be one line"}}
	}
	lines[pos.Line-1] = text[:at] + next + text[at+len(old):]
	return strings.Join(lines, ""), nil
}

// byteOffset is where the n-th character of a text begins, counted from 1.
func byteOffset(s string, n int) int {
	for i := range s {
		if n--; n == 0 {
			return i
		}
	}
	return len(s)
}

// DeleteSubscription removes a subscription.
func (c *Control) DeleteSubscription(ctx context.Context, s pipeline.Subscription) error {
	if s.BuiltIn {
		return pipeline.Errorf(pipeline.CodeForbidden, "a built-in subscription cannot be deleted: disable it")
	}
	if s.SourceID != "" {
		return pipeline.Errorf(pipeline.CodeForbidden, "a subscription that comes from a git source cannot be deleted: disable it, or remove its file or the source")
	}
	return c.remove(ctx, record.ChangeSubscription, s.ID)
}

// SubscriptionState is what a list shows of a subscription besides itself.
type SubscriptionState struct {
	Trigger  string
	Findings []string
	Schedule string
	Job      string
	Problems Problems // why it cannot fire; none when it can
}

// CheckSubscription says what a document would do if it were saved and enabled, and
// everything that is wrong with it.
func (c *Control) CheckSubscription(ctx context.Context, document string) (SubscriptionState, error) {
	states, err := c.States(ctx, []pipeline.Subscription{{Enabled: true, Document: document}})
	if err != nil {
		return SubscriptionState{}, err
	}
	state := states[""]
	if _, err := rule.Check([]byte(document)); err != nil {
		wrong, _ := errors.AsType[rule.Problems](err)
		for _, p := range state.Problems {
			if p.Line == 0 { // what is not in the document, such as its job
				wrong = append(wrong, p)
			}
		}
		state.Problems = wrong
	}
	return state, nil
}

// States says of each subscription what it does and why it could not do it.
func (c *Control) States(ctx context.Context, subs []pipeline.Subscription) (map[string]SubscriptionState, error) {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, j := range jobs {
		names[j.Name] = true
	}
	out := make(map[string]SubscriptionState, len(subs))
	for _, s := range subs {
		var state SubscriptionState
		if d, err := rule.Parse([]byte(s.Document)); err == nil {
			state = SubscriptionState{Trigger: string(d.Trigger), Findings: d.Findings, Schedule: d.Schedule, Job: d.Job}
		}
		out[s.ID] = state
	}
	for _, b := range rule.NewSet(subs, func(name string) bool { return names[name] }).Broken() {
		state := out[b.SubscriptionID]
		state.Problems = b.Problems
		out[b.SubscriptionID] = state
	}
	return out, nil
}
