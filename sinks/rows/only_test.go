package rows_test

import (
	"reflect"
	"testing"

	"github.com/stalker-asm/stalker/sinks/rows"
)

// Every table has rows of two projects, and keeps those of one.
func TestOnlyKeepsAProject(t *testing.T) {
	var b rows.Batch
	v := reflect.ValueOf(&b).Elem()
	tables := 0
	for name, f := range v.Fields() {
		if f.Type().Elem().Kind() != reflect.Struct {
			continue // Swept has ids
		}
		if name.Name != "Unsure" { // says no more than what is among the changes
			tables++
		}
		two := reflect.MakeSlice(f.Type(), 2, 2)
		two.Index(0).FieldByName("ProjectID").SetString("mine")
		two.Index(1).FieldByName("ProjectID").SetString("deleted")
		f.Set(two)
	}
	b.Only(func(project string) bool { return project == "mine" })
	if b.Len() != tables {
		t.Errorf("%d rows are left of %d tables", b.Len(), tables)
	}
	for name, f := range v.Fields() {
		if f.Type().Elem().Kind() == reflect.Struct && f.Index(0).FieldByName("ProjectID").String() != "mine" {
			t.Errorf("%s kept the wrong one", name.Name)
		}
	}
}
