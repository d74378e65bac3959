package v1

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
)

// activityView says what a project's automation is doing.
type activityView struct {
	Executions map[pipeline.State]uint64 `json:"executions"`
	Findings   uint64                    `json:"findings"`
	// Settled is true when nothing runs, nothing waits, and nothing that was said
	// can start anything any more.
	Settled bool `json:"settled"`
}

func (a *API) activity(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	c, err := a.Store.Counts(r.Context(), p.ID)
	if err != nil {
		a.fail(w, err)
		return
	}
	view := activityView{Executions: c.Executions, Findings: c.Findings}
	if !open(c) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		view.Settled = a.settled(ctx, p.ID, c)
	}
	reply(w, http.StatusOK, view)
}

func open(c pipeline.Counts) bool {
	for s, n := range c.Executions {
		if !s.Ended() && n > 0 {
			return true
		}
	}
	return false
}

// settled proves that nothing more comes, given counts in which nothing is open.
// Everything the ended executions said is on the findings topic by now. Twice, so
// that findings the matcher derived are matched too: wait until the matcher has
// passed the findings, then until the projector has passed what the matcher asked
// for; if the counts are still the same, nothing was started and nothing was said.
func (a *API) settled(ctx context.Context, projectID string, before pipeline.Counts) bool {
	for range 2 {
		if a.barrier(ctx) != nil {
			return false
		}
		after, err := a.Store.Counts(ctx, projectID)
		if err != nil || !maps.Equal(before.Executions, after.Executions) {
			return false
		}
	}
	return true
}

func (a *API) barrier(ctx context.Context) error {
	findings, err := a.Progress.Ends(ctx, bus.TopicFindings)
	if err != nil {
		return err
	}
	if err := a.Progress.WaitCommitted(ctx, bus.GroupMatcher, findings); err != nil {
		return err
	}
	all, err := a.Progress.Ends(ctx, bus.TopicFindings, bus.TopicJobs, bus.TopicExecutions)
	if err != nil {
		return err
	}
	return a.Progress.WaitCommitted(ctx, bus.GroupProjector, all)
}

func (a *API) counts(w http.ResponseWriter, r *http.Request) {
	q, err := query(r, "project")
	if err == nil && q.Has("project") {
		err = id("project", q.Get("project"))
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	c, err := a.countsOf(r, q.Get("project"))
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, c)
}

// countsOf counts one project, or all that the caller may see.
func (a *API) countsOf(r *http.Request, projectID string) (pipeline.Counts, error) {
	may := visible(r)
	if projectID != "" || may == nil {
		return a.Store.Counts(r.Context(), projectID)
	}
	sum := pipeline.Counts{Executions: map[pipeline.State]uint64{}}
	for _, s := range pipeline.States() {
		sum.Executions[s] = 0
	}
	for _, id := range may {
		c, err := a.Store.Counts(r.Context(), id)
		if err != nil {
			return sum, err
		}
		sum.Domains, sum.Hosts, sum.Ranges = sum.Domains+c.Domains, sum.Hosts+c.Hosts, sum.Ranges+c.Ranges
		sum.Ports, sum.Websites, sum.Findings = sum.Ports+c.Ports, sum.Websites+c.Websites, sum.Findings+c.Findings
		for s, n := range c.Executions {
			sum.Executions[s] += n
		}
	}
	return sum, nil
}
