package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// maxDomains bounds the names joined with one host; a shared host with more is
// someone else's business than a list of websites.
const maxDomains = 10_000

// derive joins names and HTTP ports of a host. An HTTP port gives a website for
// the bare address and for every name known; a new name gives one for every HTTP
// port known. So it does not matter which of the two is found first.
func (e *Engine) derive(p *partition, in *input, out *bus.Outcome) {
	f := &in.Finding
	switch {
	case f.Type == pipeline.HostnameIPFinding:
		e.link(p, in, out)
	case f.Type == pipeline.CustomFinding && f.Key == pipeline.KeyPortService && f.Port != 0 && f.Protocol == pipeline.TCP:
		e.service(p, in, out)
	}
}

func (e *Engine) link(p *partition, in *input, out *bus.Outcome) {
	h := p.host(hostKey(&in.Finding))
	if h.domains[in.Domain] || len(h.domains) >= maxDomains {
		return
	}
	domain := in.Domain
	h.domains[domain] = true
	p.undo = append(p.undo, func() { delete(h.domains, domain) })
	out.Records = append(out.Records, change(in.partition, keyDomain+hostKey(&in.Finding)+"/"+domain, true))
	for _, port := range slices.Sorted(maps.Keys(h.http)) {
		e.website(in, domain, port, h.http[port], out)
	}
}

func (e *Engine) service(p *partition, in *input, out *bus.Outcome) {
	name := in.FieldText("serviceName")
	if name == "" {
		return // it says nothing of the service
	}
	h := p.host(hostKey(&in.Finding))
	was, known := h.http[in.Port]
	key := keyHTTP + hostKey(&in.Finding) + "/" + strconv.Itoa(in.Port)
	port := in.Port
	if name != "http" && name != "https" {
		if known {
			delete(h.http, port)
			p.undo = append(p.undo, func() { h.http[port] = was })
			out.Records = append(out.Records, change(in.partition, key, nil))
		}
		return
	}
	tls := name == "https"
	if !known || was != tls {
		h.http[port] = tls
		p.undo = append(p.undo, func() {
			if delete(h.http, port); known {
				h.http[port] = was
			}
		})
		out.Records = append(out.Records, change(in.partition, key, tls))
	}
	e.website(in, "", port, tls, out)
	for _, d := range slices.Sorted(maps.Keys(h.domains)) {
		e.website(in, d, port, tls, out)
	}
}

// website writes the derived finding. Its id follows from its cause, so a replay
// says the same thing again, not another one.
func (e *Engine) website(in *input, domain string, port int, tls bool, out *bus.Outcome) {
	cause := &in.Finding
	f := pipeline.Finding{
		ID:        pipeline.FindingID("website/"+cause.ID, 0, fmt.Appendf(nil, "%s/%d", domain, port)),
		ProjectID: cause.ProjectID, At: cause.At, Source: pipeline.SourceDerived,
		ExecutionID: cause.ExecutionID, JobName: cause.JobName, RootID: cause.RootID, Depth: cause.Depth, Control: cause.Control,
		Type: pipeline.WebsiteFinding, Key: string(pipeline.WebsiteFinding), Name: "Website",
		Locators: pipeline.Locators{Domain: domain, IP: cause.IP, Port: port, Protocol: pipeline.TCP, Path: "/"}, SSL: &tls,
	}
	var err error
	if f.CorrelationKey, err = pipeline.CorrelationKey(f.ProjectID, f.Locators, true); err != nil {
		e.log.Error("website has no key", "cause", cause.ID, "err", err)
		return
	}
	v, err := record.EncodeFinding(&f)
	if err != nil {
		e.log.Error("website cannot be written", "cause", cause.ID, "err", err)
		return
	}
	out.Records = append(out.Records, bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v, Time: f.At})
	e.metrics.derived.Inc()
}
