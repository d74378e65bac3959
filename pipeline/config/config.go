// Package config loads a configuration struct: defaults first, then a YAML file,
// then the environment, then validation. Everything wrong is reported at once,
// with file, line and column. Unknown keys and unknown environment variables with
// our prefix are errors, since a misspelt limit is a limit that is not there.
//
// It knows nothing about what is configured; the caller's struct is the contract:
// fields carry yaml tags, and the struct (and any part of it) may have a
// Validate() error method.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// EnvPrefix begins every environment variable that sets a configuration key. The
// rest is the key's path in upper case with __ between levels:
// STALKER_CFG_HTTP__LISTEN sets http.listen.
const EnvPrefix = "STALKER_CFG_"

// Secret is a string that is never printed.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// MarshalYAML hides the value in dumps.
func (s Secret) MarshalYAML() ([]byte, error) { return []byte(fmt.Sprintf("%q", s.String())), nil }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// Load fills cfg, which holds the defaults and must be a pointer to a struct, from
// the YAML file (when the path is not empty) and from environ (os.Environ's form).
func Load(cfg any, file string, environ []string) error {
	var problems []error
	if file != "" {
		problems = append(problems, loadFile(cfg, file)...)
	}
	problems = append(problems, loadEnv(cfg, environ)...)
	if len(problems) == 0 {
		return Validate(cfg)
	}
	return errors.Join(problems...)
}

// Validate asks cfg and every part of it for problems; for who changed it after
// Load.
func Validate(cfg any) error { return errors.Join(validate(reflect.ValueOf(cfg).Elem(), "")...) }

// Dump returns cfg as YAML with secrets hidden.
func Dump(cfg any) ([]byte, error) {
	b, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("dumping configuration: %w", err)
	}
	return b, nil
}

func loadFile(cfg any, file string) []error {
	data, err := os.ReadFile(file)
	if err != nil {
		return []error{fmt.Errorf("reading configuration: %w", err)}
	}
	doc, err := parser.ParseBytes(data, 0)
	if err != nil {
		return []error{fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))}
	}
	var problems []error
	for _, d := range doc.Docs {
		if d.Body == nil {
			continue
		}
		problems = append(problems, unknownKeys(file, d.Body, reflect.TypeOf(cfg).Elem(), "")...)
		err := decode(d.Body, cfg)
		if err == nil {
			continue
		}
		why := explain(file, d.Body, reflect.TypeOf(cfg).Elem(), "")
		if len(why) == 0 {
			why = []error{fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))}
		}
		problems = append(problems, why...)
	}
	return problems
}

// decode turns a panic of the YAML library (it has some for odd anchors and keys)
// into an error about the input.
func decode(n ast.Node, into any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not readable as YAML: %v", p)
		}
	}()
	return yaml.NodeToValue(n, into)
}

// unknownKeys walks the document beside the type.
func unknownKeys(file string, n ast.Node, t reflect.Type, path string) []error {
	m, ok := n.(*ast.MappingNode)
	if !ok || t.Kind() != reflect.Struct {
		return nil
	}
	var problems []error
	fields := fieldsOf(t)
	for _, v := range m.Values {
		name := v.Key.String()
		f, ok := fields[name]
		if !ok {
			pos := v.Key.GetToken().Position
			problems = append(problems, fmt.Errorf("%s:%d:%d: unknown key %q%s", file, pos.Line, pos.Column, path+name, suggest(name, fields)))
			continue
		}
		problems = append(problems, unknownKeys(file, v.Value, f.Type, path+name+".")...)
	}
	return problems
}

func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for f := range t.Fields() {
		if name := key(f); name != "" {
			fields[name] = f
		}
	}
	return fields
}

// key returns the YAML key of a field, "" when it cannot be configured.
func key(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" || !f.IsExported() {
		return ""
	}
	if name == "" {
		return strings.ToLower(f.Name)
	}
	return name
}

func suggest(name string, fields map[string]reflect.StructField) string {
	known := make([]string, 0, len(fields))
	for k := range fields {
		if strings.EqualFold(k, name) {
			return fmt.Sprintf(", did you mean %q?", k)
		}
		known = append(known, k)
	}
	slices.Sort(known)
	return ", known here: " + strings.Join(known, ", ")
}
