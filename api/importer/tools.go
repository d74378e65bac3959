package importer

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// flexible is a text that tools write as a text, a number or a list of texts,
// depending on their version.
type flexible []string

// UnmarshalJSON reads any of them.
func (f *flexible) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*f = nil
	f.add(v)
	return nil
}

func (f *flexible) add(v any) {
	switch v := v.(type) {
	case string:
		if v != "" {
			*f = append(*f, v)
		}
	case float64:
		*f = append(*f, strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		for _, x := range v {
			f.add(x)
		}
	case map[string]any: // naabu's port before 2.1
		for _, k := range []string{"Port", "port"} {
			if n, ok := v[k].(float64); ok {
				f.add(n)
			}
		}
	}
}

func (f flexible) first() string {
	if len(f) == 0 {
		return ""
	}
	return f[0]
}

func masscan(raw []byte) ([]Finding, error) {
	type object struct {
		IP       string
		Finished flexible
		Ports    []struct {
			Port    int
			Proto   string
			Status  string
			Service struct{ Name, Banner string }
		}
	}
	o, err := decode[object](raw)
	if err != nil {
		if strings.Contains(string(raw), "finished") { // its last line is no JSON
			return nil, nil
		}
		return nil, err
	}
	if o.IP == "" && len(o.Ports) == 0 {
		return nil, nil
	}
	here, err := located(o.IP)
	if err != nil || here.ip == "" {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "ip: %q is no address", pipeline.Head(o.IP, 60))
	}
	out := here.host()
	for _, p := range o.Ports {
		port := nmapPort{place: place{ip: here.ip, port: p.Port}, proto: p.Proto, state: p.Status, service: p.Service.Name}
		if port.state == "" {
			port.state = "open" // banners have none
		}
		if port.service == "title" || port.service == "X509" || port.service == "unknown" {
			port.service = "" // what the banner holds, not what serves it
		}
		fs := port.findings()
		if len(fs) > 0 && p.Service.Banner != "" {
			f := custom("BannerFinding", text("banner", p.Service.Banner))
			f.IP, f.Port, f.Protocol = here.ip, p.Port, pipeline.Protocol(p.Proto)
			fs = append(fs, f)
		}
		out = append(out, fs...)
	}
	return out, nil
}

func subfinder(raw []byte) ([]Finding, error) {
	type object struct{ Host, IP string }
	o, err := decode[object](raw)
	if err != nil {
		return nil, err
	}
	p, err := located(o.Host)
	if err != nil {
		return nil, err
	}
	p.ip = address(o.IP, p.ip)
	return p.host(), nil
}

// address is s when it is one, else the other.
func address(s, otherwise string) string {
	if p, err := located(s); err == nil && p.ip != "" {
		return p.ip
	}
	return otherwise
}

func naabu(raw []byte) ([]Finding, error) {
	type object struct {
		Host, IP, Protocol string
		Port               flexible
	}
	o, err := decode[object](raw)
	if err != nil {
		return nil, err
	}
	if o.Host == "" {
		o.Host = o.IP
	}
	p, err := located(o.Host)
	if err != nil {
		return nil, err
	}
	p.ip = address(o.IP, p.ip)
	if p.port, err = port(o.Port.first()); err != nil {
		return nil, err
	}
	proto := pipeline.TCP
	if strings.EqualFold(o.Protocol, "udp") {
		proto = pipeline.UDP
	}
	return p.open(proto), nil
}

func httpx(raw []byte) ([]Finding, error) {
	type object struct {
		URL, Host, Title, Webserver, Location string
		HostIP                                string `json:"host_ip"`
		ContentType                           string `json:"content_type"`
		A, AAAA, Tech, Technologies           flexible
		Status                                int `json:"status_code"`
		StatusOld                             int `json:"status-code"`
		Failed                                bool
		TLS                                   *certificate
	}
	o, err := decode[object](raw)
	if err != nil || o.Failed {
		return nil, err
	}
	p, err := site(o.URL)
	if err != nil {
		return nil, err
	}
	for _, ip := range []string{o.HostIP, o.Host, o.A.first(), o.AAAA.first()} {
		if p.ip == "" {
			p.ip = address(ip, "")
		}
	}
	out := p.listed()
	add := func(key string, fields ...Field) {
		if fields = filled(fields...); len(fields) > 0 {
			out = append(out, p.about(custom(key, fields...)))
		}
	}
	status := ""
	if o.Status += o.StatusOld; o.Status > 0 {
		status = strconv.Itoa(o.Status)
	}
	if p.path == "/" {
		add(pipeline.KeyWebsiteResponse, text("statusCode", status), text("title", o.Title), text("server", o.Webserver), text("contentType", o.ContentType), text("location", o.Location))
	}
	for _, t := range append(o.Tech, o.Technologies...) {
		add(pipeline.KeyWebsiteTechnology, text("technology", t))
	}
	if o.TLS != nil {
		add(pipeline.KeyCertificate, o.TLS.fields()...)
	}
	return out, nil
}

// certificate is one as httpx writes it.
type certificate struct {
	SubjectDN   string   `json:"subject_dn"`
	SubjectCN   string   `json:"subject_cn"`
	Names       flexible `json:"subject_an"`
	IssuerDN    string   `json:"issuer_dn"`
	IssuerCN    string   `json:"issuer_cn"`
	NotBefore   string   `json:"not_before"`
	NotAfter    string   `json:"not_after"`
	Fingerprint struct {
		SHA256 string
	} `json:"fingerprint_hash"`
}

func (c *certificate) fields() []Field {
	either := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	return []Field{
		text("subject", either(c.SubjectDN, c.SubjectCN)), text("issuer", either(c.IssuerDN, c.IssuerCN)), text("names", strings.Join(c.Names, ",")),
		text("notBefore", c.NotBefore), text("notAfter", c.NotAfter), text("fingerprint", strings.ToLower(c.Fingerprint.SHA256)),
	}
}

func katana(raw []byte) ([]Finding, error) {
	type object struct {
		Endpoint string
		Request  struct{ Endpoint string }
		Response struct {
			Status       int `json:"status_code"`
			Technologies flexible
		}
	}
	o, err := decode[object](raw)
	if err != nil {
		return nil, err
	}
	if o.Request.Endpoint != "" {
		o.Endpoint = o.Request.Endpoint
	}
	p, err := site(o.Endpoint)
	if err != nil {
		return nil, err
	}
	out := p.served()
	if p.path != "/" {
		status := ""
		if o.Response.Status > 0 {
			status = strconv.Itoa(o.Response.Status)
		}
		out = append(out, p.about(custom(pipeline.KeyWebsitePath, filled(text("endpoint", p.path), text("statusCode", status))...)))
	}
	for _, t := range o.Response.Technologies {
		out = append(out, p.about(custom(pipeline.KeyWebsiteTechnology, text("technology", t))))
	}
	return out, nil
}

func nuclei(raw []byte) ([]Finding, error) {
	type object struct {
		Template string `json:"template-id"`
		Info     struct {
			Name, Severity, Description string
			Tags, Reference             flexible
			Classification              struct {
				CVE  flexible `json:"cve-id"`
				CVSS float64  `json:"cvss-score"`
			}
		}
		Type, Host, URL, IP, Scheme string
		Port                        flexible
		Matched                     string   `json:"matched-at"`
		Matcher                     string   `json:"matcher-name"`
		Extracted                   flexible `json:"extracted-results"`
	}
	o, err := decode[object](raw)
	if err != nil {
		return nil, err
	}
	if o.Template == "" {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "template-id is missing")
	}
	p, web, err := struck(o.Matched, o.URL, o.Host, o.Port.first())
	if err != nil {
		return nil, err
	}
	p.ip = address(o.IP, p.ip)
	fields := filled(text("templateId", o.Template), text("severity", strings.ToLower(o.Info.Severity)), text("matchedAt", o.Matched), text("matcher", o.Matcher),
		text("description", o.Info.Description), text("cve", strings.Join(o.Info.Classification.CVE, ", ")), text("tags", strings.Join(o.Info.Tags, ", ")),
		text("references", strings.Join(o.Info.Reference, "\n")), text("extracted", strings.Join(o.Extracted, "\n")))
	if score := o.Info.Classification.CVSS; score > 0 {
		fields = append(fields, Field{"cvss", "text", score})
	}
	f := custom("NucleiFinding", fields...)
	if f.Name = pipeline.Head(o.Info.Name, 500); f.Name == "" {
		f.Name = pipeline.Head(o.Template, 500)
	}
	switch {
	case web:
		return append(p.listed(), p.about(f)), nil
	case p.port > 0 && p.ip != "":
		f.IP, f.Port, f.Protocol = p.ip, p.port, pipeline.TCP
		return append(p.open(pipeline.TCP), f), nil
	case p.domain != "":
		f.Domain = &p.domain
		return append(p.host(), f), nil
	default:
		f.IP = p.ip
		return append(p.host(), f), nil
	}
}

// struck is where a template matched: a website when it is a URL, else a host with
// or without a port.
func struck(matched, link, host, number string) (p place, web bool, err error) {
	for _, s := range []string{matched, link, host} {
		if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
			if p, err = site(s); err == nil {
				return p, true, nil
			}
		}
	}
	for _, s := range []string{host, matched, link} {
		if s == "" {
			continue
		}
		if fs, bad := target(strings.TrimPrefix(strings.TrimPrefix(s, "tcp://"), "tls://")); bad == nil {
			for _, f := range fs {
				if f.Domain != nil {
					p.domain = *f.Domain
				}
				p.ip, p.port = f.IP, f.Port
			}
			if p.port == 0 && number != "" {
				p.port, _ = port(number) // without one it is about the host
			}
			return p, false, nil
		}
	}
	return p, false, pipeline.Errorf(pipeline.CodeInvalid, "host: %q names no host", pipeline.Head(host, 100))
}
