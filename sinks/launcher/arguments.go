package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// forbidden names mean something to shells, interpreters or the loader; a
// parameter becomes an environment variable and must not change how its job runs.
const forbidden = ` RFLAGS IFS MAILPATH PS1 PS2 PS3 PS4 CC LANG MAILRC CDPATH LC_ALL LC_COLLATE LC_CTYPE LC_MESSAGES LC_MONETARY LC_NUMERIC
 LC_TIME MAKEFLAGS CFLAGS MAKESHELL CHARSET MANPATH PWD COLUMNS MBOX RANDOM DATEMSK MORE SECONDS DEAD MSGVERB SHELL EDITOR NLSPATH TERM
 ENV LDFLAGS NPROC TERMCAP EXINIT LEX OLDPWD TERMINFO FC LFLAGS OPTARG TMPDIR FCEDIT LINENO OPTERR TZ FFLAGS LINES OPTIND USER GET LISTER
 PAGER VISUAL GFLAGS LOGNAME PATH YACC HISTFILE LPDEST PPID YFLAGS HISTORY MAIL PRINTER HISTSIZE MAILCHECK PROCLANG HOME MAILER PROJECTDIR
 BASH_ENV SHELLOPTS BASHOPTS GLOBIGNORE GCONV_PATH LOCPATH MALLOC_CHECK_ HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy
 all_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF RedKiteContext RedKiteOrchestratorUrl NUCLEI_FINDING_HANDLER RK_NUCLEI_YAML_TEMPLATE `

// Forbidden reports whether a parameter may not have this name, and why.
func Forbidden(n string) (string, bool) {
	switch {
	case !name.MatchString(n):
		return "it must begin with a letter and hold only letters, digits and underscores", true
	case strings.HasPrefix(n, "LD_"), strings.HasPrefix(n, "PYTHON"), strings.HasPrefix(n, "STALKER_"),
		slices.Contains(strings.Fields(forbidden), n):
		return "the name is reserved: it would change how the job runs", true
	default:
		return "", false
	}
}

// arguments merges what was given with the declared defaults and checks names and
// declared types. Undeclared arguments are passed on: scripts of the reference
// product declare only some of theirs. Every problem is reported.
func arguments(declared []pipeline.Parameter, given []pipeline.Argument) (map[string]json.RawMessage, error) {
	args := map[string]json.RawMessage{}
	types := map[string]string{}
	var errs []error
	for _, p := range declared {
		types[p.Name] = p.Type
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
		args[a.Name] = a.Value
	}
	for _, n := range slices.Sorted(maps.Keys(args)) {
		if why, bad := Forbidden(n); bad {
			errs = append(errs, fmt.Errorf("parameter %q: %s", n, why))
		} else if err := fits(types[n], args[n]); err != nil {
			errs = append(errs, fmt.Errorf("parameter %s: %w", n, err))
		}
	}
	return args, errors.Join(errs...)
}

// fits checks a value against a declared type. Text that holds the wanted type is
// accepted, since that is what an environment variable gives the job anyway.
func fits(want string, raw json.RawMessage) error {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("value is no JSON: %w", err)
	}
	if v == nil {
		return errors.New("value is missing")
	}
	if s, ok := v.(string); ok && want != "" && want != "string" {
		if s == "" {
			return nil // an empty text is "not given" to every reference job
		}
		if json.Unmarshal([]byte(s), &v) != nil {
			return fmt.Errorf("%q is no %s", s, want)
		}
	}
	ok := true
	switch want {
	case "number":
		_, ok = v.(float64)
	case "boolean":
		_, ok = v.(bool)
	case "string[]":
		ok = all[string](v)
	case "number[]":
		ok = all[float64](v)
	default:
	}
	if !ok {
		return fmt.Errorf("%s is no %s", clip(string(raw)), want)
	}
	return nil
}

func all[T any](v any) bool {
	list, ok := v.([]any)
	for _, x := range list {
		if _, is := x.(T); !is {
			return false
		}
	}
	return ok
}

// describe returns one line per argument for the log.
func describe(args map[string]json.RawMessage) []string {
	lines := make([]string, 0, len(args))
	for _, n := range slices.Sorted(maps.Keys(args)) {
		lines = append(lines, fmt.Sprintf("parameter %s = %s", n, clip(string(args[n]))))
	}
	return lines
}

func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
