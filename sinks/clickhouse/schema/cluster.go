package schema

import (
	"errors"
	"fmt"
	"regexp"
)

// Cluster says how tables are spread over servers; the zero value is one server, or
// several that do not know each other.
type Cluster struct {
	// Name is the cluster's, as in the servers' remote_servers; empty means one server.
	// The tables are then replicated, which needs a Keeper.
	Name string `yaml:"name"`
	// Shards spreads the projects over the shards of the cluster. Without it every
	// server of the cluster has everything.
	Shards bool `yaml:"shards"`
}

var clusterForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,99}$`)

// Problem says what is wrong with c, nil when nothing is.
func (c *Cluster) Problem() error {
	switch {
	case c.Name == "" && c.Shards:
		return errors.New("shards: which cluster? name must be set")
	case c.Name != "" && !clusterForm.MatchString(c.Name):
		return fmt.Errorf("name: %q must be letters, digits, dots, dashes and underscores, and begin with a letter", c.Name)
	}
	return nil
}

// On is the clause that has a statement carried out on all servers of the cluster.
func (c *Cluster) On() string {
	if c.Name == "" {
		return ""
	}
	return " ON CLUSTER `" + c.Name + "`"
}

// Spread returns the tables as they are on a cluster.
//
// Replicated: the engines are the replicated ones, and one path in Keeper makes all
// servers of the cluster replicas of one another, whatever shards it has.
//
// Over shards: the rows are in NAME_local on each shard, and NAME is a Distributed
// table over those. The sharding key is the project alone. So everything about a
// project is on one shard: rows with the same key meet and merge there, and a join or
// IN of two tables never needs a row of another shard (distributed_product_mode is
// local). A project that is larger than a server is not what this is for. The cluster's
// internal_replication must be true.
//
// A write is acknowledged by one replica, and the others follow. The driver stays with
// the first address that answers, so that who has written reads what it wrote.
//
// The statements are held by golden files (testdata/layouts); no cluster of servers
// is among the tests.
func Spread(tables []Table, c Cluster) []Table {
	out := make([]Table, len(tables))
	for i, t := range tables {
		t.Cluster = c
		out[i] = t
	}
	return out
}

// Own is the name of the table that has the rows.
func (t *Table) Own() string {
	if t.Cluster.Shards {
		return t.Name + "_local"
	}
	return t.Name
}

// engine is the engine of the table that has the rows. The macros are the servers'.
func (t *Table) engine() string {
	switch {
	case t.Cluster.Name == "":
		return t.Engine
	case t.Cluster.Shards:
		return "Replicated" + t.Engine + "('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')"
	default:
		return "Replicated" + t.Engine + "('/clickhouse/tables/{database}/{table}', '{replica}')"
	}
}

// alter begins a statement that changes the table that has the rows.
func (t *Table) alter() string { return "ALTER TABLE " + t.Own() + t.Cluster.On() }

// distributed returns the statement that makes the table over those of the shards.
func (t *Table) distributed() string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s%s AS %s\nENGINE = Distributed(`%s`, currentDatabase(), %s, sipHash64(project_id))",
		t.Name, t.Cluster.On(), t.Own(), t.Cluster.Name, t.Own())
}

// over plans the table over those of the shards, which has the same columns.
func (e *existing) over(t *Table) []planned {
	if !t.Cluster.Shards {
		return nil
	}
	if e.columns[t.Name] == nil {
		return []planned{{"distributed table " + t.Name, []string{t.distributed()}}}
	}
	plan := []planned{{name: "distributed table " + t.Name}}
	for _, c := range t.Columns {
		p := planned{name: "distributed column " + t.Name + "." + c.Name}
		if _, ok := e.columns[t.Name][c.Name]; !ok {
			p.sql = []string{fmt.Sprintf("ALTER TABLE %s%s ADD COLUMN IF NOT EXISTS %s", t.Name, t.Cluster.On(), c.definition())}
		}
		plan = append(plan, p)
	}
	return plan
}
