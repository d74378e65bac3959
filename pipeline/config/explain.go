package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// explain says of every value in the document that does not fit its key where it
// is and what would fit. It is asked when decoding failed, which stops at the
// first such value and names neither.
func explain(file string, n ast.Node, t reflect.Type, path string) []error {
	m, ok := n.(*ast.MappingNode)
	if ok && t.Kind() == reflect.Struct {
		var problems []error
		fields := fieldsOf(t)
		for _, v := range m.Values {
			if f, ok := fields[v.Key.String()]; ok {
				problems = append(problems, explain(file, v.Value, f.Type, join(path, v.Key.String()))...)
			}
		}
		return problems
	}
	if t.Kind() != reflect.Struct && decode(n, reflect.New(t).Interface()) == nil {
		return nil
	}
	if path == "" {
		path = "the document"
	}
	pos := n.GetToken().Position
	return []error{fmt.Errorf("%s:%d:%d: %s must be %s, not %s", file, pos.Line, pos.Column, path, wanted(t), clip(n.String()))}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// wanted describes the values of a type.
func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration such as 30s"
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Slice:
		return "a list of values, each " + wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a text"
	}
}

// clip shows the first line of a value.
func clip(s string) string {
	s, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 60 {
		s, more = strings.ToValidUTF8(s[:60], ""), true
	}
	if more {
		s += " …"
	}
	return s
}
