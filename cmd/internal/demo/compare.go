package demo

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

// thing is a resource as the comparison sees it: what it is called, and what is
// known of it.
type thing struct {
	kind  pipeline.Kind
	name  string
	facts [][2]string
}

// things puts an inventory into the form that is compared.
func things(t lab.Truth) []thing {
	var list []thing
	add := func(kind pipeline.Kind, name string, facts ...[2]string) {
		list = append(list, thing{kind, name, facts})
	}
	for _, d := range t.Domains {
		add(pipeline.KindDomain, d.Name, fact("leads to", sorted(d.Hosts)))
	}
	for _, r := range t.Ranges {
		add(pipeline.KindRange, r.CIDR)
	}
	for _, h := range t.Hosts {
		add(pipeline.KindHost, h.IP, fact("names", sorted(h.Domains)), fact("open ports", strconv.Itoa(h.Ports)))
	}
	for _, p := range t.Ports {
		add(pipeline.KindPort, portName(&p), fact("service", p.Service), fact("product", p.Product), fact("version", p.Version))
	}
	for _, w := range t.Websites {
		add(pipeline.KindWebsite, w.URL+" at "+w.IP, append([][2]string{
			fact("status", strconv.Itoa(w.Status)), fact("title", w.Title), fact("server", w.Server), fact("uses", sorted(w.Technologies)),
		}, certificate(w.Certificate)...)...)
	}
	return list
}

func fact(name, value string) [2]string { return [2]string{name, value} }

func sorted(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), ", ") }

func portName(p *pipeline.Port) string { return fmt.Sprintf("%s port %d/%s", p.IP, p.Port, p.Protocol) }

func certificate(c *pipeline.Certificate) [][2]string {
	if c == nil {
		return [][2]string{fact("certificate", "")}
	}
	return [][2]string{
		fact("certificate", c.Fingerprint), fact("subject", c.Subject), fact("issuer", c.Issuer), fact("certificate names", sorted(c.Names)),
		fact("valid from", c.NotBefore.UTC().Format(time.RFC3339)), fact("valid until", c.NotAfter.UTC().Format(time.RFC3339)),
	}
}

// Verdict on a difference.
const (
	Missing   = "missing"
	Extra     = "extra"
	Different = "different"
)

// Difference is where what was found is not what is there.
type Difference struct {
	Verdict string
	Kind    pipeline.Kind
	Name    string
	Fact    string // of a resource that is different, else ""
	There   string
	Found   string
}

// Compare returns every difference, by kind and name.
func Compare(there, found lab.Truth) []Difference {
	var diffs []Difference
	have := map[string]thing{}
	for _, t := range things(found) {
		have[key(t)] = t
	}
	for _, t := range things(there) {
		f, ok := have[key(t)]
		if !ok {
			diffs = append(diffs, Difference{Verdict: Missing, Kind: t.kind, Name: t.name, There: describe(t)})
			continue
		}
		delete(have, key(t))
		diffs = append(diffs, differ(t, f)...)
	}
	for _, f := range have {
		diffs = append(diffs, Difference{Verdict: Extra, Kind: f.kind, Name: f.name, Found: describe(f)})
	}
	order := pipeline.Kinds()
	slices.SortStableFunc(diffs, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.Name, b.Name))
	})
	return diffs
}

func key(t thing) string { return string(t.kind) + " " + t.name }

// differ compares the facts of two things of one name.
func differ(there, found thing) []Difference {
	var diffs []Difference
	told := map[string]string{}
	for _, f := range found.facts {
		told[f[0]] = f[1]
	}
	for _, f := range there.facts {
		if told[f[0]] != f[1] {
			diffs = append(diffs, Difference{Verdict: Different, Kind: there.kind, Name: there.name, Fact: f[0], There: f[1], Found: told[f[0]]})
		}
		delete(told, f[0])
	}
	for _, f := range found.facts {
		if v := told[f[0]]; v != "" {
			diffs = append(diffs, Difference{Verdict: Different, Kind: there.kind, Name: there.name, Fact: f[0], Found: v})
		}
	}
	return diffs
}

// describe is a thing's facts in one line.
func describe(t thing) string {
	var parts []string
	for _, f := range t.facts {
		if f[1] != "" && f[1] != "0" {
			parts = append(parts, f[0]+" "+f[1])
		}
	}
	return strings.Join(parts, ", ")
}

// inventory is what a scan found, for Compare.
func inventory(r *scan.Result) lab.Truth {
	return lab.Truth{Domains: r.Domains, Hosts: r.Hosts, Ranges: r.Ranges, Ports: r.Ports, Websites: r.Websites}
}

// table shows, kind by kind, how much was found, and every difference.
func table(w io.Writer, there, found lab.Truth, diffs []Difference) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "\n\tTHERE\tFOUND\tMISSING\tEXTRA\tDIFFERENT\n")
	for _, k := range pipeline.Kinds() {
		fmt.Fprintf(t, "%ss\t%d\t%d\t%d\t%d\t%d\n", strings.ReplaceAll(string(k), "_", " "), count(things(there), k), count(things(found), k),
			tally(diffs, k, Missing), tally(diffs, k, Extra), tally(diffs, k, Different))
	}
	if err := t.Flush(); err != nil || len(diffs) == 0 {
		return err
	}
	fmt.Fprintf(t, "\nDIFFERENCE\tRESOURCE\tTHERE\tFOUND\n")
	for _, d := range diffs {
		name := d.Name
		if d.Fact != "" {
			name += ": " + d.Fact
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.Verdict, scan.Printable(name), dash(d.There), dash(d.Found))
	}
	return t.Flush()
}

func count(list []thing, k pipeline.Kind) (n int) {
	for _, t := range list {
		if t.kind == k {
			n++
		}
	}
	return n
}

// tally counts resources, not facts.
func tally(diffs []Difference, k pipeline.Kind, verdict string) int {
	names := map[string]bool{}
	for _, d := range diffs {
		if d.Kind == k && d.Verdict == verdict {
			names[d.Name] = true
		}
	}
	return len(names)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return scan.Printable(s)
}
