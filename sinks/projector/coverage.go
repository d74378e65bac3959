package projector

import (
	"net/netip"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// covered makes the sweep of a look: what of it was not seen since it began is
// closed. It makes no resource.
func (f *folder) covered(s *said) error {
	since, err := millis(s.Since)
	if err != nil {
		return err
	}
	ref, err := pipeline.ParseKey(s.CorrelationKey)
	if err != nil {
		return err
	}
	p, err := placeOf(ref)
	if err != nil {
		return err
	}
	w := rows.Sweep{
		Action: rows.SweepLook, ProjectID: s.ProjectID, ID: s.ID, Kind: pipeline.KindPort, Since: min(since, s.at), Until: s.at,
		First: p.Addr, Last: p.Addr, Cause: s.cause(),
	}
	switch ref.Kind {
	case pipeline.KindWebsite:
		w.Kind, w.Domain, w.Path, w.Protocol = pipeline.KindWebsite, p.Domain, p.Path, pipeline.TCP
		w.Ports = []uint16{p.Port, p.Port}
	case pipeline.KindHost, pipeline.KindRange:
		if ref.Kind == pipeline.KindRange { // others read of its hosts
			w.By = f.history.memory.id
			w.First, w.Last = bounds(netip.PrefixFrom(p.Addr, int(p.Bits)))
		}
		w.Protocol = pipeline.Protocol(s.text("protocol"))
		if w.Ports, err = normal.Ports(s.text("ports")); err != nil {
			return err
		}
	default:
		return missing(s, "a host, a range or a website")
	}
	f.out.Sweeps = append(f.out.Sweeps, w)
	return nil
}

// parts cuts a batch where a host is spoken of again after a look at it: whether the
// look closed something must not depend on what came after it. That is rare: the
// coverage is the last thing a job says.
func (in input) parts() []input {
	var out []input
	looked := map[string]bool{} // by project, of a range
	begin := 0
	for i := range in.findings {
		f := &in.findings[i].body
		key := f.ProjectID + "/" + f.IP
		switch {
		case f.Key == pipeline.KeyCoverage:
			if looked[key] = true; f.Mask != nil {
				looked[f.ProjectID] = true
			}
		case len(looked) > 0 && (looked[key] || looked[f.ProjectID]):
			part := in
			part.findings, part.marks = in.findings[begin:i], nil // decisions are the last word
			out = append(out, part)
			in.requests, in.events, in.lines, in.verdicts = nil, nil, nil, nil // in the first part
			begin = i
			clear(looked)
		}
	}
	in.findings = in.findings[begin:]
	return append(out, in)
}
