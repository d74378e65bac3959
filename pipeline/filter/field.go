package filter

import (
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Type says what values a field takes and how they are compared.
type Type string

// The types.
const (
	Text    Type = "text"    // any text, compared without regard to case
	Name    Type = "name"    // text that is stored in lower case
	ID      Type = "id"      // an id, compared exactly
	Enum    Type = "enum"    // one of Field.Values
	Number  Type = "number"  // a whole number
	Date    Type = "date"    // an instant
	Seconds Type = "seconds" // a length of time
	Addr    Type = "address" // an IP address, or a network of them
	Holds   Type = "holds"   // a network that holds the address or network
	Within  Type = "within"  // a network that lies within the network
	Network Type = "network" // a network, compared exactly
	Dynamic Type = "dynamic" // text, or a number when it is compared as one
	Words   Type = "words"   // part of the thing's main text
)

// Field is a term of the language.
type Field struct {
	Name    string
	Aliases []string
	Type    Type
	Values  []string // of an Enum
	// Many fields have several values at once: several terms must all hold, where
	// those of other fields add up.
	Many bool
	// Ahead is a date that is expected in the future: a duration counts forward.
	Ahead bool
	Sort  bool // lists can be sorted by it
	Facet bool // its values can be counted
	Doc   string
	// Example is a value, for the completion and the documentation.
	Example string
}

// The terms every resource has. The text of a resource is its name or address, and
// what was found out about it that people would type.
func common(kind pipeline.Kind, own string, flags ...string) []Field {
	flags = append([]string{"blocked"}, flags...)
	return []Field{
		{Name: "text", Type: Words, Doc: "part of the " + string(kind) + "'s main text; words without a term mean this", Example: "login"},
		{Name: "id", Aliases: []string{own + ".id"}, Type: ID, Doc: "the id", Example: "5f0c3a5e9d1b2c3d4e5f6a7b"},
		projectName, projectID,
		{Name: "tag", Aliases: []string{"tag.name"}, Type: Text, Many: true, Facet: true, Doc: "a tag it carries", Example: "Critical"},
		{Name: "is", Type: Enum, Values: flags, Many: true, Doc: "a state it is in", Example: flags[0]},
		{Name: "owner", Type: Text, Sort: true, Facet: true, Doc: "whose it is", Example: "web team"},
		{Name: "note", Type: Text, Doc: "the whole note; with * or ~ a part of it", Example: "*legacy*"},
		{Name: "firstSeen", Aliases: []string{"first", "createdAt"}, Type: Date, Sort: true, Doc: "when it was seen first", Example: "<7d"},
		{Name: "lastSeen", Aliases: []string{"last"}, Type: Date, Sort: true, Doc: "when it was seen last", Example: ">30d"},
		{Name: "finding", Type: Dynamic, Doc: "finding.KEY:exists, or finding.KEY.FIELD:value: what was said about it", Example: "exists"},
	}
}

var (
	projectName = Field{Name: "project", Aliases: []string{"project.name"}, Type: Text, Doc: "the name of its project", Example: "acme"}
	projectID   = Field{Name: "project.id", Type: ID, Facet: true, Doc: "the id of its project", Example: "5f0c3a5e9d1b2c3d4e5f6a7b"}
	protocol    = Field{Name: "port.protocol", Aliases: []string{"protocol"}, Type: Enum, Values: []string{"tcp", "udp"}, Sort: true, Facet: true, Doc: "the transport", Example: "udp"}
)

func portFields(of string, own bool) []Field {
	p := protocol
	p.Sort, p.Facet, p.Doc = own, own, "the transport"+of
	return []Field{
		{Name: "port", Aliases: []string{"port.number"}, Type: Number, Sort: own, Facet: own, Doc: "the number" + of, Example: ">1024"},
		p,
		{Name: "port.service", Aliases: []string{"service"}, Type: Text, Sort: own, Facet: own, Doc: "the service" + of, Example: "ssh"},
		{Name: "port.product", Aliases: []string{"product"}, Type: Text, Sort: own, Facet: own, Doc: "the product" + of, Example: "nginx"},
		{Name: "port.version", Aliases: []string{"version"}, Type: Text, Sort: own, Facet: own, Doc: "the product's version" + of, Example: "1.2*"},
	}
}

func domainFields() []Field {
	return append(common(pipeline.KindDomain, "domain"),
		Field{Name: "domain", Aliases: []string{"domain.name", "name"}, Type: Name, Sort: true, Doc: "the name", Example: "*.example.com"},
		Field{Name: "host", Aliases: []string{"host.ip", "ip"}, Type: Addr, Doc: "an address it resolves to", Example: "192.0.2.0/24"},
		Field{Name: "host.id", Type: ID, Doc: "the id of a host it resolves to"},
	)
}

func hostFields() []Field {
	return slices.Concat(common(pipeline.KindHost, "host"), []Field{
		{Name: "host", Aliases: []string{"host.ip", "ip"}, Type: Addr, Sort: true, Doc: "the address", Example: "192.0.2.0/24"},
		{Name: "os", Type: Text, Sort: true, Facet: true, Doc: "the operating system", Example: "*linux*"},
		{Name: "domain", Aliases: []string{"domain.name"}, Type: Name, Doc: "a name that resolves to it", Example: "*.example.com"},
		{Name: "domain.id", Type: ID, Doc: "the id of a domain that resolves to it"},
	}, portFields(" of an open port", false))
}

func rangeFields() []Field {
	return append(common(pipeline.KindRange, "ipRange"),
		Field{Name: "ipRange", Aliases: []string{"ipRange.cidr", "range", "cidr"}, Type: Network, Sort: true, Doc: "the network itself", Example: "192.0.2.0/24"},
		Field{Name: "host", Aliases: []string{"host.ip", "ip"}, Type: Holds, Many: true, Doc: "an address or network the range holds", Example: "192.0.2.7"},
		Field{Name: "within", Type: Within, Doc: "a network the range lies in", Example: "10.0.0.0/8"},
	)
}

func portKindFields() []Field {
	return slices.Concat(common(pipeline.KindPort, "port", "closed"), portFields("", true), []Field{
		{Name: "host", Aliases: []string{"host.ip", "ip"}, Type: Addr, Sort: true, Facet: true, Doc: "the address it is on", Example: "192.0.2.0/24"},
		{Name: "host.id", Type: ID, Doc: "the id of its host"},
		{Name: "domain", Aliases: []string{"domain.name"}, Type: Name, Doc: "a name that resolves to its host", Example: "*.example.com"},
	})
}

func websiteFields() []Field {
	return append(common(pipeline.KindWebsite, "website", "closed", "merged", "https", "expired"),
		Field{Name: "domain", Aliases: []string{"domain.name"}, Type: Name, Sort: true, Facet: true, Doc: "the name it is served for", Example: "*.example.com"},
		Field{Name: "domain.id", Type: ID, Doc: "the id of its domain"},
		Field{Name: "host", Aliases: []string{"host.ip", "ip"}, Type: Addr, Sort: true, Facet: true, Doc: "the address that serves it", Example: "192.0.2.0/24"},
		Field{Name: "host.id", Type: ID, Doc: "the id of its host"},
		Field{Name: "port", Aliases: []string{"port.number"}, Type: Number, Sort: true, Facet: true, Doc: "the number of its port", Example: "8000-8999"},
		Field{Name: "port.id", Type: ID, Doc: "the id of its port"},
		Field{Name: "path", Type: Text, Sort: true, Facet: true, Doc: "the path", Example: "/admin*"},
		Field{Name: "status", Type: Number, Sort: true, Facet: true, Doc: "the HTTP status of the last answer", Example: "200"},
		Field{Name: "title", Type: Text, Sort: true, Facet: true, Doc: "the page's title", Example: "*login*"},
		Field{Name: "server", Type: Text, Sort: true, Facet: true, Doc: "the Server header", Example: "nginx*"},
		Field{Name: "technology", Aliases: []string{"technologies", "tech"}, Type: Text, Many: true, Facet: true, Doc: "a technology it uses", Example: "WordPress"},
		Field{Name: "certificate.subject", Aliases: []string{"cert.subject"}, Type: Text, Facet: true, Doc: "whom the certificate names", Example: "*example*"},
		Field{Name: "certificate.issuer", Aliases: []string{"cert.issuer", "issuer"}, Type: Text, Facet: true, Doc: "who signed the certificate", Example: "*Encrypt*"},
		Field{Name: "certificate.name", Aliases: []string{"cert.name"}, Type: Name, Many: true, Doc: "a name the certificate is for", Example: "*.example.com"},
		Field{Name: "certificate.fingerprint", Aliases: []string{"cert.fingerprint"}, Type: Name, Facet: true, Doc: "SHA-256 of the certificate", Example: "ab12*"},
		Field{Name: "certificate.notBefore", Aliases: []string{"cert.notBefore"}, Type: Date, Doc: "when the certificate begins", Example: "<30d"},
		Field{Name: "certificate.expires", Aliases: []string{"cert.expires", "certificate.notAfter", "expires"}, Type: Date, Ahead: true, Sort: true, Doc: "when the certificate ends; durations count forward", Example: "<30d"},
		Field{Name: "mergedIn", Aliases: []string{"mergedIn.id"}, Type: ID, Doc: "the id of the website it is merged into"},
	)
}

func findingFields() []Field {
	return []Field{
		{Name: "text", Type: Words, Doc: "part of the name, the key or a field; words without a term mean this", Example: "login"},
		{Name: "id", Type: Name, Doc: "the id", Example: "0123*"},
		projectName, projectID,
		{Name: "key", Type: Text, Facet: true, Doc: "what it says", Example: "PortServiceFinding"},
		{Name: "type", Type: Enum, Values: texts(pipeline.FindingTypes()), Facet: true, Doc: "its type", Example: "CustomFinding"},
		{Name: "source", Type: Enum, Values: texts(sources), Facet: true, Doc: "who said it", Example: "import"},
		{Name: "name", Type: Text, Facet: true, Doc: "its title", Example: "*default password*"},
		{Name: "tag", Type: Text, Facet: true, Doc: "the tag it puts on a resource", Example: "Critical"},
		{Name: "job", Type: Text, Facet: true, Doc: "the job that said it", Example: "TcpPortScanningJob"},
		{Name: "execution.id", Aliases: []string{"execution"}, Type: ID, Facet: true, Doc: "the execution that said it"},
		{Name: "user.id", Aliases: []string{"user"}, Type: ID, Doc: "the person who said it"},
		{Name: "root.id", Aliases: []string{"root"}, Type: Name, Doc: "the id of the root of its chain"},
		{Name: "depth", Type: Number, Facet: true, Doc: "how many executions lie between it and its root", Example: ">2"},
		{Name: "at", Aliases: []string{"created", "createdAt"}, Type: Date, Sort: true, Doc: "when it was accepted", Example: "<24h"},
		{Name: "target", Type: Text, Doc: "the correlation key of the resource it is about", Example: "*;host:192.0.2.7"},
		{Name: "domain", Aliases: []string{"domain.name"}, Type: Name, Facet: true, Doc: "the domain it names", Example: "*.example.com"},
		{Name: "host", Aliases: []string{"host.ip", "ip"}, Type: Addr, Facet: true, Doc: "the address it names", Example: "192.0.2.0/24"},
		{Name: "port", Aliases: []string{"port.number"}, Type: Number, Facet: true, Doc: "the port it names", Example: "443"},
		{Name: "port.protocol", Aliases: []string{"protocol"}, Type: Enum, Values: []string{"tcp", "udp"}, Facet: true, Doc: "the transport it names", Example: "udp"},
		{Name: "path", Type: Text, Facet: true, Doc: "the path it names", Example: "/admin*"},
		{Name: "field", Type: Dynamic, Doc: "field.KEY:value: what one of its fields holds; field.KEY:* has it", Example: "nginx"},
		{Name: "finding", Type: Dynamic, Doc: "finding.KEY:exists, finding.KEY.FIELD:value: the key and a field at once", Example: "exists"},
	}
}

func executionFields() []Field {
	return []Field{
		{Name: "text", Type: Words, Doc: "part of the job's name or the target; words without a term mean this", Example: "scan"},
		{Name: "id", Aliases: []string{"execution.id"}, Type: ID, Doc: "the id"},
		projectName, projectID,
		{Name: "job", Type: Text, Sort: true, Facet: true, Doc: "the job", Example: "TcpPortScanningJob"},
		{Name: "state", Type: Enum, Values: texts(pipeline.States()), Sort: true, Facet: true, Doc: "where it stands", Example: "failed"},
		{Name: "is", Type: Enum, Values: []string{"ended", "open"}, Many: true, Doc: "ended, or still open", Example: "open"},
		{Name: "reason", Type: Enum, Values: texts(pipeline.Reasons()), Facet: true, Doc: "why it is in its state", Example: "deadline"},
		{Name: "detail", Type: Text, Doc: "the reason for people; with * or ~ a part of it", Example: "*memory*"},
		{Name: "target", Type: Text, Doc: "the correlation key of the resource it is about", Example: "*;host:192.0.2.7"},
		{Name: "subscription", Type: Text, Doc: "the name of the subscription that asked for it", Example: "*ports*"},
		{Name: "user.id", Aliases: []string{"user"}, Type: ID, Doc: "the person who asked for it"},
		{Name: "parent.id", Aliases: []string{"parent"}, Type: ID, Doc: "the execution whose finding asked for it"},
		{Name: "root.id", Aliases: []string{"root"}, Type: Name, Doc: "the id of the root of its chain"},
		{Name: "runner", Type: Text, Facet: true, Doc: "what ran it", Example: "kubernetes"},
		{Name: "attempt", Type: Number, Facet: true, Doc: "the number of the attempt", Example: ">1"},
		{Name: "exitCode", Type: Number, Facet: true, Doc: "the exit code", Example: ">0"},
		{Name: "queuedAt", Aliases: []string{"queued", "at"}, Type: Date, Sort: true, Doc: "when it was asked for", Example: "<24h"},
		{Name: "startedAt", Aliases: []string{"started"}, Type: Date, Sort: true, Doc: "when its last attempt began", Example: "<24h"},
		{Name: "endedAt", Aliases: []string{"ended"}, Type: Date, Sort: true, Doc: "when it ended", Example: "<24h"},
		{Name: "duration", Type: Seconds, Sort: true, Doc: "how long its last attempt took", Example: ">5m"},
	}
}

var sources = []pipeline.Source{pipeline.SourceJob, pipeline.SourceUser, pipeline.SourceImport, pipeline.SourceDerived}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = string(x)
	}
	return out
}

var tables = map[pipeline.Kind][]Field{
	pipeline.KindDomain: domainFields(), pipeline.KindHost: hostFields(), pipeline.KindRange: rangeFields(),
	pipeline.KindPort: portKindFields(), pipeline.KindWebsite: websiteFields(), Finding: findingFields(), Execution: executionFields(),
}

// Fields lists the terms of a kind; it must not be changed.
func Fields(kind pipeline.Kind) []Field { return tables[kind] }

// Lookup finds a field by its name or an alias, without regard to case: nil when
// the kind has no such field. Fields of findings have names of their own; see Term.
func Lookup(kind pipeline.Kind, name string) *Field {
	fs := tables[kind]
	for i := range fs {
		if strings.EqualFold(fs[i].Name, name) || slices.ContainsFunc(fs[i].Aliases, func(a string) bool { return strings.EqualFold(a, name) }) {
			return &fs[i]
		}
	}
	return nil
}
