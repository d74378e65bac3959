package projector

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// said is a finding while it is folded.
type said struct {
	*pipeline.Finding
	at      int64
	version uint64
	addr    netip.Addr // of IP; not valid when there is none
}

func (f *folder) finding(e *entry[pipeline.Finding]) error {
	at, err := millis(e.body.At)
	if err != nil {
		return err
	}
	s := said{Finding: &e.body, at: at, version: rows.Version(at, e.offset)}
	if s.IP != "" {
		if s.addr, err = netip.ParseAddr(s.IP); err != nil || s.addr.Zone() != "" {
			return pipeline.Errorf(pipeline.CodeInvalid, "%q is no address a resource can have", s.IP)
		}
		s.addr = s.addr.Unmap()
	}
	stored, err := storedFinding(&s)
	if err != nil {
		return err
	}
	if err := f.resources(&s); err != nil {
		return err
	}
	f.out.Findings = append(f.out.Findings, stored)
	return nil
}

// resources makes the rows of what the finding is about, and of its parents.
func (f *folder) resources(s *said) error {
	switch s.Type {
	case pipeline.HostnameFinding:
		return f.domain(s)
	case pipeline.IPFinding:
		_, err := f.host(s)
		return err
	case pipeline.HostnameIPFinding:
		return f.resolved(s)
	case pipeline.IPRangeFinding:
		return f.ipRange(s)
	case pipeline.PortFinding:
		_, err := f.port(s, s.Protocol)
		return err
	case pipeline.WebsiteFinding:
		_, err := f.website(s)
		return err
	case pipeline.TagFinding:
		return f.tag(s)
	case pipeline.CustomFinding:
		return f.custom(s)
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "%q is no type of finding", s.Type)
	}
}

// custom applies the keys that change a resource. Any other says something of a
// resource without making one: a domain that was removed does not come back
// because a late report mentions it.
func (f *folder) custom(s *said) error {
	switch s.Key {
	case pipeline.KeyPortService:
		return f.portService(s)
	case pipeline.KeyOperatingSystem:
		h, err := f.host(s)
		if err == nil {
			h.OS = h.OS.Merge(s.value("os"))
		}
		return err
	case pipeline.KeyWebsiteTechnology, pipeline.KeyWebsiteResponse, pipeline.KeyCertificate, pipeline.KeyWebsitePath:
		return f.onWebsite(s)
	default:
		return nil
	}
}

// resolved makes a domain, a host and the link between them.
func (f *folder) resolved(s *said) error {
	if s.Domain == "" || !s.addr.IsValid() {
		return missing(s, "domainName and ip")
	}
	if err := f.domain(s); err != nil {
		return err
	}
	if _, err := f.host(s); err != nil {
		return err
	}
	k := linkKey{hostKey{s.ProjectID, s.addr}, s.Domain}
	row := &rows.Link{ProjectID: s.ProjectID, Domain: s.Domain, Addr: s.addr, First: s.at, Last: s.at}
	if have := f.links[k]; have != nil {
		have.Merge(row)
		return nil
	}
	f.links[k] = row
	return nil
}

func (f *folder) domain(s *said) error {
	if s.Domain == "" {
		return missing(s, "domainName")
	}
	k := domainKey{s.ProjectID, s.Domain}
	if have := f.domains[k]; have != nil {
		touch(&have.Seen, s.at)
		return nil
	}
	seen, err := newSeen(s, pipeline.Locators{Domain: s.Domain}, false)
	if err != nil {
		return err
	}
	f.domains[k] = &rows.Domain{Seen: seen, Name: s.Domain}
	return nil
}

func (f *folder) host(s *said) (*rows.Host, error) {
	if !s.addr.IsValid() {
		return nil, missing(s, "ip")
	}
	k := hostKey{s.ProjectID, s.addr}
	if have := f.hosts[k]; have != nil {
		touch(&have.Seen, s.at)
		return have, nil
	}
	seen, err := newSeen(s, pipeline.Locators{IP: s.addr.String()}, false)
	if err != nil {
		return nil, err
	}
	h := &rows.Host{Seen: seen, Addr: s.addr}
	f.hosts[k] = h
	return h, nil
}

func (f *folder) ipRange(s *said) error {
	if !s.addr.IsValid() || s.Mask == nil {
		return missing(s, "ip and mask")
	}
	p, err := s.addr.Prefix(*s.Mask)
	if err != nil {
		return pipeline.Errorf(pipeline.CodeInvalid, "mask %d does not fit %s", *s.Mask, s.IP)
	}
	k := rangeKey{s.ProjectID, p.Addr(), p.Bits()}
	if have := f.ranges[k]; have != nil {
		touch(&have.Seen, s.at)
		return nil
	}
	seen, err := newSeen(s, pipeline.Locators{IP: p.Addr().String(), Mask: s.Mask}, false)
	if err != nil {
		return err
	}
	f.ranges[k] = &rows.Range{Seen: seen, Addr: p.Addr(), Bits: uint8(p.Bits())}
	return nil
}

// port makes the port and its host.
func (f *folder) port(s *said, protocol pipeline.Protocol) (*rows.Port, error) {
	if s.Port < 1 || s.Port > math.MaxUint16 || protocol != pipeline.TCP && protocol != pipeline.UDP {
		return nil, missing(s, "port and protocol")
	}
	if _, err := f.host(s); err != nil {
		return nil, err
	}
	k := portKey{hostKey{s.ProjectID, s.addr}, s.Port, protocol}
	if have := f.ports[k]; have != nil {
		touch(&have.Seen, s.at)
		return have, nil
	}
	seen, err := newSeen(s, pipeline.Locators{IP: s.addr.String(), Port: s.Port, Protocol: protocol}, false)
	if err != nil {
		return nil, err
	}
	p := &rows.Port{Seen: seen, Addr: s.addr, Port: uint16(s.Port), Protocol: protocol}
	f.ports[k] = p
	return p, nil
}

// portService sets what runs on a port: the service's name counts as said only
// when it is, and then product and version as far as they are.
func (f *folder) portService(s *said) error {
	p, err := f.port(s, s.Protocol)
	if err != nil {
		return err
	}
	if s.text("serviceName") == "" {
		return nil
	}
	p.Service = p.Service.Merge(s.value("serviceName"))
	p.Product = p.Product.Merge(s.value("serviceProduct"))
	p.Version = p.Version.Merge(s.value("serviceVersion"))
	return nil
}

// website makes the website and its port, host and domain.
func (f *folder) website(s *said) (*rows.Website, error) {
	if _, err := f.port(s, pipeline.TCP); err != nil {
		return nil, err
	}
	if s.Domain != "" {
		if err := f.domain(s); err != nil {
			return nil, err
		}
	}
	path := s.Path
	if path == "" {
		path = "/"
	}
	k := websiteKey{hostKey{s.ProjectID, s.addr}, s.Port, s.Domain, path}
	w := f.websites[k]
	if w == nil {
		seen, err := newSeen(s, pipeline.Locators{IP: s.addr.String(), Port: s.Port, Domain: s.Domain, Path: path}, true)
		if err != nil {
			return nil, err
		}
		w = &rows.Website{Seen: seen, Addr: s.addr, Port: uint16(s.Port), Domain: s.Domain, Path: path}
		f.websites[k] = w
	}
	touch(&w.Seen, s.at)
	if s.SSL != nil {
		ssl := rows.Value[uint8]{Version: s.version}
		if *s.SSL {
			ssl.Value = 1
		}
		w.SSL = w.SSL.Merge(ssl)
	}
	return w, nil
}

// onWebsite applies the custom findings about websites.
func (f *folder) onWebsite(s *said) error {
	w, err := f.website(s)
	if err != nil {
		return err
	}
	o := rows.Website{Seen: w.Seen}
	switch s.Key {
	case pipeline.KeyWebsiteTechnology:
		for _, x := range s.Fields {
			if t := strings.TrimSpace(x.Text()); x.Key == "technology" && t != "" {
				o.Technologies = append(o.Technologies, t)
			}
		}
	case pipeline.KeyWebsiteResponse:
		// the answer as a whole: what this one lacks is gone
		code, _ := strconv.ParseUint(s.text("statusCode"), 10, 16)
		o.Status = rows.Value[uint16]{Version: s.version, Value: uint16(code)}
		o.Title = rows.Value[string]{Version: s.version, Value: s.text("title")}
		o.Server = rows.Value[string]{Version: s.version, Value: s.text("server")}
	case pipeline.KeyCertificate:
		if c := certificate(s.Finding); c != "" {
			o.Certificate = rows.Value[string]{Version: s.version, Value: c}
		}
	}
	w.Merge(&o)
	return nil
}

// tag puts a tag on the resource the finding names; it makes no resource.
func (f *folder) tag(s *said) error {
	if s.Tag == "" {
		return missing(s, "tag")
	}
	id := pipeline.ResourceID(s.CorrelationKey)
	k := tagKey{s.ProjectID, id, s.Tag}
	row := &rows.Tag{ProjectID: s.ProjectID, ResourceID: id, Tag: s.Tag, State: rows.Value[uint8]{Version: s.version, Value: 1}}
	if have := f.tags[k]; have != nil {
		have.Merge(row)
		return nil
	}
	f.tags[k] = row
	return nil
}

// touch widens what is known to be seen by one instant.
func touch(seen *rows.Seen, at int64) {
	seen.First, seen.Last = min(seen.First, at), max(seen.Last, at)
}

func newSeen(s *said, l pipeline.Locators, website bool) (rows.Seen, error) {
	key, err := pipeline.CorrelationKey(s.ProjectID, l, website)
	return rows.Seen{ProjectID: s.ProjectID, ID: pipeline.ResourceID(key), First: s.at, Last: s.at}, err
}

func missing(s *said, what string) error {
	return pipeline.Errorf(pipeline.CodeInvalid, "a %s needs %s", s.Key, what)
}

// text is the text of a field without surrounding space.
func (s *said) text(key string) string { return strings.TrimSpace(s.FieldText(key)) }

// value is the text of a field as what is now said; an empty text says nothing.
func (s *said) value(key string) rows.Value[string] {
	v := s.text(key)
	if v == "" {
		return rows.Value[string]{}
	}
	return rows.Value[string]{Version: s.version, Value: v}
}
