package record

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/jsonscan"
)

// finding is the wire form of pipeline.Finding; short names for what is in every
// record, the public names for what jobs wrote.
type finding struct {
	V       int                  `json:"v"`
	ID      string               `json:"id"`
	Project string               `json:"project"`
	At      int64                `json:"at"` // milliseconds since 1970
	Source  pipeline.Source      `json:"source"`
	Exec    string               `json:"exec,omitempty"`
	Job     string               `json:"job,omitempty"`
	User    string               `json:"user,omitempty"`
	Seq     uint64               `json:"seq,omitempty"`
	Root    string               `json:"root,omitempty"`
	Depth   int                  `json:"depth,omitempty"`
	Control int64                `json:"control,omitempty"`
	Type    pipeline.FindingType `json:"type"`
	Key     string               `json:"key"`
	Name    string               `json:"name,omitempty"`
	pipeline.Locators
	SSL    *bool            `json:"ssl,omitempty"`
	Tag    string           `json:"tag,omitempty"`
	Since  int64            `json:"since,omitempty"` // milliseconds since 1970
	Fields []pipeline.Field `json:"fields,omitempty"`
	CKey   string           `json:"ckey"`
}

// EncodeFinding returns the wire form of f, byte for byte what encoding/json makes
// of it.
func EncodeFinding(f *pipeline.Finding) ([]byte, error) {
	const usual = 640
	to := append(make([]byte, 0, usual), `{"v":1,"id":`...)
	to = jsonscan.AppendString(to, f.ID)
	to = jsonscan.AppendString(jsonscan.AppendKey(to, "project"), f.ProjectID)
	to = strconv.AppendInt(jsonscan.AppendKey(to, "at"), f.At.UnixMilli(), 10)
	to = jsonscan.AppendString(jsonscan.AppendKey(to, "source"), string(f.Source))
	to = jsonscan.AppendText(to, "exec", f.ExecutionID)
	to = jsonscan.AppendText(to, "job", f.JobName)
	to = jsonscan.AppendText(to, "user", f.UserID)
	if f.Seq != 0 {
		to = strconv.AppendUint(jsonscan.AppendKey(to, "seq"), f.Seq, 10)
	}
	to = jsonscan.AppendText(to, "root", f.RootID)
	to = jsonscan.AppendInt(to, "depth", int64(f.Depth))
	to = jsonscan.AppendInt(to, "control", f.Control)
	to = jsonscan.AppendString(jsonscan.AppendKey(to, "type"), string(f.Type))
	to = jsonscan.AppendString(jsonscan.AppendKey(to, "key"), f.Key)
	to = jsonscan.AppendText(to, "name", f.Name)
	to = appendLocators(to, &f.Locators)
	if f.SSL != nil {
		to = strconv.AppendBool(jsonscan.AppendKey(to, "ssl"), *f.SSL)
	}
	to = jsonscan.AppendText(to, "tag", f.Tag)
	if !f.Since.IsZero() {
		to = jsonscan.AppendInt(to, "since", f.Since.UnixMilli())
	}
	to, err := appendFields(to, f.Fields)
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "encoding finding: %w", err)
	}
	return append(jsonscan.AppendString(jsonscan.AppendKey(to, "ckey"), f.CorrelationKey), '}'), nil
}

func appendLocators(to []byte, l *pipeline.Locators) []byte {
	to = jsonscan.AppendText(to, "domainName", l.Domain)
	to = jsonscan.AppendText(to, "ip", l.IP)
	if l.Mask != nil {
		to = strconv.AppendInt(jsonscan.AppendKey(to, "mask"), int64(*l.Mask), 10)
	}
	to = jsonscan.AppendInt(to, "port", int64(l.Port))
	to = jsonscan.AppendText(to, "protocol", l.Protocol)
	return jsonscan.AppendText(to, "path", l.Path)
}

func appendFields(to []byte, fields []pipeline.Field) ([]byte, error) {
	if len(fields) == 0 {
		return to, nil
	}
	return AppendFields(jsonscan.AppendKey(to, "fields"), fields)
}

// AppendFields writes fields as encoding/json does.
func AppendFields(to []byte, fields []pipeline.Field) ([]byte, error) {
	to = append(to, '[')
	for i := range fields {
		if i > 0 {
			to = append(to, ',')
		}
		x := &fields[i]
		to = append(to, '{')
		to = jsonscan.AppendString(jsonscan.AppendKey(to, "key"), x.Key)
		to = jsonscan.AppendText(to, "label", x.Label)
		to = jsonscan.AppendString(jsonscan.AppendKey(to, "type"), string(x.Type))
		if x.Data != nil {
			var err error
			if to, err = appendScalar(jsonscan.AppendKey(to, "data"), x.Data); err != nil {
				return nil, err
			}
		}
		to = append(to, '}')
	}
	return append(to, ']'), nil
}

func appendScalar(to []byte, data any) ([]byte, error) {
	switch d := data.(type) {
	case string:
		return jsonscan.AppendString(to, d), nil
	case bool:
		return strconv.AppendBool(to, d), nil
	case int64:
		return strconv.AppendInt(to, d, 10), nil
	default:
		text, err := json.Marshal(d)
		return append(to, text...), err
	}
}

// DecodeFinding reads what EncodeFinding wrote. Its strings share one piece of
// memory: clone what is kept for long.
func DecodeFinding(data []byte) (pipeline.Finding, error) {
	f, v, since, ok := scanFinding(string(data))
	if !ok {
		var err error
		if f, v, since, err = readFinding(data); err != nil {
			return pipeline.Finding{}, err
		}
	}
	if v != Version {
		return pipeline.Finding{}, pipeline.Errorf(pipeline.CodeInvalid, "finding version %d is not readable here, only %d", v, Version)
	}
	if f.ID == "" || f.ProjectID == "" || f.CorrelationKey == "" || f.Type == "" {
		return pipeline.Finding{}, pipeline.Errorf(pipeline.CodeInvalid, "finding lacks its id, project, type or correlation key")
	}
	if since != 0 {
		f.Since = time.UnixMilli(since).UTC()
	}
	return f, nil
}

// readFinding reads any form of it.
func readFinding(data []byte) (f pipeline.Finding, v int, since int64, err error) {
	var w finding
	if err := json.Unmarshal(data, &w); err != nil {
		return f, 0, 0, pipeline.Errorf(pipeline.CodeInvalid, "decoding finding: %w", err)
	}
	return pipeline.Finding{
		ID: w.ID, ProjectID: w.Project, At: time.UnixMilli(w.At).UTC(), Source: w.Source,
		ExecutionID: w.Exec, JobName: w.Job, UserID: w.User, Seq: w.Seq, RootID: w.Root,
		Depth: w.Depth, Control: w.Control, Type: w.Type, Key: w.Key, Name: w.Name,
		Locators: w.Locators, SSL: w.SSL, Tag: w.Tag, Fields: w.Fields, CorrelationKey: w.CKey,
	}, w.V, w.Since, nil
}

// scanFinding reads the form that EncodeFinding writes. Not ok means that it is
// another, which may be right too.
func scanFinding(text string) (f pipeline.Finding, v int, since int64, ok bool) {
	c := jsonscan.New(text)
	f.At = time.UnixMilli(0).UTC()
	var seen uint32
	c.Object(func(key string) {
		bit := scanMember(&c, &f, key, &v, &since)
		if seen&bit != 0 {
			c.Fail() // the second of two counts, or adds to the first
		}
		seen |= bit
	})
	return f, v, since, c.End()
}

// scanMember reads one member and returns a bit of its own for each key.
func scanMember(c *jsonscan.Scanner, f *pipeline.Finding, key string, v *int, since *int64) uint32 {
	switch key {
	case "v":
		*v = int(c.Int())
		return 1 << 0
	case "id":
		f.ID = c.String()
		return 1 << 1
	case "project":
		f.ProjectID = c.String()
		return 1 << 2
	case "at":
		f.At = time.UnixMilli(c.Int()).UTC()
		return 1 << 3
	case "source":
		f.Source = pipeline.Source(c.String())
		return 1 << 4
	case "exec":
		f.ExecutionID = c.String()
		return 1 << 5
	case "job":
		f.JobName = c.String()
		return 1 << 6
	case "user":
		f.UserID = c.String()
		return 1 << 7
	case "seq":
		f.Seq = c.Uint()
		return 1 << 8
	case "root":
		f.RootID = c.String()
		return 1 << 9
	case "depth":
		f.Depth = int(c.Int())
		return 1 << 10
	case "control":
		f.Control = c.Int()
		return 1 << 11
	case "type":
		f.Type = pipeline.FindingType(c.String())
		return 1 << 12
	case "key":
		f.Key = c.String()
		return 1 << 13
	case "name":
		f.Name = c.String()
		return 1 << 14
	case "ssl":
		b := c.Bool()
		f.SSL = &b
		return 1 << 15
	case "tag":
		f.Tag = c.String()
		return 1 << 16
	case "since":
		*since = c.Int()
		return 1 << 17
	case "fields":
		f.Fields = scanFields(c)
		return 1 << 18
	case "ckey":
		f.CorrelationKey = c.String()
		return 1 << 19
	default:
		return scanLocator(c, &f.Locators, key)
	}
}

func scanLocator(c *jsonscan.Scanner, l *pipeline.Locators, key string) uint32 {
	switch key {
	case "domainName":
		l.Domain = c.String()
		return 1 << 20
	case "ip":
		l.IP = c.String()
		return 1 << 21
	case "mask":
		n := int(c.Int())
		l.Mask = &n
		return 1 << 22
	case "port":
		l.Port = int(c.Int())
		return 1 << 23
	case "protocol":
		l.Protocol = pipeline.Protocol(c.String())
		return 1 << 24
	case "path":
		l.Path = c.String()
		return 1 << 25
	default:
		c.Fail() // it may be one of those in capitals
		return 0
	}
}

func scanFields(c *jsonscan.Scanner) []pipeline.Field {
	out := make([]pipeline.Field, 0, 4)
	c.Array(func() {
		var x pipeline.Field
		var seen uint8
		c.Object(func(key string) {
			var bit uint8
			switch key {
			case "key":
				x.Key, bit = c.String(), 1
			case "label":
				x.Label, bit = c.String(), 2
			case "type":
				x.Type, bit = pipeline.FieldType(c.String()), 4
			case "data":
				x.Data, bit = c.Scalar(false), 8
			default:
				c.Fail()
			}
			if seen&bit != 0 {
				c.Fail()
			}
			seen |= bit
		})
		out = append(out, x)
	})
	return out
}
