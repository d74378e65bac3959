package schema

import "fmt"

// Column types that say how two values of one key become one (sinks/rows).
const (
	first = "SimpleAggregateFunction(min, DateTime64(3, 'UTC'))"
	last  = "SimpleAggregateFunction(max, DateTime64(3, 'UTC'))"
	// constant is a value that every row with the same key has, or that one of the
	// rows has and the others leave empty
	constant = "SimpleAggregateFunction(max, String)"
)

// latest is a value of which the one with the greatest version counts. Tuples
// compare field by field, so max is last-writer-wins, and a tie of versions is
// settled by the value, the same way everywhere.
func latest(typ string) string {
	return fmt.Sprintf("SimpleAggregateFunction(max, Tuple(version UInt64, value %s))", typ)
}

// Tables are the tables of the store, as one server has them; Keep says how long rows
// stay, Spread how a cluster has them.
//
// All tables of resources begin with the project: nothing is ever read across
// projects by name, and a project is what is listed and deleted. After it comes
// what lists are ordered by, so that a page is read in order and stops early,
// whatever the size of the table; the rest of the key makes it the resource's
// identity. Addresses are IPv6 (IPv4 mapped), so that they sort as numbers. The
// id is a digest of the key and serves links from outside; a Bloom filter finds it.
//
// A deletion is a time: a resource shows when last_seen > deleted_at, so it shows
// again once it is seen again, whatever is written first. In the same way a port or
// website is closed when looked_at > last_seen: somebody looked after it was seen
// the last time, and did not see it.
func Tables() []Table {
	return []Table{
		domains, hosts, ranges, ports, websites, domainHosts, hostDomains, resourceTags, websitePaths,
		findings, findingIDs, executions, logs, changes, sweeps, verdicts,
	}
}

// settle is after how many seconds without a new part a table's parts are made one.
// Lists read rows as merged, which takes ten times as long where parts overlap; and
// most of the day, nothing new comes. While something comes, merging stays as lazy as
// it is by default. finding_ids is larger and counted rarely.
const settle = 30

// marks are the columns of what people decided, which every resource has.
func marks(more ...Column) []Column {
	return append([]Column{
		{"deleted_at", last},
		{"blocked", latest("UInt8")}, // 0 no, 1 itself, 2 with what is below it
		{"note", latest("String")},
		{"owner", latest("String")},
	}, more...)
}

func with(columns []Column, more ...Column) []Column { return append(columns, more...) }

var byID = Index{Name: "by_id", Expr: "id", Type: "bloom_filter(0.001)"}

var domains = Table{
	Name: "domains", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: with([]Column{
		{"project_id", "LowCardinality(String)"},
		{"name", "String"},
		{"id", constant},
		{"first_seen", first},
		{"last_seen", last},
	}, marks()...),
	OrderBy: []string{"project_id", "name"},
	Indexes: []Index{byID},
}

var hosts = Table{
	Name: "hosts", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: with([]Column{
		{"project_id", "LowCardinality(String)"},
		{"addr", "IPv6"},
		{"id", constant},
		{"ip", constant}, // addr as text, for searching
		{"first_seen", first},
		{"last_seen", last},
		{"os", latest("String")},
	}, marks()...),
	OrderBy: []string{"project_id", "addr"},
	Indexes: []Index{byID},
}

var ranges = Table{
	Name: "ip_ranges", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: with([]Column{
		{"project_id", "LowCardinality(String)"},
		{"addr", "IPv6"},
		{"bits", "UInt8"}, // length of the prefix, of the address as it is written in cidr
		{"id", constant},
		{"cidr", constant},
		{"first_seen", first},
		{"last_seen", last},
	}, marks()...),
	OrderBy: []string{"project_id", "addr", "bits"},
	Indexes: []Index{byID},
}

var ports = Table{
	Name: "ports", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: with([]Column{
		{"project_id", "LowCardinality(String)"},
		{"addr", "IPv6"},
		{"port", "UInt16"},
		{"protocol", "LowCardinality(String)"},
		{"id", constant},
		{"address", constant}, // ip:port/protocol, for searching
		{"first_seen", first},
		{"last_seen", last},
		{"service", latest("String")},
		{"product", latest("String")},
		{"version", latest("String")},
	}, marks(Column{"looked_at", last})...),
	// the ports of a host are one stretch: they are counted for every page of hosts
	OrderBy: []string{"project_id", "addr", "port", "protocol"},
	Indexes: []Index{byID},
}

var websites = Table{
	Name: "websites", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: with([]Column{
		{"project_id", "LowCardinality(String)"},
		{"domain", "String"}, // empty for the bare address
		{"addr", "IPv6"},
		{"port", "UInt16"},
		{"path", "String"},
		{"id", constant},
		{"address", constant}, // name:port/path, for searching
		{"first_seen", first},
		{"last_seen", last},
		{"ssl", latest("UInt8")},
		{"status", latest("UInt16")},
		{"title", latest("String")},
		{"server", latest("String")},
		{"certificate", latest("String")}, // JSON
		{"technologies", "SimpleAggregateFunction(groupUniqArrayArray, Array(String))"}, // before they had times
	}, marks(Column{"looked_at", last}, Column{"merged_into", latest("String")}, Column{"screenshot", latest("String")},
		Column{"technologies_said", "SimpleAggregateFunction(maxMap, Map(String, Int64))"}, // when each was said last
	)...),
	// by name and not by address: people look for a site by its name, and what one
	// name serves belongs together. The path can be long, hence not in the index
	OrderBy:    []string{"project_id", "domain", "addr", "port", "path"},
	PrimaryKey: []string{"project_id", "domain", "addr", "port"},
	Indexes:    []Index{byID},
	Fills:      []Fill{{"technologies_said", technologiesSaid}},
}

// technologiesSaid reads from the findings when the technologies of websites were
// said, for rows that were written while that was not kept.
const technologiesSaid = `INSERT INTO websites (project_id, domain, addr, port, path, first_seen, technologies_said)
SELECT project_id, domain, toIPv6(ip), port, if(path = '', '/', path) AS whole, fromUnixTimestamp64Milli(toInt64(9214646400000), 'UTC'), maxMap(map(technology, toUnixTimestamp64Milli(at)))
FROM (
SELECT project_id, domain, ip, port, path, at, trim(BOTH ' \t\n\v\f\r' FROM if(JSONType(field, 'data') = 'String', JSONExtractString(field, 'data'), JSONExtractRaw(field, 'data'))) AS technology
FROM findings ARRAY JOIN JSONExtractArrayRaw(fields) AS field
WHERE key = 'WebsiteTechnologyFinding' AND type = 'CustomFinding' AND JSONExtractString(field, 'key') = 'technology')
WHERE technology != '' AND toIPv6OrNull(ip) IS NOT NULL
GROUP BY project_id, domain, ip, port, whole`

// The links are kept once per direction, since both are read for every page of
// their side and each wants to be one stretch.
var domainHosts = Table{
	Name: "domain_hosts", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"domain", "String"},
		{"addr", "IPv6"},
		{"first_seen", first},
		{"last_seen", last},
		{"deleted_at", last},
	},
	OrderBy: []string{"project_id", "domain", "addr"},
}

var hostDomains = Table{
	Name: "host_domains", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"addr", "IPv6"},
		{"domain", "String"},
		{"first_seen", first},
		{"last_seen", last},
		{"deleted_at", last},
	},
	OrderBy: []string{"project_id", "addr", "domain"},
}

var resourceTags = Table{
	Name: "resource_tags", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"resource_id", "String"},
		{"tag", "String"},
		{"state", latest("UInt8")}, // 1 carries it, 0 does not any more
	},
	OrderBy: []string{"project_id", "resource_id", "tag"},
}

// Findings are listed newest first, so the time comes before the id: a page is
// read from the end and stops, and a batch of new findings does not intersect old
// parts. The same finding accepted twice (a job that sent its batch again after a
// time-out) has two times and is two rows here; finding_ids knows the first of
// them, and readers drop the other. The Bloom filters serve the findings of one
// resource or execution, which lie in few places each.
var findings = Table{
	Name: "findings", Engine: "ReplacingMergeTree",
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"at", "DateTime64(3, 'UTC')"},
		{"id", "String"},
		{"correlation_key", "String"},
		{"source", "LowCardinality(String)"},
		{"execution_id", "String"},
		{"job", "LowCardinality(String)"},
		{"user_id", "String"},
		{"root_id", "String"},
		{"depth", "UInt16"},
		{"type", "LowCardinality(String)"},
		{"key", "LowCardinality(String)"},
		{"name", "String"},
		{"tag", "String"},
		{"domain", "String"},
		{"ip", "String"},
		{"mask", "Int16"}, // -1 when not given
		{"port", "UInt16"},
		{"protocol", "LowCardinality(String)"},
		{"path", "String"},
		{"ssl", "Int8"},      // -1 when not known
		{"fields", "String"}, // JSON, images without their data
		// a column of its own: only who asks for it reads it
		{"images", "Array(String)"},
		{"said", "String"}, // rows.Words
		{"addr", "IPv6"},   // ip as a number
	},
	Defaults: map[string]string{
		// what rows.Words writes, for who does not write the column
		"said": `concat('\xFF', lowerUTF8(name), '\xFF', arrayStringConcat(arrayMap(x -> concat(` +
			`arrayStringConcat(arrayMap(c -> if(c >= 'a' AND c <= 'z', upper(c), concat('\xFD', translate(hex(c), '0123456789ABCDEF', 'ABCDEFGHIJKLMNOP'))), extractAll(JSONExtractString(x, 'key'), '(?s)\\C'))), '\xFE', ` +
			`lowerUTF8(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))), '\xFF'), JSONExtractArrayRaw(fields))))`,
		"addr": "toIPv6OrDefault(ip)",
	},
	Age:     "at",
	OrderBy: []string{"project_id", "at", "id"},
	Indexes: []Index{
		{Name: "by_target", Expr: "correlation_key", Type: "bloom_filter(0.01)"},
		{Name: "by_execution", Expr: "execution_id", Type: "bloom_filter(0.01)"},
		{Name: "by_key", Expr: "key", Type: "set(100)"},
	},
}

// findingIDs has each finding once, below the execution that said it: that is how
// findings of an execution are counted exactly, and how a page of findings learns
// which of its rows were accepted first.
var findingIDs = Table{
	Name: "finding_ids", Engine: "AggregatingMergeTree", Settle: 10 * settle,
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"execution_id", "String"},
		{"id", "String"},
		{"at", first},
	},
	Age:     "at",
	OrderBy: []string{"project_id", "execution_id", "id"},
}

// An execution has no time in its key: the events that change it know only its
// id. Lists are sorted by time when read; there are far fewer executions than
// findings.
var executions = Table{
	Name: "executions", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"id", "String"},
		{"queued_at", first},
		{"job", constant},
		{"target", constant},
		{"request", constant}, // JSON
		{"current", "SimpleAggregateFunction(max, Tuple(attempt UInt32, rank UInt8, at DateTime64(3, 'UTC'), " +
			"state String, reason String, detail String, exited UInt8, exit_code Int32, runner String))"},
		{"started", "SimpleAggregateFunction(max, Tuple(attempt UInt32, rank UInt8, at DateTime64(3, 'UTC')))"},
	},
	Age:     "queued_at",
	OrderBy: []string{"project_id", "id"},
	Indexes: []Index{byID},
}

// Logs are read by execution. position is the offset on the topic, which is keyed
// by execution: reading in its order shows every line exactly once to whoever
// follows, however late a line arrived; the times of two processes could not.
var logs = Table{
	Name: "logs", Engine: "AggregatingMergeTree",
	Columns: []Column{
		{"execution_id", "String"},
		{"attempt", "UInt32"},
		{"stream", "LowCardinality(String)"},
		{"seq", "UInt64"},
		{"project_id", constant},
		{"position", "SimpleAggregateFunction(min, Int64)"},
		{"at", first},
		{"level", "SimpleAggregateFunction(max, UInt8)"}, // 0 debug, 1 info, 2 warning, 3 error
		{"text", constant},
	},
	Age:     "at",
	OrderBy: []string{"execution_id", "attempt", "stream", "seq"},
}

// A site map has no bound, so each path is a row of its own.
var websitePaths = Table{
	Name: "website_paths", Engine: "AggregatingMergeTree", Settle: settle,
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"website_id", "String"},
		{"path", "String"},
		{"first_seen", first},
		{"last_seen", last},
		{"deleted_at", last},
		{"status", latest("UInt16")},
	},
	OrderBy:    []string{"project_id", "website_id", "path"},
	PrimaryKey: []string{"project_id", "website_id"},
}

// Changes are the history: from at on, attribute of a resource has a value. The
// attribute that is empty is the resource itself, which is open, closed or deleted.
// What counts of an instant is the greatest value, so open wins over closed: a late
// word of having seen it refutes that it was not. What a row changed follows from
// the row before it of the same resource and attribute, so repeated rows change
// nothing. Ordered by time, since they are read as a feed.
var changes = Table{
	Name: "changes", Engine: "AggregatingMergeTree",
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"at", "DateTime64(3, 'UTC')"},
		{"resource_id", "String"},
		{"attribute", "LowCardinality(String)"},
		{"kind", "SimpleAggregateFunction(max, String)"},
		{"correlation_key", constant},
		// cause is the finding, the person or the execution it is known from
		{"said", "SimpleAggregateFunction(max, Tuple(value String, cause String))"},
	},
	Age:     "at",
	OrderBy: []string{"project_id", "at", "resource_id", "attribute"},
	// a page of the feed asks for what fifty resources were before: one in a hundred
	// that is taken for another would be half of the table
	Indexes: []Index{{Name: "by_resource_id", Expr: "resource_id", Type: "bloom_filter(0.0001)"}},
}

// Sweeps are what concerns many resources at once: a deletion with all that is
// below, or a look at addresses and ports. They are applied to the rows that are
// there; kept, so that a row that is late is held against those it missed.
var sweeps = Table{
	Name: "sweeps", Engine: "ReplacingMergeTree",
	Columns: []Column{
		{"until", "DateTime64(3, 'UTC')"},
		{"project_id", "LowCardinality(String)"},
		{"id", "String"},
		{"action", "LowCardinality(String)"}, // delete, block, look
		{"kind", "LowCardinality(String)"},   // of the resource that was deleted, or of those looked for
		{"since", "DateTime64(3, 'UTC')"},    // what was seen after this is not concerned
		{"first", "IPv6"},
		{"last", "IPv6"},
		{"domain", "String"},
		{"ports", "Array(UInt16)"}, // pairs of first and last; none means all
		{"protocol", "LowCardinality(String)"},
		{"path", "String"},
		{"cause", "String"},
		{"blocked_version", "UInt64"}, // of a block
		{"blocked", "UInt8"},
		{"stored_by", "String"},               // the projector that tells the others; "" when it concerns only its own
		{"stored_at", "DateTime64(3, 'UTC')"}, // of those that others are told of
	},
	Age:     "until",
	OrderBy: []string{"until", "project_id", "id"},
	Indexes: []Index{{Name: "by_stored_at", Expr: "stored_at", Type: "minmax"}},
}

// Verdicts are read by finding. A finding that was accepted twice was judged twice.
var verdicts = Table{
	Name: "verdicts", Engine: "ReplacingMergeTree",
	Columns: []Column{
		{"project_id", "LowCardinality(String)"},
		{"finding_id", "String"},
		{"subscription_id", "String"},
		{"at", "DateTime64(3, 'UTC')"},
		{"version", "Int64"}, // of the subscription
		{"name", "LowCardinality(String)"},
		{"stage", "LowCardinality(String)"},
		{"reason", "LowCardinality(String)"},
		{"detail", "String"},
		{"execution_id", "String"},
	},
	Age:        "at",
	OrderBy:    []string{"project_id", "finding_id", "subscription_id", "at"},
	PrimaryKey: []string{"project_id", "finding_id"},
}
