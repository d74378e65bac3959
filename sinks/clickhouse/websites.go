package clickhouse

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/stalker-asm/stalker/pipeline"
)

// secureExpr says whether a website speaks TLS, and guesses by the port while
// nobody has looked.
var secureExpr = "if(" + element("ssl", "version") + " > 0, " + element("ssl", "value") + " = 1, port = 443)"

// urlExpr is a website's address as a person would type it.
var urlExpr = "concat(if(" + secureExpr + ", 'https://', 'http://'), " +
	"multiIf(domain != '', domain, position(ip, ':') > 0, concat('[', ip, ']'), ip), " +
	"if(port = if(" + secureExpr + ", 443, 80), '', concat(':', toString(port))), path)"

var websiteKind = &resource[pipeline.Website]{
	kind: pipeline.KindWebsite, table: "websites",
	columns: append(seenColumns[:4:4], urlExpr+" AS url", "domain", "addr", "port", "path", element("ssl", "version"), element("ssl", "value"),
		element("status", "value"), element("title", "value"), element("server", "value"), element("certificate", "value"), "technologies"),
	key:    []keyColumn{{"domain", "String"}, {"addr", "IPv6"}, {"port", "UInt16"}, {"path", "String"}},
	textIn: "concat(" + urlExpr + ", ' ', " + element("title", "value") + ")",
	seen:   func(w *pipeline.Website) *pipeline.Seen { return &w.Seen },
	keyOf: func(w *pipeline.Website) []string {
		return []string{w.Domain, mapped(w.IP), strconv.Itoa(w.Port), w.Path}
	},
	scan: scanWebsite,
}

func scanWebsite(r scanner) (w pipeline.Website, err error) {
	var (
		addr         netip.Addr
		port, status uint16
		sslVersion   uint64
		ssl          uint8
		certificate  string
	)
	if err := r.Scan(append(seenInto(&w.Seen), &w.URL, &w.Domain, &addr, &port, &w.Path, &sslVersion, &ssl, &status,
		&w.Title, &w.Server, &certificate, &w.Technologies)...); err != nil {
		return w, err
	}
	w.IP, w.Port, w.Status = addr.Unmap().String(), int(port), int(status)
	if sslVersion > 0 {
		secure := ssl == 1
		w.SSL = &secure
	}
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
