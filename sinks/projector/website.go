package projector

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/sinks/rows"
)

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
		seen, err := f.first(s, pipeline.KindWebsite, pipeline.Locators{IP: s.addr.String(), Port: s.Port, Domain: s.Domain, Path: path})
		if err != nil {
			return nil, err
		}
		w = &rows.Website{Seen: seen, Addr: s.addr, Port: uint16(s.Port), Domain: s.Domain, Path: path}
		f.websites[k] = w
	}
	f.touch(s, pipeline.KindWebsite, &w.Seen)
	if s.SSL != nil {
		ssl := rows.Value[uint8]{Version: s.version}
		if *s.SSL {
			ssl.Value = 1
		}
		w.SSL = w.SSL.Merge(ssl)
		f.now(s, &w.Seen, pipeline.KindWebsite, "ssl", rows.Value[string]{Version: s.version, Value: strconv.FormatBool(*s.SSL)})
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
		o.Technologies = f.technologies(s, w)
	case pipeline.KeyWebsitePath:
		f.siteMap(s, w)
	case pipeline.KeyWebsiteResponse:
		f.response(s, &o)
	case pipeline.KeyScreenshot:
		if slices.ContainsFunc(s.Fields, func(x pipeline.Field) bool { return x.Type == pipeline.ImageField }) {
			o.Screenshot = rows.Value[string]{Version: s.version, Value: s.ID}
		}
	case pipeline.KeyCertificate:
		if c, name := certificate(s.Finding); c != "" {
			o.Certificate = rows.Value[string]{Version: s.version, Value: c}
			f.now(s, &w.Seen, pipeline.KindWebsite, "certificate", rows.Value[string]{Version: s.version, Value: name})
		}
	}
	w.Merge(&o)
	return nil
}

// technologies are those the finding names; each is an attribute of its own.
func (f *folder) technologies(s *said, w *rows.Website) map[string]int64 {
	out := map[string]int64{}
	for _, x := range s.Fields {
		if t := strings.TrimSpace(x.Text()); x.Key == "technology" && t != "" {
			out[t] = s.at
			f.now(s, &w.Seen, pipeline.KindWebsite, rows.Technology(t), rows.Value[string]{Version: s.version, Value: "yes"})
		}
	}
	return out
}

// response takes the answer as a whole: what this one lacks is gone.
func (f *folder) response(s *said, o *rows.Website) {
	code, err := strconv.ParseUint(s.text("statusCode"), 10, 16)
	if err != nil {
		code = 0
	}
	text := func(attribute, key string) rows.Value[string] {
		return f.now(s, &o.Seen, pipeline.KindWebsite, attribute, rows.Value[string]{Version: s.version, Value: s.text(key)})
	}
	o.Status = rows.Value[uint16]{Version: s.version, Value: uint16(code)}
	text("status", "statusCode")
	o.Title, o.Server = text("title", "title"), text("server", "server")
}

// siteMap adds the paths the finding names. A path that is none is passed over: the
// finding itself is kept as it was said.
func (f *folder) siteMap(s *said, w *rows.Website) {
	code, err := strconv.ParseUint(s.text("statusCode"), 10, 16)
	status := rows.Value[uint16]{Version: s.version, Value: uint16(code)}
	if err != nil || code == 0 {
		status = rows.Value[uint16]{}
	}
	for _, x := range s.Fields {
		if x.Key != "endpoint" || strings.TrimSpace(x.Text()) == "" {
			continue
		}
		path, err := normal.Path(endpoint(strings.TrimSpace(x.Text())))
		if err != nil {
			continue
		}
		k := pathKey{w.ID, path}
		row := &rows.Path{ProjectID: s.ProjectID, WebsiteID: w.ID, Path: path, First: s.at, Last: s.at, Status: status}
		if have := f.paths[k]; have != nil {
			have.Merge(row)
			continue
		}
		f.paths[k] = row
	}
}

// endpoint is the path of an endpoint that may be written as a URL.
func endpoint(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return s
}
