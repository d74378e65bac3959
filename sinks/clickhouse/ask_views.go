package clickhouse

import (
	"fmt"
	"strings"

	"github.com/stalker-asm/stalker/sinks/clickhouse/userql"
)

// view is what a query of a person may read: columns of one table, of one project.
type view struct {
	name    string
	table   string
	columns []viewColumn
	where   string // beside the project; "" for nothing
}

type viewColumn struct{ name, expr string }

// textual is an address as people write it.
const textual = "if(startsWith(IPv6NumToString(addr), '::ffff:'), substring(IPv6NumToString(addr), 8), IPv6NumToString(addr))"

func plainColumns(names ...string) (out []viewColumn) {
	for _, n := range names {
		out = append(out, viewColumn{n, n})
	}
	return out
}

// ofResource are the columns of every kind of resource, and more.
func ofResource(more ...viewColumn) []viewColumn {
	return append([]viewColumn{
		{"id", "id"},
		{"first_seen", "first_seen"},
		{"last_seen", "last_seen"},
		{"blocked", element("blocked", "value") + " > 0"},
		{"note", element("note", "value")},
		{"owner", element("owner", "value")},
	}, more...)
}

func latestColumns(names ...string) (out []viewColumn) {
	for _, n := range names {
		out = append(out, viewColumn{n, element(n, "value")})
	}
	return out
}

var isOpen = viewColumn{"open", "looked_at <= last_seen"}

// views are all there is for queries of people.
var views = []view{
	{"domains", "domains", ofResource(viewColumn{"name", "name"}), visible},
	{"hosts", "hosts", ofResource(viewColumn{"ip", textual}, viewColumn{"os", element("os", "value")}), visible},
	{"ip_ranges", "ip_ranges", ofResource(viewColumn{"cidr", "cidr"}), visible},
	{"ports", "ports", ofResource(append([]viewColumn{{"ip", textual}, {"port", "port"}, {"protocol", "protocol"}, isOpen},
		latestColumns("service", "product", "version")...)...), visible},
	{"websites", "websites", ofResource(append([]viewColumn{
		{"domain", "domain"},
		{"ip", textual},
		{"port", "port"},
		{"path", "path"},
		isOpen,
		{"technologies", "arraySort(arrayDistinct(arrayConcat(technologies, mapKeys(technologies_said))))"},
	},
		latestColumns("ssl", "status", "title", "server", "certificate", "merged_into")...)...), visible},
	{"domain_hosts", "domain_hosts", append(plainColumns("domain", "first_seen", "last_seen"), viewColumn{"ip", textual}), visible},
	{"tags", "resource_tags", plainColumns("resource_id", "tag"), element("state", "value") + " = 1"},
	{"findings", "findings", plainColumns("id", "at", "correlation_key", "source", "execution_id", "job", "root_id", "depth",
		"type", "key", "name", "tag", "domain", "ip", "port", "protocol", "path", "fields"), ""},
	{"executions", "executions", append(plainColumns("id", "queued_at", "job", "target"), viewColumn{"state", element("current", "state")},
		viewColumn{"reason", element("current", "reason")}, viewColumn{"changed_at", element("current", "at")},
		viewColumn{"attempt", element("current", "attempt")}, viewColumn{"exit_code", element("current", "exit_code")}), ""},
	{"changes", "changes", append(plainColumns("at", "resource_id", "attribute", "kind", "correlation_key"), viewColumn{"value", element("said", "value")}), ""},
}

// with is the view as a common table expression. Names of its table are written in full
// and stand in none of the query's scopes, names outside begin with the prefix.
func (v *view) with(database, project string) string {
	var cols []string
	for _, c := range v.columns {
		cols = append(cols, c.expr+" AS "+userql.Prefix+c.name)
	}
	where := "project_id = '" + project + "'"
	if v.where != "" {
		where += " AND " + v.where
	}
	return fmt.Sprintf("%s%s AS (SELECT %s FROM %s.%s FINAL WHERE %s)", userql.Prefix, v.name, strings.Join(cols, ", "), database, v.table, where)
}
