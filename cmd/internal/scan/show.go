package scan

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/stalker-asm/stalker/pipeline"
)

// Line is the progress in one line.
func (p *Progress) Line() string {
	c := p.Counts
	return fmt.Sprintf("%3ds  jobs: %d running, %d waiting, %d done, %d failed  findings: %d  found: %s",
		int(p.Elapsed.Seconds()), p.Running(), p.Waiting(), p.Done(), p.Failed(), c.Findings, summary(c.Domains, c.Hosts, c.Ports, c.Websites))
}

// summary counts what was found.
func summary[N int | uint64](domains, hosts, ports, websites N) string {
	return strings.Join([]string{count(domains, "domain"), count(hosts, "host"), count(ports, "port"), count(websites, "website")}, ", ")
}

func count[N int | uint64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Printable makes what a target said safe for a terminal: what could move the
// cursor or change colours is written out.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}

// Table writes the result for people.
func (r *Result) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if !r.Complete {
		fmt.Fprintln(t, "The scan was not finished; this is what was found so far.")
	}
	fmt.Fprintf(t, "\nHOST\tPORT\tSERVICE\tPRODUCT\tNAMES\n")
	for _, h := range r.Hosts {
		names := Printable(strings.Join(h.Domains, ", "))
		ports := slices.DeleteFunc(slices.Clone(r.Ports), func(p pipeline.Port) bool { return p.IP != h.IP })
		slices.SortFunc(ports, func(a, b pipeline.Port) int { return a.Port - b.Port })
		if len(ports) == 0 {
			fmt.Fprintf(t, "%s\t-\t\t\t%s\n", h.IP, names)
		}
		for i, p := range ports {
			if i > 0 {
				names = "" // once is enough
			}
			product := strings.TrimSpace(p.Product + " " + p.Version)
			fmt.Fprintf(t, "%s\t%d/%s\t%s\t%s\t%s\n", h.IP, p.Port, p.Protocol, Printable(p.Service), Printable(product), names)
		}
	}
	if len(r.Websites) > 0 {
		fmt.Fprintf(t, "\nWEBSITE\tSTATUS\tTITLE\tTECHNOLOGIES\tCERTIFICATE UNTIL\n")
	}
	for _, s := range r.Websites {
		status := "-"
		if s.Status != 0 {
			status = strconv.Itoa(s.Status)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", Printable(s.URL), status, Printable(s.Title), Printable(strings.Join(s.Technologies, ", ")), until(s.Certificate))
	}
	fmt.Fprintf(t, "\n%s\n", summary(len(r.Domains), len(r.Hosts), len(r.Ports), len(r.Websites)))
	return t.Flush()
}

// until is the day a certificate ends, with a word when that is soon.
func until(c *pipeline.Certificate) string {
	if c == nil {
		return ""
	}
	day, left := c.NotAfter.UTC().Format(time.DateOnly), time.Until(c.NotAfter)
	switch {
	case left < 0:
		return day + ", expired"
	case left < 30*24*time.Hour:
		return fmt.Sprintf("%s, in %d days", day, left/(24*time.Hour))
	default:
		return day
	}
}

// JSON writes the result as one document. A list without elements is [], not null.
func (r *Result) JSON(w io.Writer) error {
	r.Domains, r.Hosts, r.Ranges = present(r.Domains), present(r.Hosts), present(r.Ranges)
	r.Ports, r.Websites = present(r.Ports), present(r.Websites)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// JSONL writes one resource per line, with its kind.
func (r *Result) JSONL(w io.Writer) error {
	e := json.NewEncoder(w)
	var err error
	line := func(kind pipeline.Kind, resource any) {
		if err == nil {
			err = e.Encode(map[string]any{"kind": kind, "resource": resource})
		}
	}
	for _, x := range r.Domains {
		line(pipeline.KindDomain, x)
	}
	for _, x := range r.Hosts {
		line(pipeline.KindHost, x)
	}
	for _, x := range r.Ranges {
		line(pipeline.KindRange, x)
	}
	for _, x := range r.Ports {
		line(pipeline.KindPort, x)
	}
	for _, x := range r.Websites {
		line(pipeline.KindWebsite, x)
	}
	return err
}

// Failed reports whether an execution ended otherwise than well.
func (r *Result) Failed() bool {
	p := Progress{Counts: pipeline.Counts{Executions: r.Executions}}
	return p.Failed() > 0
}
