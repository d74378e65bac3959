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
	"github.com/stalker-asm/stalker/sinks/rows"
)

var websiteKind = &resource[pipeline.Website]{
	kind: pipeline.KindWebsite, table: "websites",
	columns: seenAnd(
		keyPart("domain"), keyPart("addr"), keyPart("port"), keyPart("path"), selected{"ssl", "max", "version"}, latest("ssl"),
		latest("status"), latest("title"), latest("server"), latest("certificate"), lookedAt, latest("merged_into"), latest("screenshot"),
		selected{"technologies", "groupUniqArrayArray", ""}, selected{"technologies_said", "maxMap", ""}, selected{"deleted_at", "max", ""},
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
		untimed      []string
		said         map[string]int64
		deleted      time.Time
		looked       time.Time
		row          seenRow
	)
	if err := r.Scan(row.into(&w.Seen, &w.Domain, &addr, &port, &w.Path, &sslVersion, &ssl, &status,
		&w.Title, &w.Server, &certificate, &looked, &w.MergedInto, &w.Screenshot, &untimed, &said, &deleted)...); err != nil {
		return w, err
	}
	w.IP, w.Port, w.Status = addr.Unmap().String(), int(port), int(status)
	w.Closed, w.SiteMap = closed(w.LastSeen, looked), []string{}
	if rows.At(sslVersion) > deleted.UnixMilli() {
		secure := ssl == 1
		w.SSL = &secure
	}
	w.URL = websiteURL(&w, addr.Unmap())
	if certificate != "" {
		if err := json.Unmarshal([]byte(certificate), &w.Certificate); err != nil {
			return w, fmt.Errorf("the certificate of the website %s: %w", w.ID, err)
		}
	}
	w.Technologies = technologies(untimed, said, deleted.UnixMilli())
	return w, row.finish(&w.Seen, pipeline.Locators{Domain: w.Domain, IP: w.IP, Port: w.Port, Path: w.Path}, true)
}

// technologies are those that were said since the website was deleted. Of those that
// an earlier release wrote nobody knows when they were said: they show until it is.
func technologies(untimed []string, said map[string]int64, deleted int64) []string {
	out := []string{}
	if deleted == 0 {
		out = append(out, untimed...)
	}
	for t, at := range said {
		if at > deleted {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// The same in SQL, on folded rows.
const shownTechnologies = "arrayDistinct(arrayConcat(if(toUnixTimestamp64Milli(deleted_at) = 0, technologies, []), " +
	"mapKeys(mapFilter((k, v) -> v > toUnixTimestamp64Milli(deleted_at), technologies_said))))"

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
