package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// Setting is one key of a configuration, for people to look at.
type Setting struct {
	Key     string `json:"key"`     // its path, with dots
	Value   string `json:"value"`   // as in YAML; of a secret only whether there is one
	Changed bool   `json:"changed"` // is not the default
}

// Settings lists the keys of cfg in order, and which of them differ from defaults.
func Settings(cfg, defaults any) ([]Setting, error) {
	list, err := flat(cfg)
	if err != nil {
		return nil, err
	}
	usual, err := flat(defaults)
	if err != nil {
		return nil, err
	}
	was := make(map[string]string, len(usual))
	for _, s := range usual {
		was[s.Key] = s.Value
	}
	for i, s := range list {
		before, known := was[s.Key]
		list[i].Changed = !known || before != s.Value
	}
	return list, nil
}

// flat lists the keys of a dump.
func flat(cfg any) (out []Setting, err error) {
	text, err := Dump(cfg)
	if err != nil {
		return nil, err
	}
	var tree yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &tree, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("reading the dumped configuration: %w", err)
	}
	return walk(out, "", tree)
}

func walk(out []Setting, path string, tree yaml.MapSlice) ([]Setting, error) {
	for _, item := range tree {
		key := strings.TrimPrefix(fmt.Sprintf("%s.%v", path, item.Key), ".")
		if below, ok := item.Value.(yaml.MapSlice); ok && len(below) > 0 {
			var err error
			if out, err = walk(out, key, below); err != nil {
				return nil, err
			}
			continue
		}
		value, ok := item.Value.(string)
		if !ok {
			text, err := yaml.MarshalWithOptions(item.Value, yaml.Flow(true))
			if err != nil {
				return nil, fmt.Errorf("writing %s: %w", key, err)
			}
			value = strings.TrimSpace(string(text))
		}
		out = append(out, Setting{Key: key, Value: value})
	}
	return out, nil
}
