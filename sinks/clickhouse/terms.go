package clickhouse

import (
	"maps"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

type termFunc = func(c *compiler, t *filter.Term) string

func textTerm(e string) termFunc {
	return func(c *compiler, t *filter.Term) string { return c.text(e, false, t) }
}

func nameTerm(e string) termFunc {
	return func(c *compiler, t *filter.Term) string { return c.text(e, true, t) }
}

func sameTerm(e string) termFunc {
	return func(c *compiler, t *filter.Term) string { return c.same(e, t) }
}

func numberTerm(e, present string) termFunc {
	return func(c *compiler, t *filter.Term) string { return c.number(e, present, t) }
}

func dateTerm(e, present string) termFunc {
	return func(c *compiler, t *filter.Term) string { return c.date(e, present, t) }
}

func addrTerm(text string) termFunc {
	return func(c *compiler, t *filter.Term) string { return c.addr("addr", text, t) }
}

func networkTerm(c *compiler, t *filter.Term) string { return c.network(t) }

// linked is a term about what another table says of the same thing.
func linked(columns, selected, table string, of termFunc, more ...string) termFunc {
	return func(c *compiler, t *filter.Term) string {
		return c.in(columns, selected, table, append([]string{of(c, t)}, more...)...)
	}
}

// termsOf are the terms of a kind.
func termsOf(kind pipeline.Kind) terms {
	switch kind {
	case pipeline.KindDomain:
		return domainTerms()
	case pipeline.KindHost:
		return hostTerms()
	case pipeline.KindRange:
		return rangeTerms()
	case pipeline.KindPort:
		return portTerms()
	case pipeline.KindWebsite:
		return websiteTerms()
	case filter.Finding:
		return findingTerms()
	case filter.Execution:
		return executionTerms()
	default:
		return nil
	}
}

// value is the latest value of a column.
func valueOf(column string) string { return element(column, "value") }

// saidAt is when that was said, as rows.At has it.
func saidAt(column string) string {
	return "toInt64(bitShiftRight(" + element(column, "version") + ", 20))"
}

// resourceTerms are the terms every resource has. key is the expression of its
// correlation key after the project's part.
func resourceTerms(textIn []string, rewrite func(string) string, key string, flags ...state) terms {
	flags = append(flags, is("blocked", valueOf("blocked")+" > 0"))
	return terms{
		"text":       func(c *compiler, t *filter.Term) string { return c.words(textIn, rewrite, t) },
		"id":         sameTerm("id"),
		"project.id": sameTerm("project_id"),
		"tag":        linked("project_id, id", "project_id, resource_id", "resource_tags FINAL", textTerm("tag"), valueOf("state")+" = 1"),
		"is":         flagTerm(flags...),
		"owner":      textTerm(valueOf("owner")),
		"note":       textTerm(valueOf("note")),
		"firstSeen":  dateTerm("first_seen", ""),
		"lastSeen":   dateTerm("last_seen", ""),
		"finding": func(c *compiler, t *filter.Term) string {
			return c.in("concat('project:', project_id, "+key+")", "correlation_key", "findings", c.said(t))
		},
	}
}

// state is what a thing is in or not.
type state struct {
	name string
	cond func(c *compiler) string
}

func is(name, cond string) state { return state{name, func(*compiler) string { return cond }} }

func flagTerm(flags ...state) termFunc {
	return func(c *compiler, t *filter.Term) string {
		var conds []string
		for i := range t.Values {
			for _, f := range flags {
				if v := &t.Values[i]; v.Any() || v.Pieces[0] == f.name {
					conds = append(conds, f.cond(c))
				}
			}
		}
		return either(conds)
	}
}

func (a terms) with(b terms) terms {
	maps.Copy(a, b)
	return a
}

func domainTerms() terms {
	return resourceTerms([]string{"name"}, nil, "';domain:', name").with(terms{
		"domain": nameTerm("name"),
		"host":   linked("project_id, name", "project_id, domain", "domain_hosts FINAL", addrTerm(ipText()), visible),
		"host.id": linked("project_id, name", "project_id, domain", "domain_hosts FINAL",
			linked("project_id, addr", "project_id, addr", "hosts", sameTerm("id")), visible),
	})
}

func hostTerms() terms {
	port := func(of termFunc) termFunc {
		return linked("project_id, addr", "project_id, addr", "ports FINAL", of, visible, "looked_at <= last_seen")
	}
	return resourceTerms([]string{"ip"}, nil, "';host:', ip").with(terms{
		"host":   addrTerm("ip"),
		"os":     textTerm(valueOf("os")),
		"domain": linked("project_id, addr", "project_id, addr", "host_domains FINAL", nameTerm("domain"), visible),
		"domain.id": linked("project_id, addr", "project_id, addr", "host_domains FINAL",
			linked("project_id, domain", "project_id, name", "domains", sameTerm("id")), visible),
		"port":          port(numberTerm("port", "")),
		"port.protocol": port(sameTerm("protocol")),
		"port.service":  port(textTerm(valueOf("service"))),
		"port.product":  port(textTerm(valueOf("product"))),
		"port.version":  port(textTerm(valueOf("version"))),
	})
}

func rangeTerms() terms {
	return resourceTerms([]string{"cidr"}, nil, "';host:', "+ipText()+", ';mask:', toString(bits)").with(terms{
		"ipRange": networkTerm,
		"host":    networkTerm,
		"within":  networkTerm,
	})
}

var isClosed = is("closed", "looked_at > last_seen")

var isExpired = state{"expired", func(c *compiler) string {
	e := certificatePart("notAfter")
	return "(" + e + " > '0001-01-02' AND " + e + " < " + c.bind("String", stamp(c.now.UnixMilli())) + ")"
}}

func portTerms() terms {
	return resourceTerms([]string{"address", valueOf("service"), valueOf("product")}, nil,
		"';host:', "+ipText()+", ';port:', toString(port), ';protocol:', protocol", isClosed).with(terms{
		"host":          addrTerm(ipText()),
		"host.id":       linked("project_id, addr", "project_id, addr", "hosts", sameTerm("id")),
		"domain":        linked("project_id, addr", "project_id, addr", "host_domains FINAL", nameTerm("domain"), visible),
		"port":          numberTerm("port", ""),
		"port.protocol": sameTerm("protocol"),
		"port.service":  textTerm(valueOf("service")),
		"port.product":  textTerm(valueOf("product")),
		"port.version":  textTerm(valueOf("version")),
	})
}

// secureSite is whether a website speaks TLS, like websiteURL sees it: what was said
// of that before the website was deleted is forgotten.
var secureSite = "if(" + saidAt("ssl") + " > toUnixTimestamp64Milli(deleted_at), " + valueOf("ssl") + " = 1, port = 443)"

func certificatePart(name string) string {
	return "JSONExtractString(" + valueOf("certificate") + ", '" + name + "')"
}

func websiteTerms() terms {
	return resourceTerms([]string{"address", valueOf("title")}, withoutScheme,
		"';host:', "+ipText()+", ';port:', toString(port), ';protocol:tcp;domain:', domain, ';path:', path",
		isClosed, is("merged", valueOf("merged_into")+" != ''"), is("https", secureSite), isExpired).with(terms{
		"domain":                  nameTerm("domain"),
		"domain.id":               linked("project_id, domain", "project_id, name", "domains", sameTerm("id")),
		"host":                    addrTerm(ipText()),
		"host.id":                 linked("project_id, addr", "project_id, addr", "hosts", sameTerm("id")),
		"port":                    numberTerm("port", ""),
		"port.id":                 linked("project_id, addr, port", "project_id, addr, port", "ports", sameTerm("id"), "protocol = 'tcp'"),
		"path":                    textTerm("path"),
		"status":                  numberTerm(valueOf("status"), valueOf("status")+" > 0"),
		"title":                   textTerm(valueOf("title")),
		"server":                  textTerm(valueOf("server")),
		"technology":              eachTerm(shownTechnologies, false),
		"certificate.subject":     textTerm(certificatePart("subject")),
		"certificate.issuer":      textTerm(certificatePart("issuer")),
		"certificate.name":        eachTerm("JSONExtract("+valueOf("certificate")+", 'names', 'Array(String)')", false),
		"certificate.fingerprint": nameTerm(certificatePart("fingerprint")),
		"certificate.notBefore":   func(c *compiler, t *filter.Term) string { return c.textDate(certificatePart("notBefore"), t) },
		"certificate.expires":     func(c *compiler, t *filter.Term) string { return c.textDate(certificatePart("notAfter"), t) },
		"mergedIn":                sameTerm(valueOf("merged_into")),
	})
}

// eachTerm is a term about any element of an array.
func eachTerm(array string, lower bool) termFunc {
	return func(c *compiler, t *filter.Term) string {
		return "arrayExists(x -> " + c.text("x", lower, t) + ", " + array + ")"
	}
}
