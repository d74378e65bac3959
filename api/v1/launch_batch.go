package v1

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
)

// Limits on one launch over many resources.
const (
	MaxLaunched = 10_000  // executions
	MaxAimed    = 100_000 // resources
)

// batchInput asks for a job to be run for resources: those with the ids, or those a
// list shows.
type batchInput struct {
	launchInput
	Kind           string     `json:"kind"` // as in paths: domains, hosts, …
	IDs            []string   `json:"ids"`
	Select         *selection `json:"select"`
	BatchSize      int        `json:"batchSize"` // resources per execution; 0 is one, without lists
	IncludeBlocked bool       `json:"includeBlocked"`
	DryRun         bool       `json:"dryRun"`
}

// launched is the answer: how much was, or would be, started, and what was left out.
type launched struct {
	Resources  int                  `json:"resources"`
	Executions int                  `json:"executions"`
	Skipped    skipped              `json:"skipped"`
	IDs        []string             `json:"ids"`      // of the executions; none in a dry run
	Examples   []pipeline.Execution `json:"examples"` // the first few
	Visible    bool                 `json:"visible"`
}

type skipped struct {
	Blocked    int `json:"blocked"`
	OutOfScope int `json:"outOfScope"`
	Merged     int `json:"merged"`
}

// aimed is a resource of a list, and what decides whether a job may aim at it.
type aimed struct {
	control.Resource
	names   []string
	blocked bool
	merged  bool
}

func (a *API) launchBatch(w http.ResponseWriter, r *http.Request) {
	var in batchInput
	err := decode(w, r, &in)
	var l *launching
	if err == nil {
		l, err = a.launching(r, in.launchInput)
	}
	out := launched{IDs: []string{}, Examples: []pipeline.Execution{}}
	var reqs []pipeline.JobRequest
	if err == nil {
		reqs, err = a.many(r, l, &in, &out)
	}
	if err == nil && !in.DryRun && len(reqs) > 0 {
		note(r, l.job.Name+" "+strconv.Itoa(len(reqs))+" times")
		out.Visible, err = a.ask(r.Context(), reqs)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	for i := range reqs {
		if i < 3 {
			out.Examples = append(out.Examples, asked(&reqs[i]))
		}
		if !in.DryRun {
			out.IDs = append(out.IDs, reqs[i].ID)
		}
	}
	status := http.StatusCreated
	switch {
	case in.DryRun || len(reqs) == 0:
		status = http.StatusOK
	case !out.Visible:
		status = http.StatusAccepted
	}
	reply(w, status, out)
}

// many makes the requests of a batch. Its priority is below that of a single launch.
func (a *API) many(r *http.Request, l *launching, in *batchInput, out *launched) ([]pipeline.JobRequest, error) {
	kind, q, err := a.chosen(r, in)
	if err != nil {
		return nil, err
	}
	if l.Priority == 0 {
		l.Priority = pipeline.PriorityPerson + 1
	}
	f, err := control.NewFiller(&l.job, kind, in.Arguments, in.BatchSize)
	if err != nil {
		return nil, err
	}
	var reqs []pipeline.JobRequest
	var waiting []control.Resource
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		if len(reqs) == MaxLaunched {
			return pipeline.Errorf(pipeline.CodeTooLarge, "this would start more than %d executions; select fewer resources, or set batchSize", MaxLaunched)
		}
		req, err := l.filled(f, in, waiting)
		reqs, waiting = append(reqs, req), waiting[:0]
		return err
	}
	err = a.eachAimed(r.Context(), kind, q, func(list []aimed) error {
		for i := range list {
			if !l.takes(&list[i], in.IncludeBlocked, &out.Skipped) {
				continue
			}
			if out.Resources++; out.Resources > MaxAimed {
				return pipeline.Errorf(pipeline.CodeTooLarge, "more than %d resources are selected; select fewer at a time", MaxAimed)
			}
			waiting = append(waiting, list[i].Resource)
			if len(waiting) >= max(in.BatchSize, 1) {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	out.Executions = len(reqs)
	return reqs, err
}

// chosen reads which resources are meant.
func (a *API) chosen(r *http.Request, in *batchInput) (kind pipeline.Kind, q pipeline.Query, err error) {
	q.ProjectID = in.ProjectID
	i := slices.IndexFunc(kinds[:len(pipeline.Kinds())], func(k searchKind) bool { return k.path == in.Kind })
	if i < 0 {
		return kind, q, control.Problems{{Path: "kind", Message: "is none of domains, hosts, ip-ranges, ports, websites"}}
	}
	kind = kinds[i].kind
	if !caller(r).May(kinds[i].scope, in.ProjectID) {
		return kind, q, pipeline.Errorf(pipeline.CodeForbidden, "this takes the scope %s too", kinds[i].scope)
	}
	q.Text, err = a.chosenText(r, kind, in.IDs, in.Select)
	return kind, q, err
}

// chosenText is the filter for things that are named by their ids or by a list's question.
func (a *API) chosenText(r *http.Request, kind pipeline.Kind, ids []string, sel *selection) (string, error) {
	switch {
	case (sel == nil) == (len(ids) == 0):
		return "", pipeline.Errorf(pipeline.CodeInvalid, "name them by ids, or by select, and not by both")
	case len(ids) > MaxMarked:
		return "", pipeline.Errorf(pipeline.CodeTooLarge, "ids: %d of them, at most %d are taken at once", len(ids), MaxMarked)
	case sel != nil:
		return a.filterText(r, kind, sel.Text)
	}
	for _, x := range ids {
		if err := id("ids", x); err != nil {
			return "", err
		}
	}
	return a.filterText(r, kind, "id:("+strings.Join(ids, ",")+")")
}

// takes reports whether a job may aim at a resource, and counts why not.
func (l *launching) takes(x *aimed, blocked bool, s *skipped) bool {
	switch {
	case x.merged:
		s.Merged++
	case x.blocked && !blocked:
		s.Blocked++
	case l.judge(&pipeline.Target{Locators: x.Locators, Names: slices.Values(x.names)}) != nil:
		s.OutOfScope++
	default:
		return true
	}
	return false
}

// filled is the request for some resources. Its id follows from the request's and
// theirs, so that asking again asks for the same.
func (l *launching) filled(f *control.Filler, in *batchInput, list []control.Resource) (pipeline.JobRequest, error) {
	args, err := f.Fill(l.project.ID, list)
	if err != nil {
		return pipeline.JobRequest{}, err
	}
	if p := control.CheckArguments(&l.job, args, in.Undeclared); len(p) > 0 {
		return pipeline.JobRequest{}, p
	}
	target := list[0].Key
	if in.BatchSize > 0 {
		target = "project:" + l.project.ID
	}
	req := l.request(pipeline.DeriveID("launch", l.id, list[0].Key), target, args)
	return req, nil
}

// eachAimed reads the resources of a list.
func (a *API) eachAimed(ctx context.Context, kind pipeline.Kind, q pipeline.Query, each func([]aimed) error) error {
	named := func(list []aimed) error {
		if err := a.named(ctx, q.ProjectID, list); err != nil {
			return err
		}
		return each(list)
	}
	switch kind {
	case pipeline.KindDomain:
		return a.Store.EachDomain(ctx, q, true, aim(each, func(x *pipeline.Domain) aimed {
			return resourceOf(&x.Seen, pipeline.Locators{Domain: x.Name})
		}))
	case pipeline.KindHost:
		return a.Store.EachHost(ctx, q, true, aim(named, func(x *pipeline.Host) aimed { return resourceOf(&x.Seen, pipeline.Locators{IP: x.IP}) }))
	case pipeline.KindRange:
		return a.Store.EachRange(ctx, q, true, aim(each, func(x *pipeline.IPRange) aimed {
			n, _ := netip.ParsePrefix(x.CIDR) // the store has only such
			bits := n.Bits()
			return resourceOf(&x.Seen, pipeline.Locators{IP: n.Addr().String(), Mask: &bits})
		}))
	case pipeline.KindPort:
		return a.Store.EachPort(ctx, q, true, aim(named, func(x *pipeline.Port) aimed {
			return resourceOf(&x.Seen, pipeline.Locators{IP: x.IP, Port: x.Port, Protocol: x.Protocol})
		}))
	case pipeline.KindWebsite:
		return a.Store.EachWebsite(ctx, q, true, aim(named, func(x *pipeline.Website) aimed {
			out := resourceOf(&x.Seen, pipeline.Locators{Domain: x.Domain, IP: x.IP, Port: x.Port, Protocol: pipeline.TCP, Path: x.Path})
			out.SSL, out.merged = x.SSL, x.MergedInto != ""
			return out
		}))
	default:
		return errors.New("not a kind of resource")
	}
}

func resourceOf(s *pipeline.Seen, l pipeline.Locators) aimed {
	return aimed{Resource: control.Resource{Key: s.CorrelationKey, Locators: l}, blocked: s.Blocked}
}

func aim[T any](each func([]aimed) error, of func(*T) aimed) func([]T) error {
	return func(items []T) error {
		list := make([]aimed, len(items))
		for i := range items {
			list[i] = of(&items[i])
		}
		return each(list)
	}
}

// named fills in which domains resolve to the addresses: one in scope brings its
// address into scope.
func (a *API) named(ctx context.Context, projectID string, list []aimed) error {
	var ips []string
	for i := range list {
		if !slices.Contains(ips[max(0, len(ips)-1):], list[i].IP) {
			ips = append(ips, list[i].IP)
		}
	}
	names, err := a.Store.NamesOf(ctx, projectID, ips)
	for i := range list {
		list[i].names = names[list[i].IP]
	}
	return err
}
