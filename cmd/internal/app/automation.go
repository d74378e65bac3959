package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline"
)

// automation lets the API ask the matcher's code, in whichever process: it has the
// control plane and the marks, and no partition.
type automation struct{ *engine.Engine }

func (a *App) automation() (automation, error) {
	e, err := engine.New(a.cfg.Matcher, engine.Deps{Catalog: a.catalog, Marks: a.followMarks(), Log: a.log, Metrics: prometheus.NewRegistry()})
	return automation{e}, err
}

// followMarks returns what people decided, which the matcher and the API share.
func (a *App) followMarks() *engine.Marks {
	if a.marks == nil {
		a.marks = engine.NewMarks(a.bus, a.log)
		a.group.Add("marks", stopWithin, a.marks.Run)
	}
	return a.marks
}

// Backtest runs a draft over findings of the past.
func (x automation) Backtest(sub pipeline.Subscription, step time.Duration, names func(projectID, ip string) []string, each func(add func(*pipeline.Finding) error) error) (pipeline.Backtest, error) {
	b, err := x.NewBacktest(sub, step, names)
	if err != nil {
		return pipeline.Backtest{}, err
	}
	if err := each(b.Add); err != nil {
		return pipeline.Backtest{}, err
	}
	return b.Result(), nil
}
