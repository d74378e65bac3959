package clickhouse

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
)

var (
	marshalsJSON = reflect.TypeFor[json.Marshaler]()
	marshalsText = reflect.TypeFor[encoding.TextMarshaler]()
)

// shown is a value of the driver in a form that JSON has: small numbers in a list are
// numbers and not bytes, and what is no number is a text.
func shown(v reflect.Value) any {
	if v.Type().Implements(marshalsJSON) || v.Type().Implements(marshalsText) {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return nil
		}
		return v.Interface()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return shown(v.Elem())
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(f)
		}
		return v.Interface()
	case reflect.Slice, reflect.Array:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = shown(v.Index(i))
		}
		return out
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for _, k := range v.MapKeys() {
			out[fmt.Sprint(k.Interface())] = shown(v.MapIndex(k))
		}
		return out
	default:
		return v.Interface()
	}
}
