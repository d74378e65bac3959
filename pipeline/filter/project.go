package filter

import (
	"github.com/stalker-asm/stalker/pipeline"
)

// nobody is the id of no project.
const nobody = "000000000000000000000000"

// ResolveProjects replaces the names of projects by their ids: only who calls knows
// which projects there are, and which of them the asker may see. A name that none
// has is an id that none has.
func (f *Filter) ResolveProjects(projects []pipeline.Project) {
	if f.Everything() {
		return
	}
	Terms(f.Root, func(t *Term) {
		if t.Field.Name != projectName.Name {
			return
		}
		ids := []Value{}
		for i := range projects {
			for j := range t.Values {
				if t.Values[j].match(t.Field, projects[i].Name) {
					ids = append(ids, Value{Span: t.Values[j].Span, Pieces: []string{projects[i].ID}})
					break
				}
			}
		}
		if len(ids) == 0 {
			ids = append(ids, Value{Span: t.Values[0].Span, Pieces: []string{nobody}})
		}
		t.Field, t.Values = Lookup(f.Kind, projectID.Name), ids
	})
}
