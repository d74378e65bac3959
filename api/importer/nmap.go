package importer

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// meter ends an element that does not end: the decoder holds one in memory.
type meter struct {
	from io.Reader
	n    int
}

// Read counts what the decoder took since it last gave something.
func (m *meter) Read(b []byte) (int, error) {
	n, err := m.from.Read(b)
	if m.n += n; m.n > maxEntry {
		return 0, pipeline.Errorf(pipeline.CodeTooLarge, "an element has more than %d bytes", maxEntry)
	}
	return n, err
}

// nmapHost is what is said of one host.
type nmapHost struct {
	line     int
	ran      string
	ip       string
	up       bool
	names    []nmapName
	ports    []nmapPort
	os       string
	accuracy int
}

type nmapName struct{ name, typ string }

type nmapPort struct {
	place
	proto                            string
	state, service, product, version string
	guessed                          bool
	scripts                          []nmapName
}

// maxPorts is every port of both protocols.
const maxPorts = 2 * 65535

// readNmap reads the elements one by one. No entity is resolved: the decoder knows
// none but XML's own, and reads no document type.
func readNmap(in *bufio.Reader, out *sink) error {
	m := &meter{from: in}
	d := xml.NewDecoder(m)
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the file is not in UTF-8")
	}
	var h *nmapHost
	seen, start := false, ""
	for {
		t, err := d.Token()
		m.n = 0
		out.res.Lines, _ = d.InputPos()
		if err != nil {
			return nmapEnd(err, seen)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local == "nmaprun" && !seen {
				seen, start = true, attributes(t)["start"]
			}
			if !seen {
				return pipeline.Errorf(pipeline.CodeInvalid, "the file is XML and not nmap's: it begins with <%s>", pipeline.Head(t.Name.Local, 40))
			}
			if t.Name.Local == "host" {
				h = &nmapHost{line: out.res.Lines, ran: start + "/" + attributes(t)["starttime"]}
			} else if h != nil {
				h.element(t.Name.Local, attributes(t))
			}
		case xml.EndElement:
			if t.Name.Local != "host" || h == nil {
				continue
			}
			fs, err := h.findings()
			for i := range fs {
				fs[i].Ran = h.ran
			}
			if err := out.findings(h.line, fs, err); err != nil {
				return err
			}
			h = nil
		case xml.Directive:
			if strings.Contains(strings.ToUpper(string(t)), "ENTITY") {
				return pipeline.Errorf(pipeline.CodeInvalid, "the file declares entities, which nmap does not: it is not read")
			}
		}
	}
}

// nmapEnd tells the end of a file from one that breaks off, as those of scans that
// are running or were killed do.
func nmapEnd(err error, seen bool) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && seen:
		return nil
	case errors.Is(err, io.EOF):
		return pipeline.Errorf(pipeline.CodeInvalid, "the file has no <nmaprun>")
	case errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF") && seen:
		return io.ErrUnexpectedEOF
	case errors.As(err, &syntax):
		return pipeline.Errorf(pipeline.CodeInvalid, "line %d is no XML: %s", syntax.Line, syntax.Msg)
	case strings.HasPrefix(err.Error(), "xml: "): // of another version or encoding
		return pipeline.Errorf(pipeline.CodeInvalid, "the file is not read: %w", err)
	default:
		return err
	}
}

func attributes(t xml.StartElement) map[string]string {
	m := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		m[a.Name.Local] = a.Value
	}
	return m
}

func (h *nmapHost) element(name string, a map[string]string) {
	var p *nmapPort
	if len(h.ports) > 0 {
		p = &h.ports[len(h.ports)-1]
	}
	switch name {
	case "status":
		h.up = a["state"] == "up"
	case "address":
		if t := a["addrtype"]; h.ip == "" && (t == "" || t == "ipv4" || t == "ipv6") {
			h.ip = a["addr"]
		}
	case "hostname":
		if len(h.names) < 1000 {
			h.names = append(h.names, nmapName{a["name"], a["type"]})
		}
	case "port":
		n, _ := strconv.Atoi(a["portid"]) // 0 is refused later
		if len(h.ports) < maxPorts {
			h.ports = append(h.ports, nmapPort{place: place{port: n}, proto: a["protocol"]})
		}
	case "state":
		if p != nil {
			p.state = a["state"]
		}
	case "service":
		if p != nil {
			p.service, p.product, p.version, p.guessed = a["name"], a["product"], a["version"], a["method"] == "table"
			if a["tunnel"] == "ssl" && p.service == "http" {
				p.service = "https"
			}
		}
	case "script":
		if p != nil && len(p.scripts) < 50 {
			p.scripts = append(p.scripts, nmapName{a["id"], a["output"]})
		}
	case "osmatch":
		if n, _ := strconv.Atoi(a["accuracy"]); n > h.accuracy { // 0 is no match
			h.os, h.accuracy = a["name"], n
		}
	}
}

// findings are what a host that is up gives; nothing for one that is down.
func (h *nmapHost) findings() ([]Finding, error) {
	if !h.up && len(h.ports) == 0 || h.ip == "" {
		return nil, nil
	}
	here, err := located(h.ip)
	if err != nil || here.ip == "" {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "%q is no address", pipeline.Head(h.ip, 60))
	}
	out := here.host()
	for _, n := range h.names {
		p, err := located(n.name)
		if err != nil || p.domain == "" {
			continue // names of address ranges and of nobody's choice
		}
		f := Finding{Type: pipeline.HostnameIPFinding, Domain: &p.domain, IP: here.ip}
		if strings.EqualFold(n.typ, "ptr") {
			f.Fields = []Field{text(pipeline.FieldLearntBy, pipeline.LearntByPTR)}
		}
		out = append(out, f)
	}
	if h.os != "" {
		f := custom(pipeline.KeyOperatingSystem, text("os", h.os))
		f.IP = here.ip
		out = append(out, f)
	}
	for i := range h.ports {
		h.ports[i].ip = here.ip
		out = append(out, h.ports[i].findings()...)
	}
	return out, nil
}

func (p *nmapPort) findings() []Finding {
	proto := pipeline.Protocol(p.proto)
	if p.state != "open" || p.port < 1 || p.port > 65535 || proto != pipeline.TCP && proto != pipeline.UDP {
		return nil
	}
	out := []Finding{{Type: pipeline.PortFinding, IP: p.ip, Port: p.port, Protocol: proto}}
	add := func(f Finding) {
		f.IP, f.Port, f.Protocol = p.ip, p.port, proto
		out = append(out, f)
	}
	if p.service != "" && !p.guessed {
		add(custom(pipeline.KeyPortService, filled(text("serviceName", p.service), text("serviceProduct", p.product), text("serviceVersion", p.version))...))
	}
	for _, s := range p.scripts {
		f := custom("NmapScriptFinding", text("script", s.name), text("output", s.typ))
		f.Name = pipeline.Head(s.name, 200)
		add(f)
	}
	return out
}
