package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// derive joins names and HTTP ports of a host. An HTTP port gives a website for
// the bare address and for every name known; a new name gives one for every HTTP
// port known. So it does not matter which of the two is found first.
func (b *batch) derive(in *input) {
	f := &in.Finding
	switch {
	case f.Type == pipeline.HostnameIPFinding && f.Reverse():
		// who owns an address may have it answer with any name: it gives no website, and
		// brings nothing into scope
	case f.Type == pipeline.HostnameIPFinding && f.Domain != "" && f.IP != "":
		b.link(in)
	case f.Type == pipeline.CustomFinding && f.Key == pipeline.KeyPortService && f.IP != "" && f.Port != 0 && f.Protocol == pipeline.TCP:
		b.service(in)
	}
}

// link remembers a name of a host.
func (b *batch) link(in *input) {
	p, key, domain := b.state(in), hostKey(&in.Finding), in.Domain
	h := p.hosts[key]
	switch {
	case h != nil && h.domains[domain]:
		return
	case h != nil && len(h.domains) >= b.engine.cfg.MaxNames:
		b.engine.metrics.unjoined.WithLabelValues("name").Inc()
		return
	}
	p.change(key, func(h *host) { h.domains[domain] = true }, func(h *host) { delete(h.domains, domain) })
	b.add(stateRecord(in.partition, keyDomain+key+"/"+domain, true))
	http := p.hosts[key].http
	for _, port := range slices.Sorted(maps.Keys(http)) {
		b.website(in, domain, port, http[port])
	}
}

// service remembers whether a port of a host speaks HTTP.
func (b *batch) service(in *input) {
	switch name := strings.TrimSpace(in.FieldText("serviceName")); name {
	case "": // it says nothing of the service
	case "http", "https":
		b.speaks(in, name == "https")
	default:
		b.speaksNot(in)
	}
}

func (b *batch) speaks(in *input, tls bool) {
	p, key, port := b.state(in), hostKey(&in.Finding), in.Port
	var was, known bool
	if h := p.hosts[key]; h != nil {
		if was, known = h.http[port]; !known && len(h.http) >= b.engine.cfg.MaxHTTPPorts {
			b.engine.metrics.unjoined.WithLabelValues("port").Inc()
			b.website(in, "", port, tls)
			return
		}
	}
	if !known || was != tls {
		p.change(key, func(h *host) { h.http[port] = tls }, func(h *host) {
			if delete(h.http, port); known {
				h.http[port] = was
			}
		})
		b.add(stateRecord(in.partition, portKey(in), tls))
	}
	b.website(in, "", port, tls)
	for _, d := range slices.Sorted(maps.Keys(p.hosts[key].domains)) {
		b.website(in, d, port, tls)
	}
}

func (b *batch) speaksNot(in *input) {
	p, key, port := b.state(in), hostKey(&in.Finding), in.Port
	h := p.hosts[key]
	if h == nil {
		return
	}
	if was, known := h.http[port]; known {
		p.change(key, func(h *host) { delete(h.http, port) }, func(h *host) { h.http[port] = was })
		b.add(stateRecord(in.partition, portKey(in), nil))
	}
}

// website writes the derived finding. Its id follows from its cause, so a replay
// says the same thing again, not another one.
func (b *batch) website(in *input, domain string, port int, tls bool) {
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
		b.engine.log.Error("website has no key", "cause", cause.ID, "err", err)
		return
	}
	v, err := record.EncodeFinding(&f)
	if err != nil {
		b.engine.log.Error("website cannot be written", "cause", cause.ID, "err", err)
		return
	}
	b.add(bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v, Time: f.At, Headers: in.followed()})
	b.engine.metrics.derived.Inc()
}

func hostKey(f *pipeline.Finding) string { return f.ProjectID + "/" + f.IP }

func portKey(in *input) string {
	return keyHTTP + hostKey(&in.Finding) + "/" + strconv.Itoa(in.Port)
}
