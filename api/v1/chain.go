package v1

import (
	"net/http"

	"github.com/stalker-asm/stalker/pipeline"
)

// chainView says what an execution came from and what came from it.
type chainView struct {
	Ancestors []pipeline.Execution              `json:"ancestors"` // the root first
	Execution pipeline.Execution                `json:"execution"`
	Children  pipeline.Page[pipeline.Execution] `json:"children"` // what its findings asked for
}

// maxAncestors bounds how far back a chain is followed; automation stops far below.
const maxAncestors = 64

func (a *API) chain(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "limit", "cursor")
	var n int
	if err == nil {
		n, err = limit(v)
	}
	out := chainView{Ancestors: []pipeline.Execution{}}
	if err == nil {
		out.Execution, err = a.execution(r)
	}
	if err == nil {
		out.Children, err = a.Store.Executions(r.Context(), pipeline.ExecutionQuery{
			ProjectID: out.Execution.ProjectID, Text: "parent.id:" + out.Execution.ID, Limit: n, Cursor: v.Get("cursor"),
		})
	}
	for at := out.Execution.Cause.ParentID; err == nil && at != "" && len(out.Ancestors) < maxAncestors; {
		var e pipeline.Execution
		e, err = a.Store.Execution(r.Context(), at)
		switch {
		case pipeline.CodeOf(err) == pipeline.CodeNotFound:
			at, err = "", nil // it is older than what is kept
		case err == nil:
			out.Ancestors, at = append([]pipeline.Execution{e}, out.Ancestors...), e.Cause.ParentID
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	if out.Children.Items == nil {
		out.Children.Items = []pipeline.Execution{}
	}
	reply(w, http.StatusOK, out)
}
