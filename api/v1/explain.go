package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

// automation is the matcher's own code, without a matcher.
type automation interface {
	// Examine explains every subscription that reacts to a finding's key.
	Examine(f *pipeline.Finding, names []string, recorded []pipeline.StoredVerdict) []pipeline.Explanation
	// Backtest runs a draft over the findings that each hands on, the oldest first.
	Backtest(sub pipeline.Subscription, step time.Duration, names func(projectID, ip string) []string, each func(add func(*pipeline.Finding) error) error) (pipeline.Backtest, error)
}

// explained is a finding and what became of each subscription that reacts to its key.
type explained struct {
	Finding       pipeline.StoredFinding `json:"finding"`
	Subscriptions []pipeline.Explanation `json:"subscriptions"`
}

// explainedLink is an execution of a chain, with why it was started.
type explainedLink struct {
	Execution   pipeline.Execution      `json:"execution"`
	Finding     *pipeline.StoredFinding `json:"finding,omitempty"`     // that started it
	Explanation *pipeline.Explanation   `json:"explanation,omitempty"` // of the subscription that did
}

func (a *API) explainFinding(w http.ResponseWriter, r *http.Request) {
	f, err := a.Store.Finding(r.Context(), pipeline.FindingQuery{Visible: visible(r)}, chi.URLParam(r, "id"))
	if err == nil {
		err = allow(r, f.ProjectID)
	}
	var out explained
	if err == nil {
		out, err = a.explain(r.Context(), f)
	}
	if err != nil {
		a.fail(w, hide(err))
		return
	}
	reply(w, http.StatusOK, out)
}

func (a *API) explain(ctx context.Context, stored pipeline.StoredFinding) (explained, error) {
	f := stored.Finding()
	recorded, err := a.Store.Verdicts(ctx, f.ProjectID, f.ID)
	if err != nil {
		return explained{}, err
	}
	names, err := a.namesOf(ctx, &f)
	if err != nil {
		return explained{}, err
	}
	return explained{stored, a.Automation.Examine(&f, names, recorded)}, nil
}

func (a *API) namesOf(ctx context.Context, f *pipeline.Finding) ([]string, error) {
	if f.IP == "" || f.Mask != nil {
		return nil, nil
	}
	names, err := a.Store.NamesOf(ctx, f.ProjectID, []string{f.IP})
	return names[f.IP], err
}

// explainExecution follows an execution back to its root, and says of each step which
// finding and which subscription it came from.
func (a *API) explainExecution(w http.ResponseWriter, r *http.Request) {
	e, err := a.execution(r)
	links := []explainedLink{}
	for next := &e; err == nil && next != nil && len(links) < maxAncestors; {
		var link explainedLink
		if link, err = a.link(r.Context(), *next); err == nil {
			links = append([]explainedLink{link}, links...)
			next, err = a.parent(r.Context(), next)
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"chain": links})
}

// parent is what an execution followed from; nil when it is the root, or its parent
// is older than what is kept.
func (a *API) parent(ctx context.Context, e *pipeline.Execution) (*pipeline.Execution, error) {
	if e.Cause.ParentID == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	p, err := a.Store.Execution(ctx, e.Cause.ParentID)
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		return nil, nil //nolint:nilnil // there is none any more
	}
	return &p, err
}

func (a *API) link(ctx context.Context, e pipeline.Execution) (explainedLink, error) {
	out := explainedLink{Execution: e}
	if e.Cause.FindingID == "" {
		return out, nil
	}
	f, err := a.Store.Finding(ctx, pipeline.FindingQuery{ProjectID: e.ProjectID}, e.Cause.FindingID)
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Finding = &f
	why, err := a.explain(ctx, f)
	for i := range why.Subscriptions {
		if why.Subscriptions[i].SubscriptionID == e.Cause.SubscriptionID {
			out.Explanation = &why.Subscriptions[i]
		}
	}
	return out, err
}
