package projector

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// certificate is what a CertificateFinding says, as the JSON of a
// pipeline.Certificate; "" when it says nothing of use; and what it is called in a
// history. Everything in it comes from the scanned host.
func certificate(f *pipeline.Finding) (body, name string) {
	c := pipeline.Certificate{
		Subject: strings.TrimSpace(f.FieldText("subject")), Issuer: strings.TrimSpace(f.FieldText("issuer")),
		Names: []string{}, NotBefore: instant(f.FieldText("notBefore")), NotAfter: instant(f.FieldText("notAfter")),
		Fingerprint: strings.ToLower(strings.ReplaceAll(strings.TrimSpace(f.FieldText("fingerprint")), ":", "")),
	}
	for _, x := range f.Fields {
		if x.Key == "names" || x.Key == "sans" {
			c.Names = append(c.Names, strings.FieldsFunc(x.Text(), func(r rune) bool { return strings.ContainsRune(", ;\n\t\r", r) })...)
		}
	}
	slices.Sort(c.Names)
	c.Names = slices.Compact(c.Names)
	if c.Subject == "" && c.Fingerprint == "" && len(c.Names) == 0 {
		return "", ""
	}
	b, err := json.Marshal(c)
	if err != nil { // strings and times within JSON's years always marshal
		return "", ""
	}
	return string(b), strings.TrimSpace(c.Subject + " " + c.Fingerprint)
}

// instant reads a time as RFC 3339 or as seconds since 1970; anything else, and
// what is outside of the years JSON can express, is the zero time.
func instant(s string) time.Time {
	s = strings.TrimSpace(s)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || n < -6e10 || n > 2.5e11 {
			return time.Time{}
		}
		t = time.Unix(int64(n), 0)
	}
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
