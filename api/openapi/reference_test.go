package openapi

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the references anew")

const referenceFile = "../../docs/50-api.md"

// TestTheReferenceIsUpToDate keeps docs/50-api.md equal to the document; make
// generate writes it.
func TestTheReferenceIsUpToDate(t *testing.T) {
	want := document(t).reference()
	if *update {
		if err := os.WriteFile(referenceFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/50-api.md is not what the API document says (%v): run make generate", err)
	}
}

// reference writes the document as a page: operations by tag, then schemas.
func (d *Document) reference() []byte {
	var b bytes.Buffer
	b.WriteString("# API reference\n\nGenerated from `api/openapi` by `make generate`. The same document is served at `/api/v1/openapi.json` and `.yaml`, and to try out at `/api/docs`.\n\n")
	b.WriteString(text(object(d.tree["info"])["description"]) + "\n")
	b.WriteString("In the tables, *needs* is the scope the caller must have; **bold** parameters are required.\n")
	tags, _ := d.tree["tags"].([]any)
	for _, v := range tags {
		name := text(object(v)["name"])
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", name, text(object(v)["description"]))
		for _, op := range d.operations {
			if op.Tag == name {
				d.describe(&b, op)
			}
		}
	}
	b.WriteString("\n## Schemas\n")
	schemas := object(object(d.tree["components"])["schemas"])
	for _, name := range sorted(schemas) {
		if s := object(schemas[name]); s["properties"] != nil {
			fmt.Fprintf(&b, "\n### %s\n\n", name)
			if t := line(s["description"]); t != "" {
				b.WriteString(t + "\n\n")
			}
			d.properties(&b, s)
		}
	}
	return b.Bytes()
}

func (d *Document) describe(b *bytes.Buffer, op *Operation) {
	item := object(object(d.tree["paths"])[op.Path])
	v := object(item[strings.ToLower(op.Method)])
	fmt.Fprintf(b, "\n### %s\n\n`%s /api/v1%s` · `%s`", op.Summary, op.Method, op.Path, op.ID)
	switch {
	case op.Public:
		b.WriteString(" · open to all")
	case op.Scope == "self":
		b.WriteString(" · needs a login")
	default:
		fmt.Fprintf(b, " · needs `%s`", op.Scope)
	}
	b.WriteString("\n")
	if t := strings.TrimSpace(text(v["description"])); t != "" {
		b.WriteString("\n" + t + "\n")
	}
	own, _ := v["parameters"].([]any)
	if len(own) > 0 {
		b.WriteString("\n| Parameter | Type | |\n|---|---|---|\n")
	}
	for _, p := range own {
		m := d.resolve(p)
		name := "`" + text(m["name"]) + "`"
		if m["required"] == true {
			name = "**" + name + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, d.typeOf(m["schema"]), line(m["description"]))
	}
	for _, media := range op.Media {
		body := object(object(d.resolve(v["requestBody"])["content"])[media])
		fmt.Fprintf(b, "\nBody, `%s`: %s\n", media, d.typeOf(body["schema"]))
		if s := object(body["schema"]); s["properties"] != nil {
			b.WriteString("\n")
			d.properties(b, s)
		}
	}
	responses := object(v["responses"])
	b.WriteString("\n")
	for _, status := range sorted(responses) {
		if status == "default" {
			continue
		}
		r := d.resolve(responses[status])
		fmt.Fprintf(b, "%s: %s", status, line(r["description"]))
		for _, media := range sorted(object(r["content"])) {
			fmt.Fprintf(b, " `%s`: %s", media, d.typeOf(object(object(r["content"])[media])["schema"]))
		}
		b.WriteString("\n")
	}
}

func (d *Document) properties(b *bytes.Buffer, s map[string]any) {
	b.WriteString("| Property | Type | |\n|---|---|---|\n")
	required, _ := s["required"].([]any)
	properties := object(s["properties"])
	for _, name := range sorted(properties) {
		p := object(properties[name])
		shown := "`" + name + "`"
		if slices.Contains(required, any(name)) {
			shown = "**" + shown + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", shown, d.typeOf(p), line(p["description"]))
	}
}

// typeOf writes a schema in a few words.
func (d *Document) typeOf(v any) string {
	s := object(v)
	switch ref := text(s["$ref"]); {
	case ref != "":
		name := ref[strings.LastIndex(ref, "/")+1:]
		if t := d.resolve(v); t["properties"] == nil {
			return d.typeOf(t)
		}
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	case s["enum"] != nil:
		list, _ := s["enum"].([]any)
		var names []string
		for _, x := range list {
			names = append(names, fmt.Sprintf("`%v`", x))
		}
		return strings.Join(names, ", ")
	case s["items"] != nil:
		return "list of " + d.typeOf(s["items"])
	case s["format"] == "date-time":
		return "time"
	case s["x-message"] != nil && s["pattern"] == "^[0-9a-f]{24}$":
		return "id"
	}
	var types []string
	switch t := s["type"].(type) {
	case string:
		types = append(types, t)
	case []any:
		for _, x := range t {
			types = append(types, text(x))
		}
	default:
		return "any"
	}
	out := strings.Join(types, ", ")
	lo, hasLo := s["minimum"]
	hi, hasHi := s["maximum"]
	if hasLo && hasHi {
		out += fmt.Sprintf(", %v to %v", lo, hi)
	}
	if v, ok := s["default"]; ok {
		out += fmt.Sprintf(", %v unless given", v)
	}
	return out
}

func (d *Document) resolve(v any) map[string]any {
	m := object(v)
	for range 8 {
		ref := text(m["$ref"])
		if ref == "" {
			break
		}
		m = object(d.lookup(ref))
	}
	return m
}

func line(v any) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text(v)), " "), "|", "\\|")
}

func sorted(m map[string]any) []string {
	var names []string
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}
