// Package openapi is the API's description: one OpenAPI 3.1 document, merged from
// openapi.yaml and parts/*.yaml, and what is read from it. Requests are checked
// against it before a handler sees them; tests check answers. Schemas are JSON
// Schema 2020-12, as OpenAPI 3.1 says, and are compiled once.
package openapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml parts/*.yaml
var files embed.FS

// Document is the description of the API. It is immutable.
type Document struct {
	tree       map[string]any
	operations []*Operation
	byRoute    map[string]*Operation
	json, yaml []byte
}

// Load reads the embedded document. Every error is a mistake in the files beside
// this one, and a test's to find.
func Load() (*Document, error) { return load(files) }

func load(fsys fs.FS) (*Document, error) {
	tree, err := merged(fsys)
	if err != nil {
		return nil, err
	}
	d := &Document{tree: tree, byRoute: map[string]*Operation{}}
	if d.json, err = json.MarshalIndent(tree, "", " "); err != nil {
		return nil, fmt.Errorf("encoding the API document: %w", err)
	}
	if d.yaml, err = yaml.JSONToYAML(d.json); err != nil {
		return nil, fmt.Errorf("encoding the API document: %w", err)
	}
	return d, d.compile()
}

// JSON returns the document.
func (d *Document) JSON() []byte { return d.json }

// YAML returns the document.
func (d *Document) YAML() []byte { return d.yaml }

// Operations returns every operation, by path and method.
func (d *Document) Operations() []*Operation { return d.operations }

// Operation returns the operation of a route, such as GET /domains/{id}, nil when
// none is described.
func (d *Document) Operation(method, path string) *Operation { return d.byRoute[method+" "+path] }

// merged puts the parts into the root. Only paths, tags and components of a part count.
func merged(fsys fs.FS) (map[string]any, error) {
	root, err := read(fsys, "openapi.yaml")
	if err != nil {
		return nil, err
	}
	parts, err := fs.Glob(fsys, "parts/*.yaml")
	if err != nil {
		return nil, err
	}
	slices.Sort(parts)
	for _, name := range parts {
		part, err := read(fsys, name)
		if err != nil {
			return nil, err
		}
		if err := add(root, part); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return root, nil
}

func read(fsys fs.FS, name string) (map[string]any, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var v map[string]any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	return v, nil
}

func add(root, part map[string]any) error {
	for key, v := range part {
		switch key {
		case "paths":
			if err := join(object(root["paths"]), object(v), "paths"); err != nil {
				return err
			}
		case "components":
			for kind, named := range object(v) {
				if err := join(child(object(root["components"]), kind), object(named), "components/"+kind); err != nil {
					return err
				}
			}
		case "tags":
			tags, _ := root["tags"].([]any)
			more, _ := v.([]any)
			root["tags"] = append(tags, more...)
		default:
			if !strings.HasPrefix(key, "x-") {
				return fmt.Errorf("%q does not belong into a part", key)
			}
		}
	}
	return nil
}

// join adds the entries of from to into; a path may be described in several parts,
// each with methods of its own.
func join(into, from map[string]any, where string) error {
	for name, v := range from {
		old, taken := into[name]
		if !taken {
			into[name] = v
			continue
		}
		if where != "paths" {
			return fmt.Errorf("%s/%s is defined twice", where, name)
		}
		for method, op := range object(v) {
			if _, taken := object(old)[method]; taken && method != "parameters" {
				return fmt.Errorf("%s %s is defined twice", method, name)
			}
			object(old)[method] = op
		}
	}
	return nil
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func child(m map[string]any, key string) map[string]any {
	if m[key] == nil {
		m[key] = map[string]any{}
	}
	return object(m[key])
}

func text(v any) string { s, _ := v.(string); return s }
