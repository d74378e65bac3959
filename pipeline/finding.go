package pipeline

import (
	"strconv"
	"strings"
	"time"
)

// FindingType selects what the projector does with a finding. The names are the
// reference product's and part of the public format.
type FindingType string

// The finding types a job or a person may send.
const (
	HostnameFinding   FindingType = "HostnameFinding"   // a domain exists
	IPFinding         FindingType = "IpFinding"         // a host exists
	HostnameIPFinding FindingType = "HostnameIpFinding" // a domain resolves to a host
	IPRangeFinding    FindingType = "IpRangeFinding"    // a range belongs to the project
	PortFinding       FindingType = "PortFinding"       // a port is open
	WebsiteFinding    FindingType = "WebsiteFinding"    // a port serves a website
	TagFinding        FindingType = "TagFinding"        // a resource carries a tag
	CustomFinding     FindingType = "CustomFinding"     // anything else said of a resource
)

// FindingTypes lists every type, in the order of their declaration.
func FindingTypes() []FindingType {
	return []FindingType{
		HostnameFinding, IPFinding, HostnameIPFinding, IPRangeFinding,
		PortFinding, WebsiteFinding, TagFinding, CustomFinding,
	}
}

// Keys of custom findings that change a resource, besides being stored.
const (
	KeyPortService       = "PortServiceFinding"       // serviceName, serviceProduct, serviceVersion of a port
	KeyOperatingSystem   = "OperatingSystemFinding"   // os of a host
	KeyWebsitePath       = "WebsitePathFinding"       // endpoint joins the site map of a website
	KeyWebsiteTechnology = "WebsiteTechnologyFinding" // technology joins those of a website
	KeyWebsiteResponse   = "WebsiteResponseFinding"   // statusCode, title, server, contentType, location of a website
	KeyScreenshot        = "WebsiteScreenshotFinding" // an image of a website
	KeyCoverage          = "CoverageFinding"          // which ports of a host or range, or which website, were looked for; ports, protocol
	KeyCertificate       = "CertificateFinding"       // subject, issuer, names, notBefore, notAfter, fingerprint of a website
)

// Source says who stated a finding.
type Source string

// The sources.
const (
	SourceJob     Source = "job"     // an execution, through the gateway
	SourceUser    Source = "user"    // a person, through the API
	SourceImport  Source = "import"  // a file of another tool
	SourceDerived Source = "derived" // the matcher, from two other findings
)

// FieldType is the type of a dynamic field.
type FieldType string

// The field types.
const (
	TextField  FieldType = "text"
	ImageField FieldType = "image"
)

// Field is a dynamic field of a finding. Data is a string, a bool, a float64 or
// an int64 for text fields, and a data URL (string) for image fields.
type Field struct {
	Key   string    `json:"key"`
	Label string    `json:"label,omitempty"`
	Type  FieldType `json:"type"`
	Data  any       `json:"data,omitempty"`
}

// Text returns the field's data as text, and "" when there is none.
func (f Field) Text() string {
	switch d := f.Data.(type) {
	case string:
		return d
	case bool:
		return strconv.FormatBool(d)
	case int64:
		return strconv.FormatInt(d, 10)
	case float64:
		return strconv.FormatFloat(d, 'f', -1, 64)
	default:
		return ""
	}
}

// Protocol is a layer 4 protocol.
type Protocol string

// The protocols.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// Locators say which resource a finding is about. Empty and nil mean not given;
// a website without a domain has Domain "" together with IP and Port.
type Locators struct {
	Domain   string   `json:"domainName,omitempty"`
	IP       string   `json:"ip,omitempty"`
	Mask     *int     `json:"mask,omitempty"` // prefix length; a pointer, since /0 is a range too
	Port     int      `json:"port,omitempty"` // 1..65535, 0 when not given
	Protocol Protocol `json:"protocol,omitempty"`
	Path     string   `json:"path,omitempty"`
}

// Finding is one statement about a project's attack surface, as it travels on the
// findings topic: checked, normalised and stamped with where it came from.
type Finding struct {
	ID        string    // FindingIDLen hex digits; the same statement of the same execution has the same id
	ProjectID string    //
	At        time.Time // when the gateway or the API accepted it, UTC, millisecond precision

	Source      Source
	ExecutionID string // the execution that said it; "" for SourceUser and SourceImport
	JobName     string // the job of that execution
	UserID      string // the person, for SourceUser and SourceImport
	Seq         uint64 // position in the execution's output, counted by the SDK; 0 when unknown
	RootID      string // the chain this belongs to: the id of the first trigger, or of the person's request
	Depth       int    // how many executions lie between the root and this finding
	Control     int64  // control-plane position known to the producer; a matcher waits until it knows it too

	Type FindingType
	Key  string // selects subscriptions; equals Type except for custom findings
	Name string // title for people
	Locators
	SSL    *bool   // websites: whether TLS is spoken; nil when not known
	Tag    string  // tag findings: the text of the tag
	Fields []Field // dynamic fields

	Since time.Time // coverage: when the look began; what was seen last before it and is covered is closed

	CorrelationKey string // the resource this is about; set by normalisation
}

// Field returns the first field with the given key.
func (f *Finding) Field(key string) (Field, bool) {
	for _, x := range f.Fields {
		if x.Key == key {
			return x, true
		}
	}
	return Field{}, false
}

// Keys of dynamic fields that say how a name was learnt, and the value with which
// they say "by asking for the address's name".
const (
	FieldLearntBy   = "learntBy"
	FieldRecordType = "recordType"
	LearntByPTR     = "ptr"
)

// Reverse reports whether the finding's domain was learnt by a reverse lookup: who
// owns an address may have it answer with any name.
func (f *Finding) Reverse() bool {
	for _, x := range f.Fields {
		if x.Key == FieldLearntBy || x.Key == FieldRecordType {
			if strings.EqualFold(x.Text(), LearntByPTR) {
				return true
			}
		}
	}
	return false
}

// FieldText returns the text of the first field with the given key, or "".
func (f *Finding) FieldText(key string) string {
	x, _ := f.Field(key)
	return x.Text()
}

// PartitionKey returns the key under which the finding goes to its topic: the
// project and the host, or the project and the domain when no host is named, so
// that everything about one host is read by one consumer, in order.
func (f *Finding) PartitionKey() string {
	if f.IP != "" {
		return f.ProjectID + "/" + f.IP
	}
	return f.ProjectID + "/" + f.Domain
}

// FindingID returns the id of a finding from who said it, the position in what
// they said, and the content's digest. A replay yields the same id.
func FindingID(origin string, seq uint64, content []byte) string {
	return derive([]string{"finding", origin, strconv.FormatUint(seq, 10), string(content)})[:FindingIDLen]
}
