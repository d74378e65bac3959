package schedule

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Query asks for one page of an input.
type Query struct {
	Input     string // one of rule.Inputs
	ProjectID string
	Filter    string
	Limit     int
	Cursor    string // "" for the first page
}

// Page is one page of an input. Next is "" on the last.
type Page struct {
	Resources []Resource
	Next      string
}

// Resource is what a scheduled job may be started for.
type Resource struct {
	Key       string // correlation key
	FirstSeen time.Time
	pipeline.Locators
	SSL     *bool
	Names   []string // domains that resolve to its address
	Blocked bool
	Merged  bool
}

// finding makes a resource look like a finding, so that the variables of the rule
// language mean the same as in an event subscription.
func (r *Resource) finding(projectID string) *pipeline.Finding {
	return &pipeline.Finding{ProjectID: projectID, Locators: r.Locators, SSL: r.SSL, CorrelationKey: r.Key}
}

// batch makes many resources look like one finding, whose fields are the lists.
func batch(projectID, key, input string, list []Resource) *pipeline.Finding {
	f := &pipeline.Finding{ProjectID: projectID, CorrelationKey: key}
	column := func(name string, of func(r *Resource) any) {
		values := make([]any, len(list))
		for i := range list {
			values[i] = of(&list[i])
		}
		f.Fields = append(f.Fields, pipeline.Field{Key: name, Data: values})
	}
	ip := func(r *Resource) any { return r.IP }
	port := func(r *Resource) any { return int64(r.Port) }
	protocol := func(r *Resource) any { return string(r.Protocol) }
	domain := func(r *Resource) any { return r.Domain }
	switch input {
	case "ALL_DOMAINS":
		column("domainBatch", domain)
	case "ALL_HOSTS":
		column("ipBatch", ip)
	case "ALL_TCP_PORTS", "ALL_UDP_PORTS":
		column("ipBatch", ip)
		column("portBatch", port)
		column("protocolBatch", protocol)
	case "ALL_IP_RANGES":
		column("ipBatch", ip)
		column("maskBatch", func(r *Resource) any {
			if r.Mask == nil {
				return int64(0)
			}
			return int64(*r.Mask)
		})
	default:
		column("domainBatch", domain)
		column("ipBatch", ip)
		column("portBatch", port)
		column("protocolBatch", protocol)
		column("sslBatch", func(r *Resource) any { return r.SSL != nil && *r.SSL })
		column("pathBatch", func(r *Resource) any { return r.Path })
	}
	return f
}
