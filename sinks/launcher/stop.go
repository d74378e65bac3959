package launcher

import (
	"context"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// maxStops is how many requests to stop single executions are remembered for those
// that come later: a request to stop may overtake the request to run.
const maxStops = 100_000

// stops remembers who was to be stopped.
type stops struct {
	young, old map[string]pipeline.StopRequest // by execution, two generations
	projects   map[string]pipeline.StopRequest // the latest of each; "" is about everything

	reports, before map[string]pipeline.Report // what jobs said of themselves, two generations
}

func newStops() *stops {
	return &stops{young: map[string]pipeline.StopRequest{}, projects: map[string]pipeline.StopRequest{}, reports: map[string]pipeline.Report{}}
}

func (s *stops) learn(r pipeline.StopRequest) {
	if r.ExecutionID == "" {
		if r.At.After(s.projects[r.ProjectID].At) {
			s.projects[r.ProjectID] = r
		}
		return
	}
	if len(s.young) >= maxStops {
		s.old, s.young = s.young, map[string]pipeline.StopRequest{}
	}
	s.young[r.ExecutionID] = r
}

// heard keeps what a job said of its latest attempt.
func (s *stops) heard(r pipeline.Report) {
	if old, ok := s.said(r.ExecutionID); ok && old.Attempt >= r.Attempt {
		return
	}
	if len(s.reports) >= maxStops {
		s.before, s.reports = s.reports, map[string]pipeline.Report{}
	}
	s.reports[r.ExecutionID] = r
}

func (s *stops) said(id string) (pipeline.Report, bool) {
	if r, ok := s.reports[id]; ok {
		return r, true
	}
	r, ok := s.before[id]
	return r, ok
}

// covers returns the request that an execution is to be stopped by.
func (s *stops) covers(req *pipeline.JobRequest) (pipeline.StopRequest, bool) {
	if r, ok := s.young[req.ID]; ok {
		return r, true
	}
	if r, ok := s.old[req.ID]; ok {
		return r, true
	}
	for _, id := range []string{req.ProjectID, ""} {
		if r, ok := s.projects[id]; ok && r.Covers(req) {
			return r, true
		}
	}
	return pipeline.StopRequest{}, false
}

// Stop takes a record of the stops topic: what waits ends without running, what
// runs is stopped, what comes later is not run. A job's report of itself is kept
// until its process has ended.
func (l *Launcher) Stop(r bus.Record) error {
	req, err := record.Decode[pipeline.StopRequest](r.Value)
	if err != nil {
		l.metrics.unreadable.Inc()
		l.log.Error("request to stop is unreadable, passed over", "offset", r.Offset, "err", err)
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if req.Report != nil {
		l.stops.heard(*req.Report)
		return nil
	}
	l.stops.learn(req)
	for _, it := range l.pending.take(func(it *item) bool { return req.Covers(&it.req) }) {
		it.life.stop(req)
		l.ending = append(l.ending, it)
	}
	l.metrics.pending.Set(float64(l.pending.len()))
	for _, v := range l.active {
		if req.Covers(&v.req) {
			v.stop(req)
		}
	}
	signal(l.endings)
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// endStopped writes the ends of what was stopped before it ran.
func (l *Launcher) endStopped(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return // nothing is done, so everything comes again, and Take knows the stops
		case <-l.endings:
		}
		l.mu.Lock()
		list := l.ending
		l.ending = nil
		l.mu.Unlock()
		for _, it := range list {
			l.end(ctx, it, it.life.stopped())
			l.leave(it)
		}
	}
}

// stop marks a life as stopped by a person; only the first counts. The caller holds
// the launcher's lock.
func (v *life) stop(r pipeline.StopRequest) {
	if v.by == nil {
		v.by = &r
		close(v.stopping)
	}
}

// stopped is how such a life ends.
func (v *life) stopped() Result {
	res := Result{State: pipeline.StateStopped, Reason: pipeline.ReasonPerson}
	if v.by != nil && v.by.By != "" {
		res.Detail = fmt.Sprintf("stopped by %s at %s", pipeline.Clip(v.by.By, maxShown), v.by.At.UTC().Format(time.RFC3339))
	}
	return res
}
