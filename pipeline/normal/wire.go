package normal

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/jsonscan"
)

// wire is a finding as jobs write it. Unknown keys are ignored, so that old and
// foreign scripts keep working; null is the same as absent.
type wire struct {
	Type     string  `json:"type"`
	Key      string  `json:"key"`
	Name     string  `json:"name"`
	Seq      uint64  `json:"seq"`
	IP       *string `json:"ip"`
	Mask     *int    `json:"mask"`
	Port     *int    `json:"port"`
	Protocol *string `json:"protocol"`
	Domain   *string `json:"domainName"`
	Path     *string `json:"path"`
	SSL      *bool   `json:"ssl"`
	Tag      string  `json:"tag"`
	Fields   []field `json:"fields"`
}

type field struct {
	Key   string          `json:"key"`
	Label string          `json:"label"`
	Type  string          `json:"type"`
	Data  json.RawMessage `json:"data"`

	known bool // value is what Data says
	value any
}

func read(raw json.RawMessage) (wire, error) {
	if w, ok := scan(raw); ok {
		return w, nil
	}
	return decode(raw)
}

// decode reads any form of it.
func decode(raw json.RawMessage) (w wire, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&w); err != nil {
		return w, pipeline.Errorf(pipeline.CodeInvalid, "finding is not readable: %w", err)
	}
	return w, nil
}

// scan reads the plain form. Not ok means that it is another, which may be right too.
func scan(text []byte) (w wire, ok bool) {
	c := jsonscan.New(text)
	var seen uint32
	c.Object(func(key []byte) {
		bit := w.scan(c, string(key))
		if seen&bit != 0 {
			c.Fail() // the second of two counts, or adds to the first
		}
		seen |= bit
	})
	return w, c.End()
}

// scan reads one member and returns a bit of its own for each key that is known.
func (w *wire) scan(c *jsonscan.Scanner, key string) uint32 {
	switch key {
	case "type":
		w.Type = c.String()
		return 1 << 0
	case "key":
		w.Key = c.String()
		return 1 << 1
	case "name":
		w.Name = c.String()
		return 1 << 2
	case "seq":
		w.Seq = c.Uint()
		return 1 << 3
	case "ip":
		w.IP = new(c.String())
		return 1 << 4
	case "mask":
		w.Mask = new(int(c.Int()))
		return 1 << 5
	case "port":
		w.Port = new(int(c.Int()))
		return 1 << 6
	case "protocol":
		w.Protocol = new(c.String())
		return 1 << 7
	case "domainName":
		w.Domain = new(c.String())
		return 1 << 8
	case "path":
		w.Path = new(c.String())
		return 1 << 9
	case "ssl":
		w.SSL = new(c.Bool())
		return 1 << 10
	case "tag":
		w.Tag = c.String()
		return 1 << 11
	case "fields":
		w.Fields = make([]field, 0, 4)
		c.Array(func() { w.Fields = append(w.Fields, scanField(c)) })
		return 1 << 12
	default:
		passOver(c, key, "type", "key", "name", "seq", "ip", "mask", "port", "protocol", "domainName", "path", "ssl", "tag", "fields")
		return 0
	}
}

func scanField(c *jsonscan.Scanner) (f field) {
	var seen uint8
	f.known = true
	c.Object(func(key []byte) {
		var bit uint8
		switch string(key) {
		case "key":
			f.Key, bit = c.String(), 1
		case "label":
			f.Label, bit = c.String(), 2
		case "type":
			f.Type, bit = c.String(), 4
		case "data":
			f.value, bit = c.Scalar(true), 8
		default:
			passOver(c, string(key), "key", "label", "type", "data")
		}
		if seen&bit != 0 {
			c.Fail()
		}
		seen |= bit
	})
	return f
}

// passOver ignores a member with another key. One that differs in capitals only is
// not another for encoding/json.
func passOver(c *jsonscan.Scanner, key string, known ...string) {
	for _, k := range known {
		if strings.EqualFold(key, k) {
			c.Fail()
			return
		}
	}
	c.Raw()
}
