package clickhouse

import (
	"context"
	"fmt"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// insertMarks writes each mark to the table of its resource. What a deletion forgets
// is overwritten with nothing, by a version that later words win over.
func insertMarks(ctx context.Context, g *errgroup.Group, s *Store, ms []rows.Mark) {
	by := map[pipeline.Kind][]rows.Mark{}
	for i := range ms {
		by[ms[i].Kind] = append(by[ms[i].Kind], ms[i])
	}
	for kind, list := range by {
		if t := markTables[kind]; t != nil {
			insert(ctx, g, s, t, list)
		}
	}
}

var markTables = map[pipeline.Kind]*target[rows.Mark]{
	pipeline.KindDomain: {"domains", marked(
		field("name", func(r *rows.Mark) string { return r.Domain }),
	)},
	pipeline.KindHost: {"hosts", marked(
		markAddr, forgotten("os"),
	)},
	pipeline.KindRange: {"ip_ranges", marked(
		markAddr,
		field("bits", func(r *rows.Mark) uint8 { return r.Bits }),
	)},
	pipeline.KindPort: {"ports", marked(
		markAddr, markPort, markLooked,
		field("protocol", func(r *rows.Mark) string { return string(r.Protocol) }),
		forgotten("service"), forgotten("product"), forgotten("version"),
	)},
	pipeline.KindWebsite: {"websites", marked(
		markAddr, markPort, markLooked,
		field("domain", func(r *rows.Mark) string { return r.Domain }),
		field("path", func(r *rows.Mark) string { return r.Path }),
		newest("merged_into", func(r *rows.Mark) rows.Value[string] { return r.Merged }),
		forgotten("title"), forgotten("server"), forgotten("certificate"), forgotten("screenshot"),
		newest("status", func(r *rows.Mark) rows.Value[uint16] { return rows.Value[uint16]{Version: forgetting(r)} }),
	)},
}

var (
	markAddr   = field("addr", func(r *rows.Mark) netip.Addr { return r.Addr })
	markPort   = field("port", func(r *rows.Mark) uint16 { return r.Port })
	markLooked = field("looked_at", func(r *rows.Mark) int64 { return r.Looked })
)

// marked are the columns every table of resources has, after those of its key.
func marked(own ...column[rows.Mark]) []column[rows.Mark] {
	return append(own,
		field("project_id", func(r *rows.Mark) string { return r.ProjectID }),
		field("id", func(r *rows.Mark) string { return r.ID }),
		field("first_seen", func(*rows.Mark) int64 { return rows.Never }),
		field("deleted_at", func(r *rows.Mark) int64 { return r.Deleted }),
		newest("blocked", func(r *rows.Mark) rows.Value[uint8] { return r.Blocked }),
		newest("note", func(r *rows.Mark) rows.Value[string] { return r.Note }),
		newest("owner", func(r *rows.Mark) rows.Value[string] { return r.Owner }),
	)
}

func forgotten(name string) column[rows.Mark] {
	return newest(name, func(r *rows.Mark) rows.Value[string] { return rows.Value[string]{Version: forgetting(r)} })
}

func forgetting(r *rows.Mark) uint64 {
	if r.Deleted == 0 {
		return 0
	}
	return rows.Forgetting(r.Deleted)
}

var pathTable = &target[rows.Path]{"website_paths", []column[rows.Path]{
	field("project_id", func(r *rows.Path) string { return r.ProjectID }),
	field("website_id", func(r *rows.Path) string { return r.WebsiteID }),
	field("path", func(r *rows.Path) string { return r.Path }),
	field("first_seen", func(r *rows.Path) int64 { return r.First }),
	field("last_seen", func(r *rows.Path) int64 { return r.Last }),
	newest("status", func(r *rows.Path) rows.Value[uint16] { return r.Status }),
}}

var changeTable = &target[rows.Change]{"changes", []column[rows.Change]{
	field("project_id", func(r *rows.Change) string { return r.ProjectID }),
	field("at", func(r *rows.Change) int64 { return r.At }),
	field("resource_id", func(r *rows.Change) string { return r.ResourceID }),
	field("attribute", func(r *rows.Change) string { return r.Attribute }),
	field("kind", func(r *rows.Change) string { return string(r.Kind) }),
	field("correlation_key", func(r *rows.Change) string { return r.Key }),
	field("said", func(r *rows.Change) []any { return []any{r.Value, r.Cause} }),
}}

var sweepTable = &target[rows.Sweep]{"sweeps", []column[rows.Sweep]{
	field("until", func(r *rows.Sweep) int64 { return r.Until }),
	field("project_id", func(r *rows.Sweep) string { return r.ProjectID }),
	field("id", sweepID),
	field("action", func(r *rows.Sweep) string { return string(r.Action) }),
	field("kind", func(r *rows.Sweep) string { return string(r.Kind) }),
	field("since", func(r *rows.Sweep) int64 { return r.Since }),
	field("first", func(r *rows.Sweep) netip.Addr { return orZero(r.First) }),
	field("last", func(r *rows.Sweep) netip.Addr { return orZero(r.Last) }),
	field("domain", func(r *rows.Sweep) string { return r.Domain }),
	field("ports", func(r *rows.Sweep) []uint16 { return r.Ports }),
	field("protocol", func(r *rows.Sweep) string { return string(r.Protocol) }),
	field("path", func(r *rows.Sweep) string { return r.Path }),
	field("cause", func(r *rows.Sweep) string { return r.Cause }),
	field("blocked_version", func(r *rows.Sweep) uint64 { return r.Blocked.Version }),
	field("blocked", func(r *rows.Sweep) uint8 { return r.Blocked.Value }),
	field("stored_by", func(r *rows.Sweep) string { return r.By }),
	field("stored_at", func(r *rows.Sweep) int64 { return r.Stored }),
}}

// sweepID tells the sweeps of an instant apart: a resource may be blocked and deleted
// at once.
func sweepID(r *rows.Sweep) string {
	if r.Action != rows.SweepBlock {
		return r.ID
	}
	return fmt.Sprintf("%s/%d", r.ID, r.Blocked.Version)
}

func orZero(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return netip.IPv6Unspecified()
	}
	return a
}
