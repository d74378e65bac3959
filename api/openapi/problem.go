package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/stalker-asm/stalker/pipeline"
)

// InputError is one thing that is wrong with a request.
type InputError struct {
	In      string `json:"in"` // path, query, header, body, document
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// InputErrors is everything that is wrong with a request; its code is invalid.
type InputErrors []InputError

// Error lists them.
func (e InputErrors) Error() string {
	list := make([]string, len(e))
	for i, x := range e {
		list[i] = x.String()
	}
	return strings.Join(list, "; ")
}

// String writes the error as place: message.
func (e InputError) String() string {
	place := e.In
	if e.Path != "" {
		place = e.Path
	}
	if e.Line > 0 {
		place = fmt.Sprintf("%d:%d: %s", e.Line, e.Column, place)
	}
	return place + " " + e.Message
}

// As lets pipeline.CodeOf see an invalid input.
func (e InputErrors) As(target any) bool {
	p, ok := target.(**pipeline.Error)
	if ok {
		*p = &pipeline.Error{Code: pipeline.CodeInvalid, Message: e.Error()}
	}
	return ok
}

// maxErrors bounds how many errors one answer lists.
const maxErrors = 100

// explain turns what a schema says into input errors.
func (d *Document) explain(err error, in, name string) InputErrors {
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil
	}
	var out InputErrors
	d.leaves(v, func(v *jsonschema.ValidationError) {
		for _, e := range d.words(v) {
			e.In, e.Path = in, place(name, v.InstanceLocation, e.Path)
			if len(out) < maxErrors && !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	})
	slices.SortStableFunc(out, func(a, b InputError) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

func (d *Document) leaves(v *jsonschema.ValidationError, fn func(*jsonschema.ValidationError)) {
	if len(v.Causes) == 0 || d.message(v) != "" {
		fn(v)
		return
	}
	for _, c := range v.Causes {
		d.leaves(c, fn)
	}
}

// message is a schema's own words for a value it refuses (x-message).
func (d *Document) message(v *jsonschema.ValidationError) string {
	return text(object(d.at(v))["x-message"])
}

// at returns the schema that refused the value.
func (d *Document) at(v *jsonschema.ValidationError) any {
	_, pointer, _ := strings.Cut(v.SchemaURL, "#")
	pointer, err := url.PathUnescape(pointer)
	if err != nil {
		return nil
	}
	return d.lookup("#" + pointer)
}

func (d *Document) words(v *jsonschema.ValidationError) []InputError {
	if m := d.message(v); m != "" {
		return []InputError{{Message: m}}
	}
	one := func(format string, args ...any) []InputError {
		return []InputError{{Message: fmt.Sprintf(format, args...)}}
	}
	switch k := v.ErrorKind.(type) {
	case *kind.Required:
		return each(k.Missing, "is required")
	case *kind.AdditionalProperties:
		names := slices.Sorted(maps.Keys(object(object(d.at(v))["properties"])))
		return each(k.Properties, "is not known here; known are "+strings.Join(names, ", "))
	case *kind.Type:
		return one("must be %s, not %s", strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		return one("is %s, must be one of %s", short(fmt.Sprintf("%v", k.Got)), list(k.Want))
	case *kind.MinLength:
		return one("has %d characters, must have at least %d", k.Got, k.Want)
	case *kind.MaxLength:
		return one("has %d characters, may have at most %d", k.Got, k.Want)
	case *kind.MinItems:
		return one("has %d entries, must have at least %d", k.Got, k.Want)
	case *kind.MaxItems:
		return one("has %d entries, may have at most %d", k.Got, k.Want)
	case *kind.Minimum:
		return one("is %s, must be at least %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Maximum:
		return one("is %s, may be at most %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Pattern:
		return one("%q does not have the form %s", short(k.Got), k.Want)
	case *kind.Format:
		return one("%q is no %s", short(fmt.Sprint(k.Got)), k.Want)
	default:
		return one("%s", short(v.ErrorKind.LocalizedString(message.NewPrinter(language.English))))
	}
}

func each(names []string, message string) []InputError {
	var out []InputError
	for _, n := range names {
		out = append(out, InputError{Path: short(n), Message: message})
	}
	return out
}

func list(values []any) string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ", ")
}

// place writes where a value stands: internal[2], job.parameters[0].name.
func place(name string, location []string, more string) string {
	path := name
	if more != "" {
		location = append(slices.Clone(location), more)
	}
	for _, s := range location {
		if _, err := strconv.Atoi(s); err == nil {
			path += "[" + s + "]"
		} else if path == "" {
			path = short(s)
		} else {
			path += "." + short(s)
		}
	}
	return path
}

// short keeps what is told back from filling a screen.
func short(s string) string { return pipeline.Clip(s, 120) }
