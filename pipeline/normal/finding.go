package normal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// MaxFinding is the largest finding, in bytes of JSON with its images.
const MaxFinding = 1 << 20

// Origin says who stated a finding; the sender cannot set any of it.
type Origin struct {
	ProjectID   string
	Source      pipeline.Source
	ExecutionID string
	JobName     string
	UserID      string
	RootID      string // "" makes the finding its own root
	Depth       int
	Control     int64
	At          time.Time
	Since       time.Time // when the sender began to look; zero means at At
	Ran         string    // of an import: when the tool says it ran, which makes the same statement another one
	Said        string    // of a person: the id of the request, "" tells statements apart by their time
}

// Finding parses, checks and normalises one finding. The id is derived from the
// origin, the sequence number and the bytes, so that the same statement sent
// twice is one.
func Finding(raw json.RawMessage, o Origin) (pipeline.Finding, error) {
	if len(raw) > MaxFinding {
		return pipeline.Finding{}, pipeline.Errorf(pipeline.CodeTooLarge, "finding has %d bytes, at most %d are allowed", len(raw), MaxFinding)
	}
	w, err := read(raw)
	if err != nil {
		return pipeline.Finding{}, err
	}
	f := pipeline.Finding{
		ProjectID: o.ProjectID, Source: o.Source, ExecutionID: o.ExecutionID, JobName: o.JobName, UserID: o.UserID,
		RootID: o.RootID, Depth: o.Depth, Control: o.Control, At: o.At.UTC().Truncate(time.Millisecond), Seq: w.Seq,
		Type: pipeline.FindingType(w.Type), Key: w.Key, Name: w.Name, SSL: w.SSL, Tag: w.Tag,
	}
	if err := fill(&f, &w); err != nil {
		return pipeline.Finding{}, err
	}
	if f.Key == pipeline.KeyCoverage {
		if err := coverage(&f, o); err != nil {
			return pipeline.Finding{}, err
		}
	}
	origin := o.ExecutionID
	if o.Source == pipeline.SourceImport { // the same file again says nothing new
		origin = "import/" + o.ProjectID + "/" + o.Ran
	}
	if origin == "" { // a person says the same thing again at another time: that is news
		origin = o.ProjectID + "/" + o.UserID + "/" + cmp.Or(o.Said, strconv.FormatInt(f.At.UnixMilli(), 10))
	}
	f.ID = pipeline.FindingID(origin, f.Seq, raw)
	if f.RootID == "" {
		f.RootID = f.ID
	}
	return f, nil
}

func fill(f *pipeline.Finding, w *wire) error {
	var err error
	if f.Fields, err = fields(w.Fields); err != nil {
		return err
	}
	if err := names(f); err != nil {
		return err
	}
	if err := locators(f, w); err != nil {
		return err
	}
	if err := required(f, w); err != nil {
		return err
	}
	return correlate(f, w)
}

// names checks the texts that select what happens with the finding.
func names(f *pipeline.Finding) error {
	f.Key, f.Tag = strings.TrimSpace(f.Key), strings.TrimSpace(f.Tag)
	if f.Type == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "type is missing, one of %v", pipeline.FindingTypes())
	}
	if f.Key == "" && f.Type != pipeline.CustomFinding {
		f.Key = string(f.Type)
	}
	if f.Key == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "key is missing: it names what a custom finding says")
	}
	for _, c := range []struct {
		name, value string
		most        int
	}{{"key", f.Key, MaxKey}, {"name", f.Name, MaxName}, {"tag", f.Tag, MaxTag}} {
		if len(c.value) > c.most {
			return pipeline.Errorf(pipeline.CodeInvalid, "%s has %d bytes, at most %d are allowed", c.name, len(c.value), c.most)
		}
	}
	return nil
}

// locators normalises whichever of them are given.
func locators(f *pipeline.Finding, w *wire) error {
	if w.Domain != nil && *w.Domain != "" {
		d, err := Domain(*w.Domain)
		if err != nil {
			return fmt.Errorf("domainName: %w", err)
		}
		f.Domain = d
	}
	if w.IP != nil && *w.IP != "" {
		a, err := Addr(*w.IP)
		if err != nil {
			return fmt.Errorf("ip: %w", err)
		}
		f.IP = a.String()
		if w.Mask != nil {
			p, err := network(a, *w.Mask)
			if err != nil {
				return fmt.Errorf("mask: %w", err)
			}
			bits := p.Bits()
			f.Mask = &bits
			f.IP = p.Addr().String()
		}
	} else if w.Mask != nil {
		return pipeline.Errorf(pipeline.CodeInvalid, "mask is given without ip")
	}
	if w.Path != nil && *w.Path != "" {
		p, err := Path(*w.Path)
		if err != nil {
			return fmt.Errorf("path: %w", err)
		}
		f.Path = p
	}
	return transport(f, w)
}

func transport(f *pipeline.Finding, w *wire) error {
	if w.Port != nil {
		if *w.Port < 1 || *w.Port > 65535 {
			return pipeline.Errorf(pipeline.CodeInvalid, "port: %d is not between 1 and 65535", *w.Port)
		}
		f.Port = *w.Port
	}
	proto := ""
	if w.Protocol != nil {
		proto = *w.Protocol
	} else if f.Type == pipeline.PortFinding {
		proto = f.FieldText("protocol") // the reference's jobs say it in a field
	}
	switch p := pipeline.Protocol(strings.ToLower(proto)); p {
	case "", pipeline.TCP, pipeline.UDP:
		f.Protocol = p
		return nil
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "protocol: %q is neither tcp nor udp", clip(proto))
	}
}

// needs are the locators each type must have.
func needs(t pipeline.FindingType) ([]string, bool) {
	switch t {
	case pipeline.HostnameFinding:
		return []string{"domainName"}, true
	case pipeline.IPFinding:
		return []string{"ip"}, true
	case pipeline.HostnameIPFinding:
		return []string{"domainName", "ip"}, true
	case pipeline.IPRangeFinding:
		return []string{"ip", "mask"}, true
	case pipeline.PortFinding:
		return []string{"ip", "port", "protocol"}, true
	case pipeline.WebsiteFinding:
		return []string{"ip", "port"}, true
	case pipeline.TagFinding:
		return []string{"tag"}, true
	case pipeline.CustomFinding:
		return nil, true
	default:
		return nil, false
	}
}

func required(f *pipeline.Finding, _ *wire) error {
	list, known := needs(f.Type)
	if !known {
		return pipeline.Errorf(pipeline.CodeInvalid, "type %q is unknown, one of %v is", clip(string(f.Type)), pipeline.FindingTypes())
	}
	for _, n := range list {
		if !has(f, n) {
			return pipeline.Errorf(pipeline.CodeInvalid, "%s needs %s", f.Type, n)
		}
	}
	return nil
}

func has(f *pipeline.Finding, locator string) bool {
	switch locator {
	case "domainName":
		return f.Domain != ""
	case "ip":
		return f.IP != ""
	case "mask":
		return f.Mask != nil
	case "port":
		return f.Port != 0
	case "protocol":
		return f.Protocol != ""
	default:
		return f.Tag != ""
	}
}

// correlate sets the correlation key. Types that say something of one kind of
// resource use only its locators; the others whatever they were given.
func correlate(f *pipeline.Finding, w *wire) error {
	l := f.Locators
	website := f.Type == pipeline.WebsiteFinding || (w.Domain != nil && f.IP != "" && f.Port != 0)
	switch f.Type {
	case pipeline.HostnameFinding:
		l = pipeline.Locators{Domain: f.Domain}
	case pipeline.HostnameIPFinding, pipeline.IPFinding:
		l = pipeline.Locators{IP: f.IP}
	case pipeline.PortFinding:
		l, website = pipeline.Locators{IP: f.IP, Port: f.Port, Protocol: f.Protocol}, false
	default:
	}
	if website {
		l.Protocol, l.Mask, f.Protocol = pipeline.TCP, nil, pipeline.TCP
		if l.Path == "" {
			l.Path, f.Path = "/", "/"
		}
	}
	key, err := pipeline.CorrelationKey(f.ProjectID, l, website)
	if err != nil {
		return err
	}
	f.CorrelationKey = key
	return nil
}
