package record

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/go-faster/jx"

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

// EncodeFinding returns the wire form of f.
func EncodeFinding(f *pipeline.Finding) ([]byte, error) {
	e := jx.GetEncoder()
	defer jx.PutEncoder(e)
	e.ObjStart()
	number(e, "v", Version)
	word(e, "id", f.ID)
	word(e, "project", f.ProjectID)
	number(e, "at", f.At.UnixMilli())
	word(e, "source", f.Source)
	text(e, "exec", f.ExecutionID)
	text(e, "job", f.JobName)
	text(e, "user", f.UserID)
	if f.Seq != 0 {
		e.FieldStart("seq")
		e.UInt64(f.Seq)
	}
	text(e, "root", f.RootID)
	nonzero(e, "depth", int64(f.Depth))
	nonzero(e, "control", f.Control)
	word(e, "type", f.Type)
	word(e, "key", f.Key)
	text(e, "name", f.Name)
	encodeLocators(e, &f.Locators)
	if f.SSL != nil {
		e.FieldStart("ssl")
		e.Bool(*f.SSL)
	}
	text(e, "tag", f.Tag)
	if !f.Since.IsZero() {
		nonzero(e, "since", f.Since.UnixMilli())
	}
	if len(f.Fields) > 0 {
		e.FieldStart("fields")
		if err := encodeFields(e, f.Fields); err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "encoding finding: %w", err)
		}
	}
	word(e, "ckey", f.CorrelationKey)
	e.ObjEnd()
	return bytes.Clone(e.Bytes()), nil
}

func encodeLocators(e *jx.Encoder, l *pipeline.Locators) {
	text(e, "domainName", l.Domain)
	text(e, "ip", l.IP)
	if l.Mask != nil {
		number(e, "mask", int64(*l.Mask))
	}
	nonzero(e, "port", int64(l.Port))
	text(e, "protocol", l.Protocol)
	text(e, "path", l.Path)
}

// EncodeFields returns the wire form of a finding's fields.
func EncodeFields(fields []pipeline.Field) ([]byte, error) {
	e := jx.GetEncoder()
	defer jx.PutEncoder(e)
	err := encodeFields(e, fields)
	return bytes.Clone(e.Bytes()), err
}

func encodeFields(e *jx.Encoder, fields []pipeline.Field) error {
	e.ArrStart()
	for i := range fields {
		x := &fields[i]
		e.ObjStart()
		word(e, "key", x.Key)
		text(e, "label", x.Label)
		word(e, "type", x.Type)
		if x.Data != nil {
			e.FieldStart("data")
			if err := encodeScalar(e, x.Data); err != nil {
				return err
			}
		}
		e.ObjEnd()
	}
	e.ArrEnd()
	return nil
}

func encodeScalar(e *jx.Encoder, data any) error {
	switch d := data.(type) {
	case string:
		e.StrEscape(d)
	case bool:
		e.Bool(d)
	case int64:
		e.Int64(d)
	default:
		raw, err := json.Marshal(d)
		if err != nil {
			return err
		}
		e.Raw(raw)
	}
	return nil
}

// word writes a member whose value is a string, text one unless that is empty.
// Texts come from strangers: they are written as harmless in a page as encoding/json
// writes them.
func word[S ~string](e *jx.Encoder, key string, s S) {
	e.FieldStart(key)
	e.StrEscape(string(s))
}

func text[S ~string](e *jx.Encoder, key string, s S) {
	if s != "" {
		word(e, key, s)
	}
}

// number writes a member whose value is a number, nonzero one unless that is 0.
func number(e *jx.Encoder, key string, n int64) {
	e.FieldStart(key)
	e.Int64(n)
}

func nonzero(e *jx.Encoder, key string, n int64) {
	if n != 0 {
		number(e, key, n)
	}
}

// DecodeFinding reads what EncodeFinding wrote.
func DecodeFinding(data []byte) (pipeline.Finding, error) {
	f, v, since, ok := scanFinding(data)
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
func scanFinding(text []byte) (f pipeline.Finding, v int, since int64, ok bool) {
	c := jsonscan.New(text)
	f.At = time.UnixMilli(0).UTC()
	var seen uint32
	c.Object(func(key []byte) {
		bit := scanMember(c, &f, string(key), &v, &since)
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

// DecodeFields reads the wire form of a finding's fields; nothing at all is none.
func DecodeFields(text []byte) ([]pipeline.Field, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return []pipeline.Field{}, nil
	}
	c := jsonscan.New(text)
	if fs := scanFields(c); c.End() {
		return fs, nil
	}
	return readFields(text)
}

// readFields reads any form of it.
func readFields(text []byte) ([]pipeline.Field, error) {
	fs := []pipeline.Field{}
	if err := json.Unmarshal(text, &fs); err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "decoding fields: %w", err)
	}
	return fs, nil
}

func scanFields(c *jsonscan.Scanner) []pipeline.Field {
	out := make([]pipeline.Field, 0, 4)
	c.Array(func() {
		var x pipeline.Field
		var seen uint8
		c.Object(func(key []byte) {
			var bit uint8
			switch string(key) {
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
