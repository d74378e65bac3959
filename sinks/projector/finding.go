package projector

import (
	"math"
	"net/netip"
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
	if !s.own() {
		return pipeline.Errorf(pipeline.CodeInvalid, "the key %q is not of the project %q", pipeline.Clip(s.CorrelationKey, 200), pipeline.Clip(s.ProjectID, 64))
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

// own reports whether the finding is about something of its own project.
func (s *said) own() bool {
	rest, ok := strings.CutPrefix(s.CorrelationKey, "project:")
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(rest, s.ProjectID)
	return ok && (rest == "" || rest[0] == ';')
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
	case pipeline.KeyCoverage:
		return f.covered(s)
	case pipeline.KeyPortService:
		return f.portService(s)
	case pipeline.KeyOperatingSystem:
		h, err := f.host(s)
		if err == nil {
			h.OS = h.OS.Merge(f.now(s, &h.Seen, pipeline.KindHost, "os", s.value("os")))
		}
		return err
	case pipeline.KeyWebsiteTechnology, pipeline.KeyWebsiteResponse, pipeline.KeyCertificate, pipeline.KeyWebsitePath, pipeline.KeyScreenshot:
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
	if s.Reverse() {
		return nil // who owns an address may have it answer with any name: no domain resolves there for that
	}
	k := linkKey{hostKey{s.ProjectID, s.addr}, s.Domain}
	row := &rows.Link{ProjectID: s.ProjectID, Domain: s.Domain, Addr: s.addr, First: s.at, Last: s.at}
	d := f.domains[domainKey{s.ProjectID, s.Domain}]
	f.now(s, &d.Seen, pipeline.KindDomain, "address:"+s.addr.String(), rows.Value[string]{Version: s.version, Value: "yes"})
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
		f.touch(s, pipeline.KindDomain, &have.Seen)
		return nil
	}
	seen, err := f.first(s, pipeline.KindDomain, pipeline.Locators{Domain: s.Domain})
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
		f.touch(s, pipeline.KindHost, &have.Seen)
		return have, nil
	}
	seen, err := f.first(s, pipeline.KindHost, pipeline.Locators{IP: s.addr.String()})
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
		f.touch(s, pipeline.KindRange, &have.Seen)
		return nil
	}
	seen, err := f.first(s, pipeline.KindRange, pipeline.Locators{IP: p.Addr().String(), Mask: s.Mask})
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
		f.touch(s, pipeline.KindPort, &have.Seen)
		return have, nil
	}
	seen, err := f.first(s, pipeline.KindPort, pipeline.Locators{IP: s.addr.String(), Port: s.Port, Protocol: protocol})
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
	p.Service = p.Service.Merge(f.now(s, &p.Seen, pipeline.KindPort, "service", s.value("serviceName")))
	p.Product = p.Product.Merge(f.now(s, &p.Seen, pipeline.KindPort, "product", s.value("serviceProduct")))
	p.Version = p.Version.Merge(f.now(s, &p.Seen, pipeline.KindPort, "version", s.value("serviceVersion")))
	return nil
}

// tag puts a tag on the resource the finding names; it makes no resource.
func (f *folder) tag(s *said) error {
	if s.Tag == "" {
		return missing(s, "tag")
	}
	id := pipeline.ResourceID(s.CorrelationKey)
	k := tagKey{s.ProjectID, id, s.Tag}
	row := &rows.Tag{
		ProjectID: s.ProjectID, ResourceID: id, Tag: s.Tag, State: rows.Value[uint8]{Version: s.version, Value: 1}, Addr: s.addr, Domain: s.Domain,
	}
	if have := f.tags[k]; have != nil {
		have.Merge(row)
		return nil
	}
	f.tags[k] = row
	return nil
}

// touch widens what is known to be seen by one instant. One before all others moves
// the beginning of the history.
func (f *folder) touch(s *said, kind pipeline.Kind, seen *rows.Seen) {
	if s.at < seen.First {
		seen.First = s.at
		f.open(s, kind, seen, "")
	}
	seen.Last = max(seen.Last, s.at)
}

// first begins the row of a resource, and says in its history that it is there.
func (f *folder) first(s *said, kind pipeline.Kind, l pipeline.Locators) (rows.Seen, error) {
	key, err := pipeline.CorrelationKey(s.ProjectID, l, kind == pipeline.KindWebsite)
	if err != nil {
		return rows.Seen{}, err
	}
	seen := rows.Seen{ProjectID: s.ProjectID, ID: pipeline.ResourceID(key), First: s.at, Last: s.at}
	f.open(s, kind, &seen, key)
	return seen, nil
}

func (f *folder) open(s *said, kind pipeline.Kind, seen *rows.Seen, key string) {
	f.history.say(rows.Change{
		ProjectID: s.ProjectID, At: s.at, ResourceID: seen.ID, Kind: kind, Key: key, Value: rows.Open, Cause: s.cause(),
	})
}

// cause names who said it.
func (s *said) cause() string {
	if s.ExecutionID != "" {
		return s.ExecutionID
	}
	return s.UserID
}

// now says in the history of a resource what an attribute of it is, when the finding
// says so.
func (f *folder) now(s *said, seen *rows.Seen, kind pipeline.Kind, attribute string, v rows.Value[string]) rows.Value[string] {
	if v.Version > 0 {
		f.history.say(rows.Change{
			ProjectID: s.ProjectID, At: s.at, ResourceID: seen.ID, Attribute: attribute, Kind: kind, Value: rows.Said("", v.Value), Cause: s.cause(),
		})
	}
	return v
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
