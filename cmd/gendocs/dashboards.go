package main

import (
	"encoding/json"
	"fmt"
)

// The dashboards are JSON as Grafana imports it, made from the short form below so
// that they look alike and that a test can walk their queries.

// dashboard is one page of panels, in rows of two or three.
type dashboard struct {
	uid, title string
	rows       []row
}

type row struct {
	title  string
	panels []panel
}

// panel shows one or more queries. sql panels ask ClickHouse, the others Prometheus.
type panel struct {
	title, help string
	kind        string // timeseries (default), stat, table, bargauge
	unit        string // Grafana's name of a unit: short, s, bytes, ops, percentunit
	stack       bool
	queries     []query
}

type query struct{ expr, legend string }

func q(expr, legend string) query { return query{expr, legend} }

// sql reports whether the dashboard asks ClickHouse.
func (d *dashboard) sql() bool { return d.uid == "stalker-surface" }

func (d *dashboard) json() (string, error) {
	var panels []any
	y := 0
	for _, r := range d.rows {
		panels = append(panels, map[string]any{
			"type": "row", "title": r.title, "collapsed": false, "gridPos": grid(0, y, 24, 1), "panels": []any{}, "id": len(panels) + 1,
		})
		y++
		width, height := 24/len(r.panels), 8
		if r.panels[0].kind == "stat" {
			height = 4
		}
		for i := range r.panels {
			p := r.panels[i].json(d.sql(), len(panels)+1)
			p["gridPos"] = grid(i*width, y, width, height)
			panels = append(panels, p)
		}
		y += height
	}
	b, err := json.MarshalIndent(map[string]any{
		"uid": d.uid, "title": d.title, "tags": []string{"stalker"}, "timezone": "browser", "schemaVersion": 39, "version": 1, "editable": true,
		"refresh": "30s", "time": map[string]string{"from": "now-6h", "to": "now"}, "templating": map[string]any{"list": d.variables()}, "panels": panels,
	}, "", "  ")
	return string(b) + "\n", err
}

func grid(x, y, w, h int) map[string]int { return map[string]int{"x": x, "y": y, "w": w, "h": h} }

func (p *panel) json(sql bool, id int) map[string]any {
	kind := p.kind
	if kind == "" {
		kind = "timeseries"
	}
	custom := map[string]any{}
	if kind == "timeseries" {
		custom = map[string]any{"fillOpacity": 10, "lineWidth": 1, "showPoints": "never"}
		if p.stack {
			custom["stacking"] = map[string]string{"mode": "normal"}
		}
	}
	out := map[string]any{
		"id": id, "type": kind, "title": p.title, "description": p.help, "datasource": source(sql), "targets": p.targets(sql, kind),
		"fieldConfig": map[string]any{"defaults": map[string]any{"unit": p.unit, "min": 0, "custom": custom}, "overrides": []any{}},
	}
	if kind == "stat" {
		out["options"] = map[string]any{"graphMode": "area", "colorMode": "value", "reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}}}
	}
	return out
}

func (p *panel) targets(sql bool, kind string) []any {
	var list []any
	for i, x := range p.queries {
		t := map[string]any{"refId": string(rune('A' + i)), "datasource": source(sql)}
		if sql {
			t["rawSql"], t["editorType"], t["queryType"], t["format"] = x.expr, "sql", kind, 1
			if kind == "timeseries" {
				t["format"] = 0
			}
		} else {
			t["expr"], t["legendFormat"] = x.expr, x.legend
		}
		list = append(list, t)
	}
	return list
}

func source(sql bool) map[string]string {
	if sql {
		return map[string]string{"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
	}
	return map[string]string{"type": "prometheus", "uid": "${datasource}"}
}

// variables let a person choose the data source, and the project where there is one.
func (d *dashboard) variables() []any {
	kind := source(d.sql())["type"]
	list := []any{map[string]any{"name": "datasource", "type": "datasource", "query": kind, "label": "Data source"}}
	if d.sql() {
		list = append(list, map[string]any{
			"name": "project", "type": "query", "label": "Project", "includeAll": true, "multi": true, "current": map[string]any{"text": "All", "value": "$__all"},
			"datasource": source(true), "query": projectsQuery, "refresh": 1,
		})
	}
	return list
}

// dashboardFiles returns each dashboard by its path below the root.
func dashboardFiles() (map[string]string, error) {
	files := map[string]string{}
	for _, d := range dashboards() {
		text, err := d.json()
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", d.uid, err)
		}
		files["charts/stalker/files/dashboards/"+d.uid+".json"] = text
	}
	return files, nil
}
