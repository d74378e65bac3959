package normal

import (
	"bytes"
	"encoding/json"

	"github.com/stalker-asm/stalker/pipeline"
)

// Limits on dynamic fields.
const (
	MaxFields = 256
	MaxText   = 64 << 10 // bytes of one text field
)

func fields(in []field) ([]pipeline.Field, error) {
	if len(in) > MaxFields {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "fields: %d of them, at most %d are allowed", len(in), MaxFields)
	}
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]pipeline.Field, 0, len(in))
	for i, w := range in {
		f, err := one(w)
		if err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "fields[%d] %q: %w", i, clip(w.Key), err)
		}
		out = append(out, f)
	}
	return out, nil
}

func one(w field) (pipeline.Field, error) {
	f := pipeline.Field{Key: w.Key, Label: w.Label, Type: pipeline.FieldType(w.Type)}
	if w.Key == "" || len(w.Key) > MaxKey || len(w.Label) > MaxName {
		return f, pipeline.Errorf(pipeline.CodeInvalid, "the key must have 1 to %d bytes, the label at most %d", MaxKey, MaxName)
	}
	var err error
	if f.Data = w.value; !w.known {
		f.Data, err = scalar(w.Data)
	}
	if err != nil {
		return f, err
	}
	switch f.Type {
	case "", pipeline.TextField:
		f.Type = pipeline.TextField
		if s, ok := f.Data.(string); ok && len(s) > MaxText {
			return f, pipeline.Errorf(pipeline.CodeInvalid, "text has %d bytes, at most %d are allowed", len(s), MaxText)
		}
		return f, nil
	case pipeline.ImageField:
		text, _ := f.Data.(string)
		_, _, err := Image(text)
		return f, err
	default:
		return f, pipeline.Errorf(pipeline.CodeInvalid, "type %q is neither text nor image", clip(w.Type))
	}
}

// scalar keeps the type of a string, number or boolean; integers stay exact.
func scalar(raw json.RawMessage) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "data is not readable: %w", err)
	}
	switch x := v.(type) {
	case nil, string, bool:
		return x, nil
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n, nil
		}
		n, err := x.Float64()
		if err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "data: number %s is out of range", clip(x.String()))
		}
		return n, nil
	default:
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "data must be a string, a number or a boolean")
	}
}
