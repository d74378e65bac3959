package export

import (
	"net"
	"strconv"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// seen are the columns every resource has; of gives what they are read from.
func seen[T any](of func(*T) *pipeline.Seen, own ...Column[T]) []Column[T] {
	return append(own,
		Column[T]{"tags", List, func(x *T) any { return of(x).Tags }},
		Column[T]{"owner", Text, func(x *T) any { return of(x).Owner }},
		Column[T]{"note", Text, func(x *T) any { return of(x).Note }},
		Column[T]{"blocked", Bool, func(x *T) any { return of(x).Blocked }},
		Column[T]{"firstSeen", Time, func(x *T) any { return of(x).FirstSeen }},
		Column[T]{"lastSeen", Time, func(x *T) any { return of(x).LastSeen }},
		Column[T]{"projectId", Text, func(x *T) any { return of(x).ProjectID }},
		Column[T]{"id", Text, func(x *T) any { return of(x).ID }},
		Column[T]{"correlationKey", Text, func(x *T) any { return of(x).CorrelationKey }},
	)
}

// number is none when it is 0.
func number(n int) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

// Domains is how domains are exported.
func Domains() *Table[pipeline.Domain] {
	type row = pipeline.Domain
	return &Table[row]{"domains", seen(func(x *row) *pipeline.Seen { return &x.Seen },
		Column[row]{"name", Text, func(x *row) any { return x.Name }},
		Column[row]{"hosts", List, func(x *row) any { return x.Hosts }},
	), func(x *row) string { return x.Name }}
}

// Hosts is how hosts are exported.
func Hosts() *Table[pipeline.Host] {
	type row = pipeline.Host
	return &Table[row]{"hosts", seen(func(x *row) *pipeline.Seen { return &x.Seen },
		Column[row]{"ip", Text, func(x *row) any { return x.IP }},
		Column[row]{"os", Text, func(x *row) any { return x.OS }},
		Column[row]{"domains", List, func(x *row) any { return x.Domains }},
		Column[row]{"ports", Int, func(x *row) any { return int64(x.Ports) }},
	), func(x *row) string { return x.IP }}
}

// Ranges is how ranges are exported.
func Ranges() *Table[pipeline.IPRange] {
	type row = pipeline.IPRange
	return &Table[row]{"ip-ranges", seen(func(x *row) *pipeline.Seen { return &x.Seen },
		Column[row]{"cidr", Text, func(x *row) any { return x.CIDR }},
	), func(x *row) string { return x.CIDR }}
}

// Ports is how ports are exported.
func Ports() *Table[pipeline.Port] {
	type row = pipeline.Port
	return &Table[row]{"ports", seen(func(x *row) *pipeline.Seen { return &x.Seen },
		Column[row]{"ip", Text, func(x *row) any { return x.IP }},
		Column[row]{"port", Int, func(x *row) any { return int64(x.Port) }},
		Column[row]{"protocol", Text, func(x *row) any { return string(x.Protocol) }},
		Column[row]{"service", Text, func(x *row) any { return x.Service }},
		Column[row]{"product", Text, func(x *row) any { return x.Product }},
		Column[row]{"version", Text, func(x *row) any { return x.Version }},
		Column[row]{"closed", Bool, func(x *row) any { return x.Closed.Closed }},
	), func(x *row) string { return net.JoinHostPort(x.IP, strconv.Itoa(x.Port)) }}
}

// Websites is how websites are exported.
func Websites() *Table[pipeline.Website] {
	type row = pipeline.Website
	certificate := func(get func(*pipeline.Certificate) any) func(*row) any {
		return func(x *row) any {
			if x.Certificate == nil {
				return nil
			}
			return get(x.Certificate)
		}
	}
	text := func(get func(*pipeline.Certificate) string) func(*row) any {
		return func(x *row) any {
			if x.Certificate == nil {
				return ""
			}
			return get(x.Certificate)
		}
	}
	return &Table[row]{"websites", seen(func(x *row) *pipeline.Seen { return &x.Seen },
		Column[row]{"url", Text, func(x *row) any { return x.URL }},
		Column[row]{"domain", Text, func(x *row) any { return x.Domain }},
		Column[row]{"ip", Text, func(x *row) any { return x.IP }},
		Column[row]{"port", Int, func(x *row) any { return int64(x.Port) }},
		Column[row]{"path", Text, func(x *row) any { return x.Path }},
		Column[row]{"ssl", Bool, func(x *row) any {
			if x.SSL == nil {
				return nil
			}
			return *x.SSL
		}},
		Column[row]{"status", Int, func(x *row) any { return number(x.Status) }},
		Column[row]{"title", Text, func(x *row) any { return x.Title }},
		Column[row]{"server", Text, func(x *row) any { return x.Server }},
		Column[row]{"technologies", List, func(x *row) any { return x.Technologies }},
		Column[row]{"certificateSubject", Text, text(func(c *pipeline.Certificate) string { return c.Subject })},
		Column[row]{"certificateIssuer", Text, text(func(c *pipeline.Certificate) string { return c.Issuer })},
		Column[row]{"certificateExpires", Time, certificate(func(c *pipeline.Certificate) any { return c.NotAfter })},
		Column[row]{"certificateNames", List, certificate(func(c *pipeline.Certificate) any { return c.Names })},
		Column[row]{"closed", Bool, func(x *row) any { return x.Closed.Closed }},
		Column[row]{"mergedInto", Text, func(x *row) any { return x.MergedInto }},
	), func(x *row) string { return x.URL }}
}

// Findings is how findings are exported.
func Findings() *Table[pipeline.StoredFinding] {
	type row = pipeline.StoredFinding
	return &Table[row]{"findings", []Column[row]{
		{"at", Time, func(x *row) any { return x.At }},
		{"key", Text, func(x *row) any { return x.Key }},
		{"name", Text, func(x *row) any { return x.Name }},
		{"type", Text, func(x *row) any { return string(x.Type) }},
		{"domainName", Text, func(x *row) any { return x.Domain }},
		{"ip", Text, func(x *row) any { return x.IP }},
		{"port", Int, func(x *row) any { return number(x.Port) }},
		{"protocol", Text, func(x *row) any { return string(x.Protocol) }},
		{"path", Text, func(x *row) any { return x.Path }},
		{"tag", Text, func(x *row) any { return x.Tag }},
		{"fields", Value, func(x *row) any { return fieldMap(x.Fields) }},
		{"source", Text, func(x *row) any { return string(x.Source) }},
		{"job", Text, func(x *row) any { return x.Job }},
		{"executionId", Text, func(x *row) any { return x.ExecutionID }},
		{"projectId", Text, func(x *row) any { return x.ProjectID }},
		{"correlationKey", Text, func(x *row) any { return x.CorrelationKey }},
		{"id", Text, func(x *row) any { return x.ID }},
	}, findingTarget}
}

// fieldMap is the fields of a finding by their keys; of several with the same key
// all values are kept.
func fieldMap(fs []pipeline.Field) map[string]any {
	out := make(map[string]any, len(fs))
	for _, f := range fs {
		switch have := out[f.Key].(type) {
		case nil:
			out[f.Key] = f.Data
		case []any:
			out[f.Key] = append(have, f.Data)
		default:
			out[f.Key] = []any{have, f.Data}
		}
	}
	return out
}

func findingTarget(x *pipeline.StoredFinding) string {
	host := x.Domain
	if host == "" {
		host = x.IP
	}
	switch {
	case x.Mask != nil:
		return x.IP + "/" + strconv.Itoa(*x.Mask)
	case host != "" && x.Port > 0:
		return net.JoinHostPort(host, strconv.Itoa(x.Port))
	default:
		return host
	}
}

// Executions is how executions are exported.
func Executions() *Table[pipeline.Execution] {
	type row = pipeline.Execution
	return &Table[row]{"executions", []Column[row]{
		{"job", Text, func(x *row) any { return x.Job }},
		{"state", Text, func(x *row) any { return string(x.State) }},
		{"reason", Text, func(x *row) any { return string(x.Reason) }},
		{"detail", Text, func(x *row) any { return x.Detail }},
		{"target", Text, func(x *row) any { return x.Target }},
		{"queuedAt", Time, func(x *row) any { return x.QueuedAt }},
		{"startedAt", Time, func(x *row) any { return x.StartedAt }},
		{"endedAt", Time, func(x *row) any { return x.EndedAt }},
		{"seconds", Float, func(x *row) any { return took(x.StartedAt, x.EndedAt) }},
		{"attempt", Int, func(x *row) any { return int64(x.Attempt) }},
		{"exitCode", Int, func(x *row) any {
			if x.ExitCode == nil {
				return nil
			}
			return int64(*x.ExitCode)
		}},
		{"findings", Int, func(x *row) any { return int64(x.Findings) }},
		{"errors", Int, func(x *row) any { return int64(x.Errors) }},
		{"warnings", Int, func(x *row) any { return int64(x.Warnings) }},
		{"runner", Text, func(x *row) any { return x.Runner }},
		{"projectId", Text, func(x *row) any { return x.ProjectID }},
		{"id", Text, func(x *row) any { return x.ID }},
	}, nil}
}

// took is how long an attempt took, none while that is not known.
func took(from, to time.Time) any {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	return to.Sub(from).Seconds()
}
