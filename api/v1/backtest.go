package v1

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Bounds of a backtest.
const (
	backtestTime     = 45 * time.Second // how long one may read
	backtestFindings = 5_000_000        // how many findings it looks at
	maxBacktests     = 2                // how many run at once
)

// backtestInput is a draft and the past it is run over.
type backtestInput struct {
	Document  string     `json:"document"`
	ProjectID string     `json:"projectId"`
	From      *time.Time `json:"from"` // default: thirty days ago
	To        *time.Time `json:"to"`   // default: now
	Query     string     `json:"q"`    // only findings this filter selects
}

func (a *API) backtest(w http.ResponseWriter, r *http.Request) {
	var in backtestInput
	err := decode(w, r, &in)
	if err == nil {
		err = allow(r, in.ProjectID)
	}
	if err == nil {
		select {
		case a.backtests <- struct{}{}:
			defer func() { <-a.backtests }()
		default:
			err = pipeline.Errorf(pipeline.CodeBusy, "%d backtests are running: try again when one has ended", maxBacktests)
		}
	}
	var out pipeline.Backtest
	if err == nil {
		out, err = a.runBacktest(r, &in)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, out)
}

func (a *API) runBacktest(r *http.Request, in *backtestInput) (pipeline.Backtest, error) {
	to, from := a.now(), a.now().Add(-30*24*time.Hour)
	if in.To != nil {
		to = *in.To
		from = to.Add(-30 * 24 * time.Hour)
	}
	if in.From != nil {
		from = *in.From
	}
	if !from.Before(to) {
		return pipeline.Backtest{}, pipeline.Errorf(pipeline.CodeInvalid, "from: must be before to")
	}
	q := pipeline.FindingQuery{ProjectID: in.ProjectID, Visible: visible(r), Sort: "at"}
	q.Text = fmt.Sprintf("at:>=%s at:<%s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	if in.Query != "" {
		q.Text += " (" + in.Query + ")"
	}
	ctx, cancel := context.WithTimeout(r.Context(), backtestTime)
	defer cancel()
	complete, seen := true, 0
	sub := pipeline.Subscription{ID: "backtest", ProjectID: in.ProjectID, Version: 1, Document: in.Document}
	out, err := a.Automation.Backtest(sub, to.Sub(from)/100, a.namesNow(ctx), func(add func(*pipeline.Finding) error) error {
		err := a.Store.EachFinding(ctx, q, func(list []pipeline.StoredFinding) error {
			for i := range list {
				f := list[i].Finding()
				if err := add(&f); err != nil {
					return err
				}
			}
			if seen += len(list); seen >= backtestFindings {
				return errEnough
			}
			return nil
		})
		if err != nil && (ctx.Err() != nil && r.Context().Err() == nil || seen >= backtestFindings) {
			complete, err = false, nil // what was looked at is answered
		}
		return err
	})
	out.Complete = complete
	return out, err
}

var errEnough = pipeline.Errorf(pipeline.CodeTooLarge, "enough findings were looked at")

// namesNow asks the store which domains resolve to an address.
func (a *API) namesNow(ctx context.Context) func(projectID, ip string) []string {
	return func(projectID, ip string) []string {
		names, err := a.Store.NamesOf(ctx, projectID, []string{ip})
		if err != nil {
			return nil
		}
		return names[ip]
	}
}
