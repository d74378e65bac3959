package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

var websiteKind = &resource[pipeline.Website]{
	kind: pipeline.KindWebsite, table: "websites",
	columns: seenAnd(
		keyPart("domain"), keyPart("addr"), keyPart("port"), keyPart("path"), selected{"ssl", "max", "version"}, latest("ssl"),
		latest("status"), latest("title"), latest("server"), latest("certificate"), selected{"technologies", "groupUniqArrayArray", ""},
		lookedAt, latest("merged_into"), latest("screenshot"),
	),
	key:  []keyColumn{{"domain", "String"}, {"addr", "IPv6"}, {"port", "UInt16"}, {"path", "String"}},
	seen: func(w *pipeline.Website) *pipeline.Seen { return &w.Seen },
	keyOf: func(w *pipeline.Website) []string {
		return []string{w.Domain, mapped(w.IP), strconv.Itoa(w.Port), w.Path}
	},
	scan:   scanWebsite,
	enrich: addPaths,
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
		looked       time.Time
		row          seenRow
	)
	if err := r.Scan(row.into(&w.Seen, &w.Domain, &addr, &port, &w.Path, &sslVersion, &ssl, &status,
		&w.Title, &w.Server, &certificate, &w.Technologies, &looked, &w.MergedInto, &w.Screenshot)...); err != nil {
		return w, err
	}
	w.IP, w.Port, w.Status = addr.Unmap().String(), int(port), int(status)
	w.Closed, w.SiteMap = closed(w.LastSeen, looked), []string{}
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
	return w, row.finish(&w.Seen, pipeline.Locators{Domain: w.Domain, IP: w.IP, Port: w.Port, Path: w.Path}, true)
}

// addPaths fills in the site maps of the websites of a page.
func addPaths(ctx context.Context, s *Store, ws []pipeline.Website) error {
	by := map[of]*pipeline.Website{}
	q := relatedQuery{table: "website_paths", one: "website_id", typ: "String", other: "path", having: visibleGrouped}
	for i := range ws {
		by[of{ws[i].ProjectID, ws[i].ID}] = &ws[i]
		q.add(ws[i].ProjectID, ws[i].ID)
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var k of
		var path string
		err := r.Scan(&k.project, &k.name, &path)
		if w := by[k]; w != nil {
			w.SiteMap = append(w.SiteMap, path)
		}
		return struct{}{}, err
	})
	return err
}
