package v1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// MaxTargets is how many targets one request may add.
const MaxTargets = 10_000

// added is the answer: what was understood, in its normal form, and whether the
// next read shows it.
type added struct {
	Added   []string `json:"added"`
	Visible bool     `json:"visible"`
}

// target is one line of input as a finding, in the form jobs write.
type target struct {
	Type   pipeline.FindingType `json:"type"`
	Domain string               `json:"domainName,omitempty"`
	IP     string               `json:"ip,omitempty"`
	Mask   *int                 `json:"mask,omitempty"`
}

func (a *API) addDomains(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Domains []string `json:"domains"`
	}
	a.add(w, r, &in, func() []string { return in.Domains }, func(s string) (string, target, error) {
		d, err := normal.Domain(s)
		return d, target{Type: pipeline.HostnameFinding, Domain: d}, err
	})
}

func (a *API) addHosts(w http.ResponseWriter, r *http.Request) {
	var in struct {
		IPs []string `json:"ips"`
	}
	a.add(w, r, &in, func() []string { return in.IPs }, func(s string) (string, target, error) {
		ip, err := normal.Addr(s)
		return ip.String(), target{Type: pipeline.IPFinding, IP: ip.String()}, err
	})
}

func (a *API) addRanges(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Ranges []string `json:"ranges"`
	}
	a.add(w, r, &in, func() []string { return in.Ranges }, func(s string) (string, target, error) {
		n, err := normal.Prefix(s)
		bits := n.Bits()
		return n.String(), target{Type: pipeline.IPRangeFinding, IP: n.Addr().String(), Mask: &bits}, err
	})
}

// add takes targets as findings of a person; none is taken when one is wrong.
func (a *API) add(w http.ResponseWriter, r *http.Request, in any, lines func() []string, read func(string) (string, target, error)) {
	p, err := a.project(r)
	if err == nil {
		err = decode(w, r, in)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	names, targets, err := understand(lines(), read)
	if err != nil {
		a.fail(w, err)
		return
	}
	recs, err := a.records(p.ID, user(r).ID, newID(r), targets)
	if err == nil {
		err = a.Producer.Produce(r.Context(), recs)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	out := added{Added: names, Visible: a.visible(r.Context(), recs)}
	status := http.StatusCreated
	if !out.Visible {
		status = http.StatusAccepted
	}
	reply(w, status, out)
}

// understand reads every line, leaves out repetitions and reports every problem.
func understand(lines []string, read func(string) (string, target, error)) ([]string, []target, error) {
	if len(lines) == 0 || len(lines) > MaxTargets {
		return nil, nil, pipeline.Errorf(pipeline.CodeInvalid, "1 to %d targets are expected, there are %d", MaxTargets, len(lines))
	}
	var names []string
	var targets []target
	var problems []string
	seen := map[string]bool{}
	for i, s := range lines {
		name, t, err := read(s)
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("[%d] %s", i, err))
		case !seen[name]:
			seen[name] = true
			names, targets = append(names, name), append(targets, t)
		}
	}
	if len(problems) > 0 {
		return nil, nil, pipeline.Errorf(pipeline.CodeInvalid, "%w", errors.New(strings.Join(problems, "; ")))
	}
	return names, targets, nil
}

// records are findings of a person, who says the same when a request comes again.
func (a *API) records(projectID, userID, request string, targets []target) ([]bus.Record, error) {
	origin := normal.Origin{ProjectID: projectID, Source: pipeline.SourceUser, UserID: userID, Said: request, Control: a.Position(), At: a.now()}
	recs := make([]bus.Record, len(targets))
	for i, t := range targets {
		raw, err := json.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("encoding target: %w", err)
		}
		f, err := normal.Finding(raw, origin)
		if err != nil {
			return nil, err
		}
		v, err := record.EncodeFinding(&f)
		if err != nil {
			return nil, err
		}
		recs[i] = bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v, Time: f.At}
	}
	return recs, nil
}

// visible waits, within a bound, until the projector has passed the records.
func (a *API) visible(ctx context.Context, recs []bus.Record) bool {
	ends := bus.Offsets{}
	for _, r := range recs {
		if ends[r.Topic] == nil {
			ends[r.Topic] = map[int32]int64{}
		}
		ends[r.Topic][r.Partition] = max(ends[r.Topic][r.Partition], r.Offset+1)
	}
	return a.passed(ctx, ends)
}

// passed waits, within a bound, until the projector has passed some offsets.
func (a *API) passed(ctx context.Context, ends bus.Offsets) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return a.Progress.WaitCommitted(ctx, bus.GroupProjector, ends) == nil
}
