package normal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Limits on what one coverage says.
const (
	MaxCovered = 1024            // ranges of ports
	clockSkew  = 5 * time.Second // by which the clocks of two machines may differ
)

// Ports reads a list of ports and ranges, such as "22,80,8000-8100", and returns it
// in its shortest form: pairs of first and last, in order, none touching the next.
func Ports(s string) ([]uint16, error) {
	type span struct{ first, last int }
	var spans []span
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(strings.TrimSpace(from))
		last, err2 := strconv.Atoi(strings.TrimSpace(to))
		if err1 != nil || err2 != nil || first < 1 || last > 65535 || first > last {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "%q is no port or range of ports within 1..65535", clip(part))
		}
		if spans = append(spans, span{first, last}); len(spans) > 65535 {
			return nil, pipeline.Errorf(pipeline.CodeTooLarge, "there are more ranges than ports")
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.first-b.first, a.last-b.last) })
	var out []uint16
	for _, x := range spans {
		if n := len(out); n > 0 && x.first <= int(out[n-1])+1 {
			out[n-1] = max(out[n-1], uint16(x.last))
			continue
		}
		out = append(out, uint16(x.first), uint16(x.last))
	}
	if len(out) > 2*MaxCovered {
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "there are %d ranges of ports, at most %d are allowed", len(out)/2, MaxCovered)
	}
	return out, nil
}

// portList writes what Ports read.
func portList(ports []uint16) string {
	var parts []string
	for i := 0; i+1 < len(ports); i += 2 {
		s := strconv.Itoa(int(ports[i]))
		if ports[i] != ports[i+1] {
			s += "-" + strconv.Itoa(int(ports[i+1]))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ",")
}

// coverage checks a statement of what was looked for: ports of a host or range, or
// a website. Only custom findings say so, and not before the sender began to look.
func coverage(f *pipeline.Finding, o Origin) error {
	ref, err := pipeline.ParseKey(f.CorrelationKey)
	if err != nil {
		return err
	}
	switch {
	case f.Type != pipeline.CustomFinding:
		return pipeline.Errorf(pipeline.CodeInvalid, "key %s is for type %s, not %s", f.Key, pipeline.CustomFinding, f.Type)
	case ref.Kind == pipeline.KindWebsite:
	case ref.Kind == pipeline.KindHost || ref.Kind == pipeline.KindRange:
		if err := coveredPorts(f); err != nil {
			return err
		}
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "a %s is about a host, a range or a website, not about a %s", f.Key, ref.Kind)
	}
	f.Since = f.At
	if !o.Since.IsZero() && o.Since.Before(f.At) {
		f.Since = o.Since.UTC().Add(-clockSkew).Truncate(time.Millisecond)
	}
	return nil
}

func coveredPorts(f *pipeline.Finding) error {
	if p := pipeline.Protocol(f.FieldText("protocol")); p != pipeline.TCP && p != pipeline.UDP {
		return pipeline.Errorf(pipeline.CodeInvalid, "a %s needs the field protocol, tcp or udp", f.Key)
	}
	for i := range f.Fields {
		if f.Fields[i].Key != "ports" {
			continue
		}
		ports, err := Ports(f.Fields[i].Text())
		if err != nil {
			return pipeline.Errorf(pipeline.CodeOf(err), "field ports: %w", err)
		}
		f.Fields[i].Data = portList(ports)
		return nil
	}
	return pipeline.Errorf(pipeline.CodeInvalid, "a %s needs the field ports, such as 22,80,8000-8100", f.Key)
}
