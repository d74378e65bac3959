package normal

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// MaxArgument is the largest value of one parameter, in bytes of JSON.
const MaxArgument = 512 << 10

// reservedNames would change how a program runs instead of what it is told: every
// parameter becomes an environment variable. The first part is POSIX's list (IEEE
// Std 1003.1 §8.1), which the reference product refuses too.
const reservedNames = ` ARFLAGS RFLAGS IFS MAILPATH PS1 PS2 PS3 PS4 CC LANG MAILRC CDPATH LC_ALL LC_COLLATE LC_CTYPE
 LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME MAKEFLAGS CFLAGS MAKESHELL CHARSET MANPATH PWD COLUMNS MBOX RANDOM DATEMSK
 MORE SECONDS DEAD MSGVERB SHELL EDITOR NLSPATH TERM ENV LDFLAGS NPROC TERMCAP EXINIT LEX OLDPWD TERMINFO FC LFLAGS
 OPTARG TMPDIR FCEDIT LINENO OPTERR TZ FFLAGS LINES OPTIND USER GET LISTER PAGER VISUAL GFLAGS LOGNAME PATH YACC HISTFILE
 LPDEST PPID YFLAGS HISTORY MAIL PRINTER HISTSIZE MAILCHECK PROCLANG HOME MAILER PROJECTDIR
 BASH_ENV GCONV_PATH GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH NIS_PATH NODE_OPTIONS OPENSSL_CONF PERL5LIB PERL5OPT
 RES_OPTIONS RUBYLIB RUBYOPT SSLKEYLOGFILE SSL_CERT_DIR SSL_CERT_FILE JAVA_TOOL_OPTIONS
 NUCLEI_FINDING_HANDLER RK_NUCLEI_YAML_TEMPLATE `

// reservedPrefixes are refused whatever the case. STALKER_ holds the credential.
var reservedPrefixes = []string{"STALKER_", "REDKITE", "PYTHON", "LD_", "DYLD_", "MALLOC_"}

// reservedSuffix catches HTTP_PROXY and its kin: they would send the job's
// credential elsewhere.
const reservedSuffix = "_PROXY"

// ParameterName reports why a job's parameter cannot have this name, nil when it
// can.
func ParameterName(s string) error {
	if s == "" || len(s) > MaxKey || !letter(s[0]) {
		return pipeline.Errorf(pipeline.CodeInvalid, "parameter name %q must begin with a letter and have 1 to %d characters", clip(s), MaxKey)
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && c != '_' {
			return pipeline.Errorf(pipeline.CodeInvalid, "parameter name %q may hold letters, digits and underscores only", clip(s))
		}
	}
	upper := strings.ToUpper(s)
	taken := slices.Contains(strings.Fields(reservedNames), s) || strings.HasSuffix(upper, reservedSuffix) ||
		slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(upper, p) })
	if taken {
		return pipeline.Errorf(pipeline.CodeInvalid, "parameter name %q is reserved: it would change how programs run", clip(s))
	}
	return nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// Argument returns a parameter's value as its declared type (string, number,
// boolean, string[], number[]; anything else is not checked), or an error saying
// what it is instead. Text that holds exactly a number, a boolean or a list counts
// as one, and the other way round: subscriptions written for the reference product
// quote everything.
func Argument(declared string, value json.RawMessage) (json.RawMessage, error) {
	value = bytes.TrimSpace(value)
	if len(value) > MaxArgument {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the value has %d bytes, at most %d are allowed", len(value), MaxArgument)
	}
	if !json.Valid(value) {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the value %q is no JSON", clip(string(value)))
	}
	element, isList := strings.CutSuffix(declared, "[]")
	var out json.RawMessage
	var ok bool
	switch {
	case isList:
		out, ok = list(element, value)
	default:
		out, ok = single(declared, value)
	}
	if !ok {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "%s is no %s", clip(string(value)), declared)
	}
	return out, nil
}

func single(declared string, value json.RawMessage) (json.RawMessage, bool) {
	first := value[0]
	text, quoted := unquote(value)
	switch declared {
	case "string":
		switch {
		case quoted:
			return value, true
		case first == '{' || first == '[' || first == 'n':
			return nil, false
		default:
			return json.RawMessage(strconv.Quote(string(value))), true // a number's or boolean's own text
		}
	case "number":
		if quoted {
			value = json.RawMessage(text)
		}
		return value, len(value) > 0 && (value[0] == '-' || value[0] >= '0' && value[0] <= '9') && json.Valid(value)
	case "boolean":
		if quoted {
			value = json.RawMessage(strings.ToLower(text))
		}
		return value, string(value) == "true" || string(value) == "false"
	default:
		return value, true
	}
}

func list(element string, value json.RawMessage) (json.RawMessage, bool) {
	if text, quoted := unquote(value); quoted {
		value = bytes.TrimSpace([]byte(text))
	}
	var items []json.RawMessage
	if err := json.Unmarshal(value, &items); err != nil || items == nil {
		return nil, false
	}
	for i, it := range items {
		var ok bool
		if items[i], ok = single(element, it); !ok {
			return nil, false
		}
	}
	out, err := json.Marshal(items)
	return out, err == nil
}

func unquote(value json.RawMessage) (string, bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err == nil
}
