package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

func loadEnv(cfg any, environ []string) []error {
	var problems []error
	slices.Sort(environ)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		path, ours := strings.CutPrefix(name, EnvPrefix)
		if !ours {
			continue
		}
		field, ok := find(reflect.ValueOf(cfg).Elem(), strings.Split(path, "__"))
		if !ok {
			problems = append(problems, fmt.Errorf("environment: %s sets no known key", name))
			continue
		}
		if err := set(field, value); err != nil {
			problems = append(problems, fmt.Errorf("environment: %s: %s", name, yaml.FormatError(err, false, false)))
		}
	}
	return problems
}

func find(v reflect.Value, path []string) (reflect.Value, bool) {
	if len(path) == 0 {
		return v, true
	}
	if v.Kind() != reflect.Struct {
		return v, false
	}
	for f := range v.Type().Fields() {
		if k := key(f); k != "" && strings.EqualFold(k, path[0]) {
			return find(v.FieldByIndex(f.Index), path[1:])
		}
	}
	return v, false
}

// set parses value as YAML, except that strings need no quotes and lists may be
// written with commas alone.
func set(field reflect.Value, value string) error {
	switch {
	case field.Kind() == reflect.String:
		field.SetString(value)
		return nil
	case field.Kind() == reflect.Slice && !strings.HasPrefix(strings.TrimSpace(value), "["):
		value = "[" + value + "]"
	case field.Type() == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		field.SetInt(int64(d))
		return nil
	}
	return yaml.Unmarshal([]byte(value), field.Addr().Interface())
}

type validator interface{ Validate() error }

// validate asks every part that can be asked, deepest first.
func validate(v reflect.Value, path string) []error {
	var problems []error
	if v.Kind() == reflect.Struct {
		for f := range v.Type().Fields() {
			if k := key(f); k != "" {
				problems = append(problems, validate(v.FieldByIndex(f.Index), path+k+".")...)
			}
		}
	}
	if !v.CanAddr() || v.Kind() != reflect.Struct {
		return problems
	}
	if x, ok := reflect.TypeAssert[validator](v.Addr()); ok {
		if err := x.Validate(); err != nil {
			problems = append(problems, prefixed(strings.TrimSuffix(path, "."), err)...)
		}
	}
	return problems
}

func prefixed(path string, err error) []error {
	list := []error{err}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		list = j.Unwrap()
	}
	for i := range list {
		if path != "" {
			list[i] = fmt.Errorf("%s: %w", path, list[i])
		}
	}
	return list
}
