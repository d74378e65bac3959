package clickhouse

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

var websiteKind = &resource[pipeline.Website]{
	kind: pipeline.KindWebsite, table: "websites",
	columns: append(
		seenColumns[:4:4], keyPart("domain"), keyPart("addr"), keyPart("port"), keyPart("path"), selected{"ssl", "max", "version"}, latest("ssl"),
		latest("status"), latest("title"), latest("server"), latest("certificate"), selected{"technologies", "groupUniqArrayArray", ""},
	),
	key:    []keyColumn{{"domain", "String"}, {"addr", "IPv6"}, {"port", "UInt16"}, {"path", "String"}},
	textIn: []string{"address", element("title", "value")},
	text:   withoutScheme,
	seen:   func(w *pipeline.Website) *pipeline.Seen { return &w.Seen },
	keyOf: func(w *pipeline.Website) []string {
		return []string{w.Domain, mapped(w.IP), strconv.Itoa(w.Port), w.Path}
	},
	scan: scanWebsite,
}

// withoutScheme takes the scheme off a text that looks like a URL: which one a
// website has is not part of what it is searched by.
func withoutScheme(text string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			return text[len(scheme):]
		}
	}
	return text
}

// websiteURL is a website's address as a person would type it. While nobody knows
// whether it speaks TLS, the port is taken for a hint.
func websiteURL(w *pipeline.Website, addr netip.Addr) string {
	secure := w.Port == 443
	if w.SSL != nil {
		secure = *w.SSL
	}
	scheme, usual := "http://", 80
	if secure {
		scheme, usual = "https://", 443
	}
	return scheme + authority(w.Domain, addr, uint16(w.Port), w.Port == usual) + w.Path
}

// authority is name:port, of the address when there is no name.
func authority(domain string, addr netip.Addr, port uint16, usual bool) string {
	host := domain
	if host == "" {
		host = addr.String()
		if addr.Is6() {
			host = "[" + host + "]"
		}
	}
	if usual {
		return host
	}
	return host + ":" + strconv.Itoa(int(port))
}

func scanWebsite(r scanner) (w pipeline.Website, err error) {
	var (
		addr         netip.Addr
		port, status uint16
		sslVersion   uint64
		ssl          uint8
		certificate  string
	)
	if err := r.Scan(append(seenInto(&w.Seen), &w.Domain, &addr, &port, &w.Path, &sslVersion, &ssl, &status,
		&w.Title, &w.Server, &certificate, &w.Technologies)...); err != nil {
		return w, err
	}
	w.IP, w.Port, w.Status = addr.Unmap().String(), int(port), int(status)
	if sslVersion > 0 {
		secure := ssl == 1
		w.SSL = &secure
	}
	w.URL = websiteURL(&w, addr.Unmap())
	if certificate != "" {
		if err := json.Unmarshal([]byte(certificate), &w.Certificate); err != nil {
			return w, fmt.Errorf("the certificate of the website %s: %w", w.ID, err)
		}
	}
	if w.Technologies == nil {
		w.Technologies = []string{}
	}
	slices.Sort(w.Technologies) // a union has no order
	return w, finish(&w.Seen, pipeline.Locators{Domain: w.Domain, IP: w.IP, Port: w.Port, Path: w.Path}, true)
}
