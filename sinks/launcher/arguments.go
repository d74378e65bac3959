package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/veil"
)

// maxArguments is how large all arguments of one execution may be, in bytes.
const maxArguments = 1 << 20

// arguments merges what was given with the declared defaults, checks names and
// turns every value into its declared type. Undeclared arguments are passed on:
// scripts of the reference product declare only some of theirs. Of two with one
// name the last counts. Every problem is reported.
func arguments(declared []pipeline.Parameter, given []pipeline.Argument) (map[string]json.RawMessage, error) {
	args, types := map[string]json.RawMessage{}, map[string]string{}
	required := map[string]bool{}
	var errs []error
	for _, p := range declared {
		types[p.Name] = p.Type
		required[p.Name] = p.Required && p.Default == nil
		if p.Default == nil {
			continue
		}
		v, err := json.Marshal(p.Default)
		if err != nil {
			errs = append(errs, fmt.Errorf("default of %s: %w", p.Name, err))
		}
		args[p.Name] = v
	}
	for _, a := range given {
		if !absent(types[a.Name], a.Value) {
			args[a.Name] = a.Value
		} else if _, has := args[a.Name]; !has {
			errs = append(errs, normal.ParameterName(a.Name))
		}
	}
	for _, n := range slices.Sorted(maps.Keys(required)) {
		if _, has := args[n]; required[n] && !has {
			errs = append(errs, fmt.Errorf("parameter %s is missing: the job cannot do without it", n))
		}
	}
	size := 0
	for _, n := range slices.Sorted(maps.Keys(args)) {
		v, err := normal.Argument(types[n], args[n])
		if err != nil {
			errs = append(errs, fmt.Errorf("parameter %s: %w", pipeline.Clip(n, maxShown), err))
		}
		errs = append(errs, normal.ParameterName(n))
		args[n] = v
		size += len(n) + len(v)
	}
	if size > maxArguments {
		errs = append(errs, fmt.Errorf("the parameters have %d bytes together, at most %d are allowed", size, maxArguments))
	}
	return args, errors.Join(errs...)
}

// absent reports whether a value says that there is none: null, and for anything
// but text the empty text, which is how the reference product's forms send it.
func absent(declared string, v json.RawMessage) bool {
	s := strings.TrimSpace(string(v))
	return s == "" || s == "null" || (s == `""` && declared != "" && declared != "string")
}

// maxEnv is the longest value passed in the environment; the kernel's own limit is
// 128 KiB for one string. Longer ones are in the parameter file only.
const maxEnv = 64 << 10

// EnvValue returns an argument as the value of an environment variable, text
// without its quotes. ok is false when it cannot be one.
func EnvValue(raw json.RawMessage) (value string, ok bool) {
	value = string(raw)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		value = text
	}
	return value, len(value) <= maxEnv && !strings.ContainsRune(value, 0)
}

// maxShown is how much of an argument the execution's log shows, in bytes.
const maxShown = 100

// describe returns one line per argument for the log.
func describe(s Spec) []string {
	lines := make([]string, 0, len(s.Arguments))
	for _, n := range slices.Sorted(maps.Keys(s.Arguments)) {
		shown := pipeline.Clip(string(s.Arguments[n]), maxShown)
		if slices.Contains(s.Secret, n) {
			shown = veil.Mask
		}
		lines = append(lines, fmt.Sprintf("parameter %s = %s", n, shown))
	}
	return lines
}
